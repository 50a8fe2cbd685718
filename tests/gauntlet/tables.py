"""The tables of docs/appendix/gauntlet*.md, from the record of a run."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.pages import put

from gauntlet.second_lines import SECOND_LINES

SHOWN = 200


def write_tables(record: Path) -> None:
    """Put the tables of a record into the pages, between their marks."""
    _fill(tables(json.loads(record.read_text(encoding="utf-8"))))


def write_acts(record: Path) -> None:
    """Put the table of what went through the workflows into its page, between its marks."""
    _fill({"acts": acts(json.loads(record.read_text(encoding="utf-8")))})


def _fill(made: dict[str, str]) -> None:
    for name, table in made.items():
        put(marks(name), table.removesuffix("\n"))


def marks(name: str) -> tuple[str, str]:
    """The comments between which a table stands."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def tables(content: dict[str, Any]) -> dict[str, str]:
    """The confusion table, all cases, and the checks switched off, as Markdown by name."""
    return {
        "confusion": _confusion(content["cases"]),
        "cases": _cases(content["cases"]),
        "switched off": _switched_off(content["switched_off"]),
        "second lines": _second_lines(content["switched_off"]),
        "counts": _counts(content.get("counts", [])),
    }


def _confusion(cases: list[dict[str, Any]]) -> str:
    header = ["family", "planted", "by the named check", "by another", "passed"]
    rows = []
    for family in dict.fromkeys(case["family"] for case in cases):
        counts = Counter(_fate(case) for case in cases if case["family"] == family)
        rows.append([family, str(counts.total()), *(str(counts[fate]) for fate in header[2:])])
    return _table(header, rows)


def _fate(case: dict[str, Any]) -> str:
    if not case["caught_by"]:
        return "passed"
    return "by the named check" if case["planted"] in case["caught_by"] else "by another"


def _cases(cases: list[dict[str, Any]]) -> str:
    header = ["case", "what it does", "to be caught by", "caught by"]
    rows = [
        [
            f"`{case['name']}`",
            case["sentence"],
            _name(case["planted"]) if case["planted"] else "nothing",
            ", ".join(map(_name, case["caught_by"])) or f"nothing ({case['verdict']})",
        ]
        for case in cases
    ]
    return _table(header, rows)


def _name(check: str) -> str:
    return check if check in {"benchmark", "refused"} else f"`{check}`"


def _switched_off(escapes: list[dict[str, Any]]) -> str:
    header = ["check switched off", "then passes", "cases tried", "stopped instead by"]
    rows = [
        [
            f"`{one['check']}`",
            f"`{one['case']}`" if one["case"] else "nothing",
            str(one["tried"]),
            ", ".join(map(_name, one["instead"])) or "–",
        ]
        for one in escapes
    ]
    return _table(header, rows)


def _counts(counts: list[dict[str, Any]]) -> str:
    header = ["check", "of", "what is counted", "without it", "as zero", "one less"]
    rows = [
        [one["check"], one["where"], f"`{one['name']}`"]
        + [one[fate] for fate in ("dropped", "emptied", "shortened")]
        for one in counts
    ]
    return _table(header, rows)


def _second_lines(escapes: list[dict[str, Any]]) -> str:
    idle = [one["check"] for one in escapes if not one["case"] and one["check"] in SECOND_LINES]
    return _table(["check", "kept because"], [[f"`{name}`", SECOND_LINES[name]] for name in idle])


def acts(cases: list[dict[str, Any]]) -> str:
    """What a reviewer got of each case that went through the workflows, as Markdown."""
    header = ["case", "family", "to be caught by", "red job", "status", "what the reviewer reads"]
    rows = []
    for case in cases:
        jobs = {**case["gate"], **case["score"]}
        red = [f"`{job}`" for job, result in jobs.items() if result == "failure"]
        planted = _name(case["planted"]) if case["planted"] else "nothing"
        named = _cell(case["named"]) if case["as_planted"] else "**not as planted**"
        row = [f"`{case['name']}`", case["family"], planted, ", ".join(red) or "none"]
        rows.append([*row, case["status"], named])
    return _table(header, rows)


def _cell(text: str) -> str:
    # a cut could fall within a code span, so that what is cut becomes one; a stroke ends a cell
    short = text if len(text) <= SHOWN else f"`{text.replace('`', '')[:SHOWN]}…`"
    return short.replace("|", r"\|")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
