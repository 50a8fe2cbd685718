"""All rows that break a rule, of which a report lists a few."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from assay.schema.rules import FORMULA
from assay.spreadsheets import for_spreadsheets

if TYPE_CHECKING:
    from assay.schema.data_docs import Outcome

BROKEN = Path("data_docs") / "rows.csv"  # in the folder of what a run writes
COLUMNS = ["rule", "severity", "file", "line", "formula"]


def broken_rows(outcomes: "Sequence[Outcome]") -> pd.DataFrame:
    """One row for each row of a table and each rule that it breaks, as text.

    `line` is empty where the rows stand in no file. Nothing in it is executed by a spreadsheet.
    """
    found = []
    for table, rules, results in outcomes:
        severities = {rule.name: rule.severity for rule in rules}
        for result in results:
            name = result.expectation_config.meta["rule"]
            for row in sorted(result.result.get("unexpected_index_list") or ()):
                formula = table.cells.iloc[row].get(FORMULA) or ""
                line = str(row + 2) if table.located else ""
                found.append((name, severities[name], table.file, line, formula))
    return for_spreadsheets(pd.DataFrame(found, columns=COLUMNS, dtype=str))
