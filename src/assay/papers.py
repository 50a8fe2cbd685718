"""What the papers of a repository say of its data: the README's first line, and the data card."""

from pathlib import Path

import pandas as pd

from assay.settings import Target
from assay.splits import Parts

CARD = """# Data card

| | |
|---|---|
| source | `{source}` |
| target | `{target}` ({kind}, unit {unit}) |
| rows | {rows} distinct compositions, divided by chemical system |
| range | {low:.6g} to {high:.6g}, mean {mean:.6g} |

`train.csv` is public. `sealed_inputs.csv` holds the held-out compositions, `sealed_labels.bin`
their labels, encrypted. `pool.csv` holds unlabelled compositions.

Still to be written by whoever owns the data: where the values were measured or computed, the
licence, the DOI, known defects.
"""


def data_card(parts: Parts, source: str, target: Target) -> str:
    """The first text of `data/README.md`, for rows from a file or dataset."""
    values = pd.concat([parts.train, parts.held_out])[parts.target]
    return CARD.format(
        source=Path(source).name,
        target=parts.target,
        kind=target.kind,
        unit=target.unit,
        rows=len(values),
        low=values.min(),
        high=values.max(),
        mean=values.mean(),
    )


def renamed(readme: str, before: Target, after: Target) -> str:
    """The README with the line that the template wrote about the target told of another one.

    A README that does not hold that line any more is the author's own, and stays as it is.
    """
    return readme.replace(_told(before), _told(after), 1)


def _told(target: Target) -> str:
    return f"A model of **{target.column}** (unit: {target.unit}) from"
