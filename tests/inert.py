"""Words that a hostile author may write anywhere, and what shows that they stayed words."""

from markdown_it import MarkdownIt
from markdown_it.token import Token

from assay.report.comment import MARKER

HOSTILE = [
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


def _leaves(tokens: list[Token]) -> list[Token]:
    return [leaf for token in tokens for leaf in ([token, *_leaves(token.children or [])])]


def active(markdown: str) -> list[Token]:
    """Everything that GitHub would act on: all but the inside of code."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    kinds = {"code_inline", "fence", "code_block", "inline"}
    return [token for token in _leaves(parser.parse(markdown)) if token.type not in kinds]


def assert_inert(markdown: str, link: str | None = None) -> None:
    """Fail if GitHub would act on anything in a comment but our own words and our own link."""
    live = active(markdown)
    text = "".join(token.content for token in live if token.type == "text")
    for trigger in ("@", "://", "www.", "octocat", "GH-1", "#1", "alert", "forged"):
        assert trigger not in text, trigger
    assert not [token for token in live if token.type == "image"]
    assert {token.attrs["href"] for token in live if token.type == "link_open"} <= {link}
    html = {token.content.strip() for token in live if token.type.startswith("html")}
    allowed = {"<sub>", "</sub>", "</details>", ""}
    assert {tag for tag in html if not tag.startswith(("<details><summary>", MARKER))} <= allowed
    headings = [token for token in live if token.type == "heading_open"]
    assert len(headings) == 1
    assert markdown.count(MARKER) == 1
    assert markdown.startswith(f"{MARKER}\n")
    assert not set(markdown) & set("\u202e\u2066\u200b\x1b\r")
