"""What the properties ask of a model, its repository and its train set, as pytest fixtures.

A repository of assay answers all of them. Without one override `training_rows`, and whichever of
`bounds`, `element_value`, `sanity`, `model_seed` and `builder` apply; the model is named by
`--assay-loader` and `--assay-bundle`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.sanity.counts import METER

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from assay.sanity.learning import Builder, Sample, Skills
    from assay.sanity.policy import Sanity
    from assay.sanity.subprocess_model import Answer
    from assay.settings import Settings

SETTINGS = pytest.StashKey["Settings"]()
ROWS_ELSEWHERE = 200
SAMPLE_ROWS, SHUFFLES = 400, 6


def settings_of(config: pytest.Config) -> "Settings | None":
    """The settings in force, or None where there is no `assay.toml`."""
    from assay.repository import read_repository
    from assay.settings import FILE_NAME

    if not (config.rootpath / FILE_NAME).is_file():
        return None
    if SETTINGS not in config.stash:
        config.stash[SETTINGS] = read_repository(config.rootpath).in_force.settings
    return config.stash[SETTINGS]


def sanity_of(config: pytest.Config) -> "Sanity":
    """The table `[sanity]` of `assay.toml`; the defaults where there is no such file."""
    from assay.sanity.policy import Sanity

    found = settings_of(config)
    return Sanity() if found is None else found.sanity


@pytest.fixture(scope="session")
def repository(pytestconfig: pytest.Config) -> Path:
    """The folder of the repository."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def settings(pytestconfig: pytest.Config) -> "Settings":
    """The content of `assay.toml`; without one, tests that need it are skipped."""
    return settings_of(pytestconfig) or pytest.skip("there is no assay.toml")


@pytest.fixture(scope="session")
def sanity(pytestconfig: pytest.Config) -> "Sanity":
    """Effort, tolerances, budget and declared relations."""
    return sanity_of(pytestconfig)


@pytest.fixture(scope="session")
def bundle_folder(pytestconfig: pytest.Config) -> Path:
    """Where the model under test is; without one, tests that need it are skipped."""
    named = pytestconfig.getoption("--assay-bundle")
    folder = Path(named) if named else pytestconfig.rootpath / "out" / "bundle"
    if not named and not folder.is_dir():
        pytest.skip("there is no bundle at out/bundle: run `assay train` first")
    return folder


@pytest.fixture(scope="session")
def bundle(pytestconfig: pytest.Config, bundle_folder: Path) -> Any:
    """The loaded model under test, with a method `predict` of n formulas."""
    from assay.sanity.subprocess_model import named

    return named(pytestconfig.getoption("--assay-loader"))(bundle_folder)


@pytest.fixture(scope="session")
def predict(pytestconfig: pytest.Config, bundle: Any) -> "Callable[[Sequence[str]], np.ndarray]":
    """Predict n formulas: (n,) floats in the target's unit, or probabilities for a class."""
    from assay.predictions import predictions_of

    meter = pytestconfig.stash[METER]

    def counted(formulas: "Sequence[str]") -> "np.ndarray":
        meter.add(len(formulas))
        return predictions_of(bundle.predict(list(formulas)), len(formulas), "the model")

    return counted


@pytest.fixture(scope="session")
def started_elsewhere(
    pytestconfig: pytest.Config,
    bundle_folder: Path,
    training_formulas: list[str],
    elements: list[str],
    sanity: "Sanity",
) -> "Iterator[Future[Answer]]":
    """The process of `elsewhere`, which the plugin starts before anything else is tested."""
    from concurrent.futures import ThreadPoolExecutor

    from assay.sanity.lookalikes import lookalikes
    from assay.sanity.subprocess_model import predict_elsewhere

    loader, root = pytestconfig.getoption("--assay-loader"), pytestconfig.rootpath
    some = training_formulas[:: max(1, len(training_formulas) // ROWS_ELSEWHERE)]
    alike = [one for pair in lookalikes(elements, sanity.seed) for one in pair]
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(predict_elsewhere, loader, bundle_folder, root, some, alike)


@pytest.fixture(scope="session")
def elsewhere(started_elsewhere: "Future[Answer]") -> "Answer":
    """What a process of its own predicts for some training formulas, and at what cost."""
    return started_elsewhere.result()


@pytest.fixture(scope="session")
def tolerance(sanity: "Sanity") -> float:
    """How far predictions may differ that should be equal, in the target's unit."""
    return sanity.tolerance


@pytest.fixture(scope="session")
def bounds(pytestconfig: pytest.Config) -> tuple[float, float]:
    """The physical bounds of a prediction, in the target's unit; 0 and 1 for a class."""
    found = settings_of(pytestconfig)
    if found is None:
        return float("-inf"), float("inf")
    target = found.target
    return (0.0, 1.0) if target.kind == "class" else (target.lower, target.upper)


@pytest.fixture(scope="session")
def element_value(pytestconfig: pytest.Config) -> float | None:
    """What every pure element has, in the target's unit, where the target defines it."""
    found = settings_of(pytestconfig)
    return None if found is None else found.target.element_value


@pytest.fixture(scope="session")
def builder(pytestconfig: pytest.Config, settings: "Settings") -> "Builder":
    """The author's `build_model`, which gives an unfitted estimator for a seed."""
    from assay.model.builder import load_builder
    from assay.repository import Repository

    build: Builder = load_builder(Repository(pytestconfig.rootpath, settings))
    return build


@pytest.fixture(scope="session")
def model_seed(pytestconfig: pytest.Config) -> int:
    """The seed that the model is trained with."""
    found = settings_of(pytestconfig)
    return 0 if found is None else found.model.seed


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
def training_groups(pytestconfig: pytest.Config, training_formulas: list[str]) -> list[str]:
    """The groups of the train set: chemical systems, unless `assay.toml` says otherwise."""
    import pandas as pd

    from assay.groups import SYSTEM, column_of, group_names
    from assay.layout import Layout
    from assay.tables import read_table

    found = settings_of(pytestconfig)
    group = SYSTEM if found is None else found.split.group
    column = column_of(group)
    rows = pd.DataFrame({"formula": training_formulas})
    if column is not None:
        rows = read_table(Layout(pytestconfig.rootpath).train, ["formula", column])
    return group_names(rows, group)


@pytest.fixture(scope="session")
def training_sample(
    pytestconfig: pytest.Config,
    training_formulas: list[str],
    training_targets: "np.ndarray",
    training_groups: list[str],
    sanity: "Sanity",
) -> "Sample":
    """At most 400 rows of whole groups, always the same ones, in two halves."""
    from assay.sanity.learning import draw_sample

    found = settings_of(pytestconfig)
    is_class = found is not None and found.target.kind == "class"
    target = training_targets.astype(int) if is_class else training_targets
    return draw_sample(training_formulas, target, SAMPLE_ROWS, sanity.seed, training_groups)


@pytest.fixture(scope="session")
def shuffled_skills(
    builder: "Builder", model_seed: int, training_sample: "Sample", sanity: "Sanity"
) -> "Skills":
    """What models know that were trained on six shuffles of the labels."""
    from assay.sanity.learning import skills

    return skills(builder, model_seed, training_sample, SHUFFLES, sanity.seed)
