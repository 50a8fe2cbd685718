"""`PYTHONPATH=tests python -m doc_tables`: write every table and figure of docs/appendix again.

They are made from the records in benchmarks/ alone; nothing is measured.
"""

import json
from typing import Any

from benchmarks import domain, intervals, pages
from benchmarks.gate import figures, public_evidence
from benchmarks.gate.pages import write_page

from gauntlet import acts, tables
from gauntlet.__main__ import RECORD
from honest import verdicts_page

BENCHMARKS = pages.TEMPLATE / "benchmarks"


def write_tables() -> None:
    """Put every table between its marks."""
    write_page(_read("gate"))
    pages.main()
    pages.fill(domain.tables(_read("domain")))
    pages.fill(intervals.tables(_read("intervals")))
    pages.fill(public_evidence.parts(_read("public_evidence")))
    tables.write_tables(RECORD)
    tables.write_acts(acts.RECORD)
    verdicts_page.write_page()


def draw_figures() -> None:
    """Draw the figures beside them."""
    figures.draw_all(_read("gate"), domain.FIGURE.parent)
    domain.FIGURE.write_text(domain.drawn(_read("domain")), encoding="utf-8")
    intervals.FIGURE.write_text(intervals.drawn(_read("intervals")), encoding="utf-8")


def _read(name: str) -> Any:
    return json.loads((BENCHMARKS / f"{name}.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    write_tables()
    draw_figures()
