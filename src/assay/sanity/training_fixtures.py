"""What the properties ask of a train set, as pytest fixtures of the session."""

from typing import TYPE_CHECKING

import pytest

from assay.sanity.fixtures import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from assay.sanity.learning import Builder, Sample, Skills
    from assay.sanity.policy import Sanity
    from assay.settings import Settings

SAMPLE_ROWS, SHUFFLES = 400, 6


@pytest.fixture(scope="session")
def training_rows(pytestconfig: pytest.Config, settings: "Settings") -> "pd.DataFrame":
    """The train set: `row_id`, `formula`, and the target as numbers."""
    from assay.layout import Layout
    from assay.tables import read_labelled, read_numbers

    path, target = Layout(pytestconfig.rootpath).train, settings.target.column
    frame = read_labelled(path, ["row_id", "formula"], target)
    # further columns, wherever they stand, are none of a property's business
    return frame[["row_id", "formula"]].assign(**{target: read_numbers(frame, target, path)})


@pytest.fixture(scope="session")
def training_formulas(training_rows: "pd.DataFrame") -> list[str]:
    """The formulas of the train set."""
    return list(training_rows["formula"])


@pytest.fixture(scope="session")
def training_targets(training_rows: "pd.DataFrame") -> "np.ndarray":
    """The targets (n,) of the train set: its last column."""
    return training_rows.iloc[:, -1].to_numpy()


@pytest.fixture(scope="session")
def out_of_fold(
    pytestconfig: pytest.Config, bundle_folder: "Path", training_rows: "pd.DataFrame"
) -> "np.ndarray | None":
    """The predictions (n,) of the train set out of fold, where the bundle was trained here."""
    import numpy as np
    import pandas as pd

    from assay.errors import AssayError
    from assay.layout import Handover, Layout
    from assay.model.bundle import digest_bundle
    from assay.records import CandidateCard, read_record

    handover = Handover(Layout(pytestconfig.rootpath).out)
    try:
        card = read_record(CandidateCard, handover.candidate)
        if card.bundle_digest != digest_bundle(bundle_folder) or "row_id" not in training_rows:
            return None
        table = pd.read_csv(handover.predictions, dtype={"row_id": str}, index_col="row_id")
        values = table["prediction"].reindex(training_rows["row_id"]).to_numpy(dtype=float)
    except (AssayError, OSError, ValueError, KeyError):  # nothing was handed over, or not by train
        return None
    return values if np.isfinite(values).all() else None


@pytest.fixture(scope="session")
def largest_change(training_targets: "np.ndarray", sanity: "Sanity") -> float:
    """What 1 % of an element may change, in the target's unit: `sanity.continuity` times spread."""
    return sanity.continuity * float(training_targets.std())


@pytest.fixture(scope="session")
def elements(request: pytest.FixtureRequest) -> list[str]:
    """The elements of the train set, by atomic number; without one, all that Magpie describes."""
    from pymatgen.core import Element

    from assay.compositions import elements as elements_of
    from assay.features import missing_properties

    try:
        formulas = request.getfixturevalue("training_formulas")
    except pytest.skip.Exception:  # a model outside of a repository, which gave no rows
        return [symbol for symbol in _all_elements() if not missing_properties(symbol)]
    found = frozenset[str]().union(*map(elements_of, formulas))
    return sorted(found, key=lambda symbol: Element(symbol).Z)


@pytest.fixture(scope="session")
def unknown_elements(elements: list[str]) -> list[str]:
    """Elements outside of the train set for which matminer's Magpie table has gaps."""
    from assay.features import missing_properties

    return [s for s in _all_elements() if s not in elements and missing_properties(s)]


def _all_elements() -> list[str]:
    from pymatgen.core import Element

    return [Element.from_Z(number).symbol for number in range(1, 119)]


@pytest.fixture(scope="session")
def training_sample(
    pytestconfig: pytest.Config,
    training_formulas: list[str],
    training_targets: "np.ndarray",
    sanity: "Sanity",
) -> "Sample":
    """At most 400 rows of whole chemical systems, always the same ones, in two halves."""
    from assay.sanity.learning import draw_sample

    found = settings_of(pytestconfig)
    is_class = found is not None and found.target.kind == "class"
    target = training_targets.astype(int) if is_class else training_targets
    return draw_sample(training_formulas, target, SAMPLE_ROWS, sanity.seed)


@pytest.fixture(scope="session")
def shuffled_skills(
    builder: "Builder", model_seed: int, training_sample: "Sample", sanity: "Sanity"
) -> "Skills":
    """What models know that were trained on six shuffles of the labels."""
    from assay.sanity.learning import skills

    return skills(builder, model_seed, training_sample, SHUFFLES, sanity.seed)
