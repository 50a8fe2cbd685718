"""Writes the golden table of features, after `INTERFACE` was raised for a value that changed.

`python scripts/golden_features.py` writes `tests/features/golden_features.json`, which
`tests/features/test_interface.py` compares with what the features are.
"""

import json
from pathlib import Path
from typing import Any

from assay.features import (
    IonFeatures,
    MagpieFeatures,
    MatminerFeatures,
    StoichiometryFeatures,
    ValenceOrbitalFeatures,
)
from assay.features.interface import GOLDEN, INTERFACE
from assay.model.golden import golden_rows

TABLE = Path(__file__).parents[1] / "tests" / "features" / "golden_features.json"


class Featurizers:
    """A model of every featurizer, which predicts nothing."""

    def __init__(self) -> None:
        """Make one of each; matminer's wrapper with a cheap one of its featurizers."""
        self.parts = [MagpieFeatures(), StoichiometryFeatures(), ValenceOrbitalFeatures()]
        self.parts += [IonFeatures(), MatminerFeatures("BandCenter")]


def table() -> dict[str, Any]:
    """The version, and by featurizer the numbers of each composition at nine digits (or null)."""
    found = golden_rows(Featurizers(), GOLDEN)
    values = {
        one.featurizer: dict(zip(found.formulas, one.rows, strict=True)) for one in found.features
    }
    return {"interface": INTERFACE, "features": values}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table()) + "\n", encoding="utf-8")
