"""What the properties ask of a model and its repository, as pytest fixtures of the session.

A repository of assay answers all of them. Elsewhere override `training_rows`, and whichever of
`bounds`, `element_value`, `sanity`, `model_seed` and `builder` apply; the model is named by
`--assay-loader` and `--assay-bundle`. What follows from the train set is in `training_fixtures`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.sanity.counts import METER

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np

    from assay.sanity.elsewhere import Answer
    from assay.sanity.learning import Builder
    from assay.sanity.policy import Sanity
    from assay.settings import Settings

SETTINGS = pytest.StashKey["Settings"]()
ROWS_ELSEWHERE = 200


def settings_of(config: pytest.Config) -> "Settings | None":
    """The settings in force, or None where there is no `assay.toml`."""
    from assay.mainline import in_force, settings_on_main
    from assay.settings import FILE_NAME, read_settings

    if not (config.rootpath / FILE_NAME).is_file():
        return None
    if SETTINGS not in config.stash:
        main = settings_on_main(config.rootpath)
        config.stash[SETTINGS] = in_force(read_settings(config.rootpath), main)
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
    from assay.sanity.elsewhere import named

    return named(pytestconfig.getoption("--assay-loader"))(bundle_folder)


@pytest.fixture(scope="session")
def predict(pytestconfig: pytest.Config, bundle: Any) -> "Callable[[Sequence[str]], np.ndarray]":
    """Predict n formulas: (n,) floats in the target's unit, or probabilities for a class."""
    from assay.replies import predictions_of

    meter = pytestconfig.stash[METER]

    def counted(formulas: "Sequence[str]") -> "np.ndarray":
        meter.add(len(formulas))
        return predictions_of(bundle.predict(list(formulas)), len(formulas), "the model")

    return counted


@pytest.fixture(scope="session")
def started_elsewhere(
    pytestconfig: pytest.Config, bundle_folder: Path, training_formulas: list[str]
) -> "Iterator[Future[Answer]]":
    """The process of `elsewhere`, which the plugin starts before anything else is tested."""
    from concurrent.futures import ThreadPoolExecutor

    from assay.sanity.elsewhere import predict_elsewhere

    loader, root = pytestconfig.getoption("--assay-loader"), pytestconfig.rootpath
    some = training_formulas[:: max(1, len(training_formulas) // ROWS_ELSEWHERE)]
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(predict_elsewhere, loader, bundle_folder, root, some)


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

    build: Builder = load_builder(pytestconfig.rootpath, settings)
    return build


@pytest.fixture(scope="session")
def model_seed(pytestconfig: pytest.Config) -> int:
    """The seed that the model is trained with."""
    found = settings_of(pytestconfig)
    return 0 if found is None else found.model.seed
