"""pytest plugin: a pinned Hypothesis profile, the properties in two suites, and a record of them.

`tests/conftest.py` names it, so that plain `pytest` runs `assay.sanity.properties` beside the
repository's own tests. Elsewhere, a test file imports the properties that it wants from there; see
`assay.sanity.fixtures` for what they then ask.
"""

import inspect
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.processes import Lifeline
from assay.sanity.counts import COUNTS, METER, Meter, counted, limits, outcome
from assay.sanity.fixtures import *  # noqa: F403 (fixtures of this plugin)  # noqa: F403
from assay.sanity.fixtures import sanity_of, settings_of
from assay.sanity.subprocess_model import LOADER
from assay.sanity.suites import FOLDER, MARKER, WITHHOLD, property_files

OUTCOMES = pytest.StashKey[list[dict[str, Any]]]()
LIFELINE = pytest.StashKey["Lifeline | None"]()
COLLECTED = pytest.StashKey[list[dict[str, Any]]]()
UNREADABLE = pytest.StashKey[list[dict[str, str]]]()
SKIPPED = pytest.StashKey[dict[str, str]]()
RAISED = pytest.StashKey[bool]()
# hooks by which a repository may decide how a test ends
DECIDING = ("pyfunc_call", "runtest_protocol", "runtest_call", "runtest_makereport")
HINDERING = ("skip", "skipif", "xfail")

pytest.register_assert_rewrite("assay.sanity.properties", "assay.sanity.assertions")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which `assay sanity` names the model and the record."""
    group = parser.getgroup("assay")
    group.addoption("--assay-bundle", help="folder of the model bundle (default: out/bundle)")
    group.addoption(
        "--assay-loader", default=LOADER, help="module:function that loads a model from the folder"
    )
    group.addoption("--assay-record", help="file to write the results of each test to, as JSON")
    group.addoption(
        "--assay-lifeline", type=int, help="end with the process at the other end of this pipe"
    )
    group.addoption(
        "--assay-own",
        action="store_true",
        help="run the repository's own tests; collect the properties of assay without running them",
    )


@pytest.hookimpl(tryfirst=True)  # Hypothesis reads its seed when it is configured
def pytest_configure(config: pytest.Config) -> None:
    """Pin Hypothesis, and let plain `pytest` collect the properties of assay, too."""
    from hypothesis import settings

    sanity = sanity_of(config)
    settings.register_profile(
        "assay",
        derandomize=False,  # the seed does it, and can be told, and be another one
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        max_examples=sanity.examples,
    )
    settings.load_profile("assay")
    if getattr(config.option, "hypothesis_seed", None) is None:
        config.option.hypothesis_seed = str(sanity.seed)  # the number 0 would be none
    config.addinivalue_line("markers", f"{MARKER}: trains models; last, and only if all else holds")
    config.stash[OUTCOMES], config.stash[COLLECTED] = [], []
    config.stash[METER] = Meter()
    reading = config.getoption("--assay-lifeline")
    is_worker = hasattr(config, "workerinput")  # of xdist, which inherits no pipe
    config.stash[LIFELINE] = None if reading is None or is_worker else Lifeline(reading)
    config.stash[UNREADABLE], config.stash[SKIPPED] = [], {}
    config.pluginmanager.register(_Collecting(config.stash[UNREADABLE], config.stash[SKIPPED]))
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and settings_of(config):
        config.args.extend(map(str, property_files()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow suite last, and start the other process first, to run beside the rest."""
    items.sort(key=_is_slow)
    asked = [item.fixturenames for item in items if isinstance(item, pytest.Function)]
    if any("elsewhere" in names for names in asked) and not config.getoption("--assay-own"):
        asked[0].insert(0, "started_elsewhere")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note how the properties of assay would be run beside the repository's own tests."""
    if not session.config.getoption("--assay-own"):
        return
    kit = [item for item in session.items if item.path.parent == FOLDER]
    session.config.stash[COLLECTED] = [
        {
            "name": item.name,
            "marks": [mark.name for mark in item.iter_markers() if mark.name in HINDERING],
            **limits(item),
        }
        for item in kit
    ]
    session.items[:] = [item for item in session.items if item not in kit]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Count what the test draws and what it has predicted, and note whether it raised an error."""
    item.stash[RAISED] = True
    with counted(item):
        try:
            yield
        except (pytest.skip.Exception, pytest.xfail.Exception):
            item.stash[RAISED] = False
            raise
    item.stash[RAISED] = False


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker(MARKER) is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Withhold the slow suite once anything faster has failed, here or in the other run."""
    if _is_slow(item) and (_is_withheld(item.config) or _is_told_to_withhold(item.config)):
        pytest.skip("something of the fast suite failed")


def _is_withheld(config: pytest.Config) -> bool:
    return bool(config.stash[UNREADABLE]) or any(
        test["outcome"] == "failed" and test["severity"] == "failure" and not test["slow"]
        for test in config.stash[OUTCOMES]
    )


def _is_told_to_withhold(config: pytest.Config) -> bool:
    """Whether the properties of assay, which run beside the author's tests, have failed."""
    lifeline = config.stash[LIFELINE]
    if not config.getoption("--assay-own") or lifeline is None:
        return False
    return lifeline.word() == WITHHOLD


def _severity(item: pytest.Item) -> str:
    found = settings_of(item.config)
    name = getattr(item, "originalname", item.name)
    return "failure" if found is None else found.severity.get(name, "failure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record how each test ended, with the falsifying example if there is one."""
    report: pytest.TestReport = yield
    if report.when == "call" or report.outcome != "passed":
        item.config.stash[OUTCOMES].append(
            outcome(item, call, report)
            | {"slow": _is_slow(item), "severity": _severity(item)}
            | {"function": getattr(item, "originalname", item.name), **limits(item)}
            | {"raised": report.when == "call" and item.stash.get(RAISED, False)}
            | item.stash.get(COUNTS, {})
        )
    return report


class _Collecting:
    """A plugin of its own, since pytest's hook is not given the configuration."""

    def __init__(self, unreadable: list[dict[str, str]], skipped: dict[str, str]) -> None:
        """Add to `unreadable` and `skipped`."""
        self._unreadable, self._skipped = unreadable, skipped

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be collected, or asks to be skipped."""
        if report.skipped:
            where: Any = report.longrepr
            self._skipped[report.nodeid] = str(where[2] if isinstance(where, tuple) else where)
        if report.failed:
            self._unreadable.append({"file": report.nodeid, "message": report.longreprtext})


def _deciding(config: pytest.Config) -> Iterator[dict[str, Any]]:
    """Hooks of the repository's own that decide how a test ends, with their lines."""
    for name in (f"pytest_{short}" for short in DECIDING):
        for hook in getattr(config.hook, name).get_hookimpls():
            code: Any = getattr(inspect.unwrap(hook.function), "__code__", None)
            path = Path(code.co_filename) if code else Path()
            installed = "site-packages" in path.parts or path.is_relative_to(FOLDER.parents[1])
            if path.is_relative_to(config.rootpath) and not installed:
                file = path.relative_to(config.rootpath).as_posix()
                yield {"name": name, "file": file, "line": code.co_firstlineno}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record, and whether the slow suite was withheld."""
    from assay.files import write_text

    config = session.config
    path = config.getoption("--assay-record")
    if path:
        content = {
            "tests": config.stash[OUTCOMES],
            "collected": config.stash[COLLECTED],
            "unreadable": config.stash[UNREADABLE],
            "skipped": config.stash[SKIPPED],
            "hooks": list(_deciding(config)),
            "withheld": _is_withheld(config),
        }
        write_text(Path(path), json.dumps(content))
