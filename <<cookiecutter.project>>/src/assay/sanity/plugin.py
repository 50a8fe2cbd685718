"""pytest plugin: Hypothesis profile, fixtures for properties of a model, and a record of results.

`tests/conftest.py` names it, so that plain `pytest` runs `assay.sanity.properties` beside the
repository's own tests.
"""

import json
import re
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from assay.settings import Settings

PROPERTIES = Path(__file__).with_name("properties.py")
UNREADABLE: list[dict[str, str]] = []
RECORDS = pytest.StashKey[list[dict[str, Any]]]()

pytest.register_assert_rewrite("assay.sanity.properties")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which `assay sanity` names the bundle and the record."""
    group = parser.getgroup("assay")
    group.addoption("--assay-bundle", help="folder of the model bundle (default: out/bundle)")
    group.addoption("--assay-record", help="file to write the results of each test to, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Pin Hypothesis, and let plain `pytest` collect the properties of assay, too."""
    from hypothesis import settings

    settings.register_profile(
        "assay",
        derandomize=True,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        max_examples=_settings(config).sanity.examples,
    )
    settings.load_profile("assay")
    config.stash[RECORDS] = []
    UNREADABLE.clear()
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.args.append(str(PROPERTIES))


def _settings(config: pytest.Config) -> "Settings":
    from assay.settings import read_settings

    return read_settings(config.rootpath)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record how each test ended, with the falsifying example if there is one."""
    report: pytest.TestReport = yield
    if report.when == "call" or report.outcome != "passed":
        item.config.stash[RECORDS].append(_record(item, call, report))
    return report


def _record(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> dict[str, Any]:
    error = _innermost(call.excinfo.value) if call.excinfo else None
    path, line, _ = item.location
    documentation = getattr(getattr(item, "function", None), "__doc__", None)
    return {
        "name": item.name,
        "node": f"{path}::{item.name}",
        "file": path,
        "line": (line or 0) + 1,
        "outcome": report.outcome,
        "stage": report.when,
        "property": (documentation or item.name).strip().split("\n")[0],
        "properties": dict(item.user_properties),
        **({} if error is None else _explained(error)),
    }


def _innermost(error: BaseException) -> BaseException:
    """The first single exception; Hypothesis groups them when a failure is not repeatable."""
    while isinstance(error, BaseExceptionGroup):
        notes = getattr(error, "__notes__", [])
        error = error.exceptions[0]
        for note in notes:
            error.add_note(note)
    return error


def _explained(error: BaseException) -> dict[str, Any]:
    notes = "\n".join(getattr(error, "__notes__", []))
    blob = re.search(r"@reproduce_failure\(.*\)", notes)
    formula = getattr(error, "formula", None)
    return {
        "message": str(error) or type(error).__name__,
        "formula": _first_formula(notes) if formula is None else formula,
        "value": getattr(error, "value", None),
        "example": notes,
        "reproduction": blob.group(0) if blob else None,
    }


def _first_formula(notes: str) -> str | None:
    """The first quoted text in a falsifying example that can be read as a formula."""
    from assay.compositions import problem

    quoted = (text[1:-1] for text in re.findall(r"'[^'\n]*'|\"[^\"\n]*\"", notes))
    return next((text for text in quoted if problem(text) is None), None)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that cannot be collected."""
    if report.failed:
        UNREADABLE.append({"file": report.nodeid, "message": report.longreprtext})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record."""
    from assay.files import write_text

    path = session.config.getoption("--assay-record")
    if path:
        content = {"tests": session.config.stash[RECORDS], "unreadable": UNREADABLE}
        write_text(Path(path), json.dumps(content))


@pytest.fixture(scope="session")
def settings(pytestconfig: pytest.Config) -> "Settings":
    """The content of `assay.toml`."""
    return _settings(pytestconfig)


@pytest.fixture(scope="session")
def bundle(pytestconfig: pytest.Config, settings: "Settings") -> Any:
    """The loaded bundle under test; without one, tests that need it are skipped."""
    from assay.model import bundle as module

    named = pytestconfig.getoption("--assay-bundle")
    folder = Path(named) if named else pytestconfig.rootpath / "out" / "bundle"
    if not named and not folder.is_dir():
        pytest.skip("there is no bundle at out/bundle: run `assay train` first")
    return module.load_bundle(folder, settings.model.trusted_types)


@pytest.fixture(scope="session")
def predict(bundle: Any) -> "Callable[[Sequence[str]], np.ndarray]":
    """Predict n formulas: (n,) floats in the target's unit, or probabilities for a class."""
    import numpy as np

    return lambda formulas: np.asarray(bundle.predict(list(formulas)))


@pytest.fixture(scope="session")
def training_rows(pytestconfig: pytest.Config, settings: "Settings") -> "pd.DataFrame":
    """The train set: `row_id`, `formula`, and the target as numbers."""
    from assay.layout import Layout
    from assay.tables import read_numbers, read_table

    path, target = Layout(pytestconfig.rootpath).train, settings.target.column
    frame = read_table(path, ["row_id", "formula", target])
    return frame.assign(**{target: read_numbers(frame, target, path)})


@pytest.fixture(scope="session")
def training_formulas(training_rows: "pd.DataFrame") -> list[str]:
    """The formulas of the train set."""
    return list(training_rows["formula"])


@pytest.fixture(scope="session")
def training_targets(training_rows: "pd.DataFrame", settings: "Settings") -> "np.ndarray":
    """The targets (n,) of the train set."""
    return training_rows[settings.target.column].to_numpy()


@pytest.fixture(scope="session")
def elements(bundle: Any) -> list[str]:
    """The elements that the model was trained on, by atomic number."""
    from pymatgen.core import Element

    return sorted(bundle.metadata.elements, key=lambda symbol: Element(symbol).Z)


@pytest.fixture(scope="session")
def unknown_elements(elements: list[str]) -> list[str]:
    """Elements outside of the train set for which matminer's Magpie table has gaps."""
    from pymatgen.core import Element

    from assay.features import missing_properties

    symbols = [Element.from_Z(number).symbol for number in range(1, 119)]
    return [s for s in symbols if s not in elements and missing_properties(s)]


@pytest.fixture(scope="session")
def tolerance(settings: "Settings") -> float:
    """How far predictions may differ that should be equal, in the target's unit."""
    return settings.sanity.tolerance


@pytest.fixture(scope="session")
def bounds(settings: "Settings") -> tuple[float, float]:
    """The physical bounds of a prediction, in the target's unit; 0 and 1 for a class."""
    if settings.target.kind == "class":
        return 0.0, 1.0
    return settings.target.lower, settings.target.upper
