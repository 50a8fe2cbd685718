"""What a reviewer gets of a planted pull request, and whether it names what was planted."""

import re
from dataclasses import dataclass

from gauntlet.cases import BENCHMARK, GOOD, REFUSED


@dataclass(frozen=True)
class Review:
    """The results of the jobs, the commit's status, and where the comment names the planted check.

    `named` is a line of the comment; empty if there is none.
    """

    gate: dict[str, str]
    score: dict[str, str]
    status: str
    named: str

    def suits(self, planted: str) -> bool:
        """Whether a bad case is red for the planted reason, and a good one green."""
        green = self.status == "success" and set(self.score.values()) == {"success"}
        return bool(self.named) and (green if planted == GOOD else self.status != "success")


def passage(planted: str, comment: str, words: str = "") -> str:
    """The line that names what was planted; empty if none does.

    Args:
        planted: a rule or property, BENCHMARK, REFUSED, or GOOD.
        comment: what was posted on the pull request, in Markdown.
        words: what a refusal must say.
    """
    if planted == GOOD:
        return _headline(comment, "PASS")
    if planted == BENCHMARK:
        return _headline(comment, "FAIL|INCONCLUSIVE")
    if planted == REFUSED:
        return _refusal(comment, words)
    return _failure(comment, planted)


def _headline(comment: str, outcomes: str) -> str:
    found = re.search(rf"^### \S+ ((?:{outcomes}): .*)$", comment, re.MULTILINE)
    return found[1] if found else ""


def _refusal(comment: str, words: str) -> str:
    head = _headline(comment, "ERROR")
    if not head or words in head:
        return head
    # the row of the part that was not carried out
    rows = (line for line in comment.splitlines() if line.startswith("| **") and words in line)
    row = next(rows, "")
    return f"{head} ({row.strip('| ')})" if row else ""


def _failure(comment: str, rule: str) -> str:
    item = rf"^- \*\*failure\*\* (.*) · `{rule}`(?: and [\d,]+ more of this rule)?$"
    found = re.search(item, comment, re.MULTILINE)
    return found[1] if found else ""
