"""What GitHub makes of a comment, by its own fork of cmark, and what it then would act on."""

import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

Tag = tuple[str, tuple[tuple[str, str | None], ...]]

# Raw HTML is left in, so that the test sees what only GitHub's own filter would take out.
OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
# mentions, references, addresses, emoji and mathematics, which GitHub adds to running text
TRIGGERS = re.compile(
    r"@\w|\w@\w|#\d|\bGH-\d|://|\bwww\.|\b[0-9a-f]{40}\b|:\w+:|\$|\[\^|[\u200b\u202a-\u202e\u2066-\u2069]"
)
CODE = {"code", "pre"}


class Rendered(HTMLParser):
    """The elements of a rendered comment with their attributes, and its text outside of code."""

    def __init__(self, markdown: str) -> None:
        """Render and read it."""
        super().__init__()
        self.tags: list[Tag] = []
        self.running = ""
        self.comments: list[str] = []
        self._depth = 0
        self.html = cmarkgfm.github_flavored_markdown_to_html(markdown, OPTIONS)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.tags.append((tag, tuple(attrs)))
        self._depth += tag in CODE

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        self._depth -= tag in CODE

    def handle_comment(self, data: str) -> None:
        """Keep what is hidden."""
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        """Keep running text."""
        if not self._depth:
            self.running += data

    @property
    def triggers(self) -> list[str]:
        """What GitHub would act on in running text."""
        return TRIGGERS.findall(self.running)
