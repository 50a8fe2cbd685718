"""What shows that the words of a hostile author stayed words."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from assay.report.comment import MARKER
from hostile_strings import SAMPLE

HOSTILE = SAMPLE  # enough for what is slow; `hostile_strings` has all


# a picture of ours: at a commit, under one of four names, with words that hold no mark-up
PICTURE = re.compile(
    r'<img src="https://[a-z.]+/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}'
    r"/(?:parity|residuals|reliability|scores)\.png\?raw=true"
    r'" alt="(?:[\w .,:;()%+=²·⁻±→−\'/-]|&lt;)+" width="\d+">'
)


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
    html = {PICTURE.sub("", tag).strip() for tag in html}
    allowed = {"<sub>", "</sub>", "</details>", ""}
    assert {tag for tag in html if not tag.startswith(("<details><summary>", MARKER))} <= allowed
    headings = [token for token in live if token.type == "heading_open"]
    assert len(headings) == 1
    assert markdown.count(MARKER) == 1
    assert markdown.startswith(f"{MARKER}\n")
    assert not set(markdown) & set("\u202e\u2066\u200b\x1b\r")
