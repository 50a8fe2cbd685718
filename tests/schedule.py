"""Which tests run when: the longest files first, and some only when their inputs have changed.

`tests/durations.json` has the seconds of each test file, and `tests/inputs.json` a digest of the
inputs of each file of `INPUTS`; `make test-all` writes both when every test has passed.
"""

import hashlib
import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from once import waited

ROOT = Path(__file__).parents[1]
DURATIONS = ROOT / "tests" / "durations.json"
DIGESTS = ROOT / "tests" / "inputs.json"
LONG = 10.0  # seconds, from which on a file is slow as a whole

WHOLE = ("", "not wide")  # the marks that leave out no test of these files

# Each is an input of every file below: what is installed, and what all tests share.
SHARED = (
    "requirements-dev.lock",
    "<<cookiecutter.project>>/requirements.lock",
    "tests/conftest.py",
    "tests/schedule.py",
    "tests/toy.py",
)
CLUSTERS = (
    "src/assay/batch/*.py",
    "src/assay/processes.py",
    "tests/batch/*.py",
    "tests/dask_machines.py",
)
# Of these, all that is imported at any distance is an input: tests/test_schedule.py sees to it.
FEATURES = (
    "src/assay/*.py",
    "src/assay/features/*.*",
    "src/assay/sanity/*.py",
    "tests/features/*.*",
)
PURE = {
    "tests/features/test_column_statistics.py": FEATURES,
    "tests/features/test_interface.py": (
        *FEATURES,
        "src/assay/model/*.py",
        "scripts/golden_features.py",
    ),
    "tests/features/test_ionic.py": FEATURES,
    "tests/features/test_parsing.py": FEATURES,
    "tests/features/test_plugged.py": FEATURES,
    "tests/features/test_transformers.py": FEATURES,
    "tests/model/test_walks.py": (*FEATURES, "src/assay/model/*.py", "tests/forests.py"),
    "tests/sanity/test_strategies.py": ("src/assay/*.py", "src/assay/sanity/*.py"),
}
# What `make test` leaves out while the files that it depends on are those of the last whole run.
INPUTS = {
    "tests/batch/test_clusters.py": CLUSTERS,
    "tests/batch/test_parts.py": (*CLUSTERS, "src/assay/verbs/*.py"),
    "tests/batch/test_queues.py": (*CLUSTERS, "<<cookiecutter.project>>/slurm.yaml"),
    "tests/batch/test_row_numbers.py": (
        "src/assay/batch/*.py",
        "src/assay/features/*.*",
        "src/assay/model/*.py",
        "src/assay/*.py",
        "tests/row_oracle.py",
    ),
    "tests/report/test_browser.py": (
        "src/assay/report/*.*",
        "src/assay/gate/*.py",
        "tests/accessibility/package-lock.json",
        "tests/report_samples.py",
    ),
    **PURE,
}


def digest(root: Path, patterns: Iterable[str]) -> str:
    """The SHA-256 of the names and contents of all files that the patterns find below `root`."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    total = hashlib.sha256()
    for path in sorted(found):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def digests(root: Path, inputs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The digest of the inputs of each test file, of which it is one itself."""
    return {file: digest(root, (file, *SHARED, *found)) for file, found in inputs.items()}


def unchanged(root: Path, inputs: Mapping[str, Sequence[str]], record: Path) -> set[str]:
    """The test files whose inputs are those of the record; none where there is no record."""
    before = read(record)
    return {file for file, now in digests(root, inputs).items() if before.get(file) == now}


def read(record: Path) -> dict[str, str]:
    """What a record holds by test file, or nothing."""
    found: dict[str, str] = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    return found


def file_of(node: str) -> str:
    """The test file of a node id."""
    return node.partition("::")[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make test` and `make test-all` ask for."""
    group = parser.getgroup("assay")
    group.addoption(
        "--changed",
        action="store_true",
        help="leave out files whose inputs are those of tests/inputs.json",
    )
    group.addoption(
        "--record",
        action="store_true",
        help="write tests/durations.json and tests/inputs.json if all tests pass",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Count the seconds in the process that hears of every test."""
    if not config.getoption("--record") or hasattr(config, "workerinput"):
        return
    if config.option.keyword or config.option.markexpr not in WHOLE or "::" in "".join(config.args):
        raise pytest.UsageError("--record is for whole files: leave out -k, -m and single tests.")
    config.pluginmanager.register(Recorder())


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is left out."""
    if not config.getoption("--changed"):
        return None
    left = sorted(unchanged(ROOT, INPUTS, DIGESTS))
    return f"left out, as their inputs have not changed: {', '.join(left) or 'none'}"


@pytest.hookimpl(tryfirst=True)  # before marks are asked for
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, and with those of which nothing is known."""
    seconds = {file: float(text) for file, text in read(DURATIONS).items()}
    for item in items:
        mark = item.get_closest_marker("nightly")
        if mark and not mark.args:
            raise pytest.UsageError(f"{item.nodeid}: say why in pytest.mark.nightly(reason).")
        if seconds.get(file_of(item.nodeid), 0.0) > LONG:
            item.add_marker(pytest.mark.slow)
    if config.getoption("--changed"):
        left = unchanged(ROOT, INPUTS, DIGESTS)
        config.hook.pytest_deselected(items=[i for i in items if file_of(i.nodeid) in left])
        items[:] = [item for item in items if file_of(item.nodeid) not in left]
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), sys.maxsize))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Charge no test with what was made for all."""
    report = yield
    report.duration = max(0.0, report.duration - sum(waited))
    waited.clear()
    return report


class Recorder:
    """Adds up the seconds of each test file, and writes the records in the end."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: dict[str, float] = {}
        self.skipped: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        file = file_of(report.nodeid)
        self.seconds[file] = self.seconds.get(file, 0.0) + report.duration
        if report.skipped:
            self.skipped.add(file)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write both records, the digests of those files alone of which no test was skipped."""
        if exitstatus != pytest.ExitCode.OK:
            return
        write(DURATIONS, {file: round(spent, 1) for file, spent in self.seconds.items()})
        whole = set(INPUTS) & set(self.seconds) - self.skipped
        write(DIGESTS, digests(ROOT, {file: INPUTS[file] for file in whole}))


def write(record: Path, news: Mapping[str, object]) -> None:
    """Put what is new beside what a record holds of other test files that are still there."""
    kept = {file: old for file, old in read(record).items() if (ROOT / file).is_file()}
    text = json.dumps({**kept, **news}, indent=1, sort_keys=True)
    record.write_text(text + "\n", encoding="utf-8")
