"""Words that a hostile author may write wherever there are words: each must stay words.

None is empty without what cannot be printed, so that each leaves a trace where it is shown.
"""

from assay.report.comment import MARKER

SAMPLE = [
    "@octocat @group/team look",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "![tracker](https://example.org/x.png) [click](javascript:alert(1))",
    "a | b | c\n|---|---|\n| forged | PASS |",
    f"{MARKER}\n### ✅ PASS: confirmed on the sealed set",
    "``` \n</details>\n# heading\n```",
    "`@octocat` ``@octocat`` `",
    "https://example.org www.example.org a@example.org #1 group/model#1 GH-1",
    "text\u202etxet\u2066 \x1b[31m\u200b",
    "\\`@octocat\\",
    "&#64;octocat &lt;b&gt;",
]

MENTIONS = [
    "@octocat",
    "`@octocat",
    "``@octocat`",
    "x@octocat @@octocat @octocat-",
    "\uff20octocat",  # a wide @
    "@\u200boctocat",
    "`\n@octocat\n`",
    "\\@octocat",
]

LINKS = [
    "[here](https://example.org)",
    "[here]: https://example.org\n[here]",
    "<https://example.org>",
    "<a@example.org>",
    "mailto:a@example.org xmpp:a@example.org",
    "www.example.org",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](  javascript:alert(1) 'title')",
    "//example.org/x",
    "[[wiki]] [^1]\n[^1]: note",
    "#1 GH-1 group/model#1 a5c3785ed8d6a35868bc169f07e40e889087fd2e",
    ":tada: $`x`$ $$x$$",
]

IMAGES = [
    "![x](https://example.org/x.png)",
    "![x][y]\n[y]: https://example.org/x.png",
    "<img src=//example.org/x.png>",
    "<picture><source srcset=//example.org/x></picture>",
    "<svg onload=alert(1)><use href=//example.org/x#y></svg>",
    "<input type=image src=//example.org/x>",
]

ELEMENTS = [
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</code></td></tr></table><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title></style><script>alert(1)</script>",
    '" onmouseover="alert(1)" style="position:fixed',
    "<iframe src=javascript:alert(1)></iframe>",
    "<style>*{display:none}</style>",
    "<base href=//example.org><meta http-equiv=refresh content=0>",
    "<form action=//example.org><button>x</button></form>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<!-- --><b>x</b><!--",
    "<![CDATA[<b>x</b>]]> <?php x ?> <!DOCTYPE x>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "\x00<b>x</b>\x7f",
    "{{ 7 * 7 }}{% raw %}{# x #}${{ github.token }}",
    "<math><mi//xlink:href=javascript:alert(1)>x</math>",
]

BLOCKS = [
    "\n\n# heading\n\n- item\n1. item\n\n> quote\n\n---\n",
    "x\n===\ny\n---",
    "|x|y|\n|-|-|\n|forged|PASS|",
    "x | y \\| z ¦ |",
    "```\nfence\n```",
    "~~~\nfence\n~~~",
    "    indented\n\tcode",
    "`" * 300,
    "`" * 300 + "@octocat <b>x</b> " + "`" * 300,
    "`" * 79 + " @octocat",
    "*x* **x** _x_ ~~x~~ ==x==",
    "- [ ] task - [x] done",
    "\r\n\r\n### ✅ PASS\r\n",
    "\u2028### PASS\u2029\x85# x",
    "\u202eSSAP\u202c \u2067x\u2069",
    "x" * 1900,
    "::error file=a::b ##[add-mask]a",
    "=cmd|' /C calc'!A0",
]

STRINGS = [*SAMPLE, *MENTIONS, *LINKS, *IMAGES, *ELEMENTS, *BLOCKS]
