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
from assay.model.golden import featurizers, golden_rows

TABLE = Path(__file__).parents[1] / "tests" / "features" / "golden_features.json"


class Featurizers:
    """A model of every featurizer, which predicts nothing."""

    def __init__(self) -> None:
        """Make one of each; matminer's wrapper as plain, with options, and with a preset, too."""
        self.parts = [MagpieFeatures(), StoichiometryFeatures(), ValenceOrbitalFeatures()]
        self.parts += [IonFeatures(), MatminerFeatures("BandCenter")]
        self.parts += [
            MatminerFeatures("Stoichiometry", options={"p_list": [0, 2]}),
            MatminerFeatures("ElementProperty", "deml", {"impute_nan": False}),
        ]


def table(model: Any = None) -> dict[str, Any]:
    """The version, and by featurizer the numbers of each composition at nine digits (or null)."""
    model = model or Featurizers()
    found = golden_rows(model, GOLDEN)
    values = {
        _name(one): dict(zip(found.formulas, kept.rows, strict=True))
        for one, kept in zip(featurizers(model), found.features, strict=True)
    }
    return {"interface": INTERFACE, "features": values}


def _name(featurizer: Any) -> str:
    which = getattr(featurizer, "featurizer", "")
    return type(featurizer).__name__ + (which and f" {which}")


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table()) + "\n", encoding="utf-8")
