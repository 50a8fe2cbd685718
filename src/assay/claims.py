"""What a change claims: the line `Assay-Claim: improvement` in a message of one of its commits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from assay.provenance import git
from assay.records import Claim

# GitHub's squash lists messages behind `* `, people indent, and a sentence ends with a dot
_CLAIM = re.compile(
    r"^[ \t>*+-]*assay-claim[ \t]*:[ \t]*([a-z-]+)[ \t.]*\r?$", re.MULTILINE | re.IGNORECASE
)
_ALIKE = re.compile(r"^\W*assay.{0,2}claims?\b.*$", re.MULTILINE | re.IGNORECASE)
SHOWN = 3


@dataclass(frozen=True)
class Claimed:
    """The claim of some commits, and the lines of their messages that look like one and are none.

    `claim` is None where no commit makes one.
    """

    claim: Claim | None
    unread: Sequence[str] = ()


def claimed_since(root: Path, start: str | None, end: str = "HEAD") -> Claimed:
    """What the commits after `start` up to `end` claim; without a start, the last one alone.

    The newest commit that makes a claim decides, and of its message the last line that does.
    """
    commits = ("--max-count=1", end) if start is None else (f"{start}..{end}",)
    printed = git(root, "log", "-z", "--topo-order", "--format=%B", *commits) or ""
    messages = printed.split("\0")
    claims = [claim for message in messages for claim in _claims(message)[-1:]]
    unread = [line for message in messages for line in _unread(message)]
    return Claimed(claims[0] if claims else None, unread[:SHOWN])


def _claims(message: str) -> list[Claim]:
    found = [word.lower() for word in _CLAIM.findall(message)]
    return [cast(Claim, word) for word in found if word in get_args(Claim)]


def _unread(message: str) -> list[str]:
    lines = (found.group().strip() for found in _ALIKE.finditer(message))
    return [line for line in lines if not _claims(line)]
