"""The record of honest changes, and the page that is made from it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import put

from gauntlet.base import TEMPLATE
from honest.changes import Change, all_changes
from honest.endings import Ending

RECORD = TEMPLATE / "benchmarks" / "honest.json"
PAGE = TEMPLATE / "docs" / "appendix" / "honest.md"
BEGIN, END = "<!-- honest: begin -->", "<!-- honest: end -->"
VERDICTS = ("PASS without labels", "PASS", "INCONCLUSIVE", "FAIL")


def publish(changes: Sequence[Change], endings: Mapping[str, Ending]) -> None:
    """Put what became of these changes into the record and the page."""
    known = {one["name"]: one for one in read(RECORD)}
    for change in changes:
        own = {"name": change.name, "kind": change.kind, "sentence": change.sentence}
        known[change.name] = own | endings[change.name].as_json()
    kept = [known[change.name] for change in all_changes() if change.name in known]
    lines = ",\n".join(json.dumps(one) for one in kept)
    RECORD.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    write_page()


def write_page() -> None:
    """Put the tables of the record into the page."""
    put((BEGIN, END), page(read(RECORD)))


def read(record: Path) -> list[dict[str, Any]]:
    """What a record says of each change."""
    return json.loads(record.read_text(encoding="utf-8")) if record.is_file() else []


def page(kept: Sequence[Mapping[str, Any]]) -> str:
    """Verdicts by kind of change, and every change that did not pass."""
    head = ["kind of change", "changes", *VERDICTS, "refused"]
    lines = []
    for kind in dict.fromkeys(one["kind"] for one in kept):
        own = Counter(_column(one["ended"]) for one in kept if one["kind"] == kind)
        lines.append([kind, str(own.total()), *(str(own[name] or "") for name in head[2:])])
    total = Counter(_column(one["ended"]) for one in kept)
    lines.append(["all", str(total.total()), *(str(total[name]) for name in head[2:])])
    others = [
        [one["name"], one["sentence"], one["ended"], ", ".join(one["by"]), _cell(one["said"])]
        for one in kept
        if one["ended"] not in VERDICTS[:2]
    ]
    titles = ["change", "what it is", "ended", "by", "said last"]
    return f"{_table(head, lines)}\n\n{_table(titles, others)}"


def _column(ended: str) -> str:
    return ended if ended in VERDICTS else "refused"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    made = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in made)
