"""What a reviewer gets of a planted pull request, and whether it names what was planted."""

import re
from dataclasses import dataclass

from gauntlet.cases import BENCHMARK, GOOD, REFUSED

Finding = dict[str, str]

_SAME = 60  # characters of a message, punctuation left out, that tell it from all others
_RUNNER = re.compile(r"/\S*/hostexecutor/")  # where act checks the repository out


@dataclass(frozen=True)
class Review:
    """The results of the jobs, the commit's status, and where the comment names the planted check.

    `named` is a line of the comment, or of the log that the comment sends to; empty if there is
    none.
    """

    gate: dict[str, str]
    score: dict[str, str]
    status: str
    named: str

    def suits(self, planted: str) -> bool:
        """Whether a bad case is red for the planted reason, and a good one green."""
        green = self.status == "success" and set(self.score.values()) == {"success"}
        return bool(self.named) and (green if planted == GOOD else self.status != "success")


def passage(planted: str, comment: str, findings: list[Finding], log: str, words: str) -> str:
    """The line that names what was planted; empty if none does.

    Args:
        planted: a rule or property, BENCHMARK, REFUSED, or GOOD.
        comment: what was posted on the pull request, in Markdown.
        findings: the records of the checks that the run handed over.
        log: what the jobs of both workflows printed.
        words: what a refusal must say.
    """
    if planted == GOOD:
        return _headline(comment, "PASS")
    if planted == BENCHMARK:
        return _headline(comment, "FAIL|INCONCLUSIVE")
    if planted == REFUSED:
        return _refusal(comment, log, words)
    return _failure(planted, comment, findings)


def _headline(comment: str, outcomes: str) -> str:
    found = re.search(rf"^### \S+ ((?:{outcomes}): .*)$", comment, re.MULTILINE)
    return found[1] if found else ""


def _refusal(comment: str, log: str, words: str) -> str:
    head = _headline(comment, "ERROR")
    if not head:
        return ""
    if words in comment:
        line = next(line for line in comment.splitlines() if words in line)
        return head if words in head else f"{head} ({line.strip('| ')})"
    # the next step is a job that ended before its record was written, or the step Score
    sent_to = re.search(r"^\*\*Next:\*\* the (?:job|log of the step) (\w+)", comment, re.MULTILINE)
    said = re.findall(rf"^\[{sent_to[1]}/.*?\] assay: (.*)$", log, re.MULTILINE) if sent_to else []
    line = next((line for line in said if words in line), "")
    return f"{head} (log of {sent_to[1]}: {_RUNNER.sub('', line)})" if sent_to and line else ""


def _failure(planted: str, comment: str, findings: list[Finding]) -> str:
    lines = [line for line in comment.splitlines() if line.startswith("- **failure** ")]
    for finding in findings:
        if finding["rule"] == planted and finding["severity"] == "failure":
            said = _letters(finding["message"].partition(" Run: ")[0])[:_SAME]
            for line in lines:
                if said in _letters(line):
                    return line.removeprefix("- **failure** ")
    return ""


def _letters(text: str) -> str:
    # a comment sets text in code spans and cuts it, which changes punctuation alone
    return re.sub(r"[\W_]+", " ", text).strip()
