"""A property that did not run, or ran on fewer examples than demanded, is never reported as run."""

# ruff: noqa: F401, F811 (fixtures are imported)

import textwrap
from pathlib import Path
from typing import Any

import planted
import pytest
from test_sanity import check, few, kit, own, rules, toy

from assay.records import CheckReport
from assay.sanity.shortfalls import causes, hindered, kit_shortfalls, own_shortfalls
from assay.sanity.suites import FOLDER, drawn_names, property_names

slow = pytest.mark.slow
DRAWN = frozenset(drawn_names())

CONFTEST = """
import pytest
from hypothesis import settings

pytest_plugins = ["assay.sanity.plugin"]


def pytest_configure(config):
    settings.register_profile("quick", max_examples={examples})
    settings.load_profile("quick")


@pytest.fixture
def salt():
    return "NaCl"
"""
HOOK = """

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "threads" in item.name:
            item.add_marker(pytest.mark.xfail(reason="flaky"))
"""
OWN = """
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@given(number=st.integers())
def test_of_the_profile(number):
    assert isinstance(number, int)


@settings(max_examples=5)
@given(number=st.integers())
def test_of_its_own_limit(number):
    assert isinstance(number, int)


@given(flag=st.booleans())
def test_of_two_examples(flag):
    assert flag in (True, False)


@pytest.mark.xfail(reason="next week")
def test_expected_to_fail(predict, salt):
    assert predict([salt])[0] > 1000
"""
# what weighs 300 more for compounds of lithium and oxygen: one of very few examples shows it
PLANTED = "def answer(formula): return weight(formula) + 300 * formula.startswith(('Li', 'O'))"
PATCHED = """
import gc
from hypothesis import settings

for test in gc.get_objects():
    if callable(test) and getattr(test, "is_hypothesis_test", False) is True:
        test._hypothesis_internal_use_settings = settings(max_examples=2, database=None)


def answer(formula):
    return weight(formula)
"""


def counts_of(report: CheckReport) -> dict[str, Any]:
    """The counts of a report, by the names of tests."""
    return {tally.name: tally for tally in report.tallies}


@slow
def test_a_profile_of_one_example_hides_nothing(toy: Path) -> None:
    """The author's conftest reaches no property of assay; what it weakens of its own is named."""
    (toy / "tests" / "conftest.py").write_text(CONFTEST.format(examples=1) + HOOK)
    (toy / "tests" / "test_own.py").write_text(OWN)
    report = check(toy, planted.SOUND)
    counts = counts_of(report)
    assert {counts[name].examples for name in drawn_names(("spelling", "repetition"))} == {15}
    # the hook would leave test_threads_agree without a say, wherever plain pytest is run
    profiled = {"test_of_the_profile", "test_of_two_examples"}
    assert rules(report) == {*profiled, "test_threads_agree"}
    told = {finding.rule: finding.message for finding in report.findings}
    assert "tests/conftest.py, line 10: load_profile" in told["test_of_the_profile"]
    assert "xfail" in told["test_threads_agree"]
    assert "test_expected_to_fail" in told
    assert "hypothesis.profile" in told
    assert counts["test_of_its_own_limit"].examples == 5
    assert "test_expected_to_fail" not in counts


@pytest.mark.nightly("the test above shows that all examples are drawn, one of which suffices")
@slow
def test_a_profile_of_one_example_hides_no_fault(kit: Path) -> None:
    """A model whose fault one example would hide is red by the properties themselves."""
    (kit / "tests" / "conftest.py").write_text(CONFTEST.format(examples=1))
    assert "test_order_of_elements_does_not_matter" in rules(check(kit, PLANTED))


@slow
def test_code_of_the_model_that_limits_examples_is_seen(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the model's code does to Hypothesis in the process, the counts come out too low."""
    few(monkeypatch, "repetition", "refusal")
    (kit / "out" / "bundle" / "answer.py").write_text(textwrap.dedent(PATCHED))
    report = check(kit, PATCHED)
    assert set(drawn_names(("repetition", "refusal"))) - {
        "test_elements_without_properties_are_refused"
    } <= rules(report)


@slow
def test_a_conftest_that_adds_is_left_alone(own: Path) -> None:
    """A fixture, a profile of more examples, options and a limit of one's own refuse nothing."""
    (own / "tests" / "conftest.py").write_text(CONFTEST.format(examples=40))
    (own / "tests" / "test_own.py").write_text(OWN.partition("@pytest.mark.xfail")[0])
    report = check(own, planted.SOUND)
    assert report.findings == []
    assert counts_of(report)["test_of_the_profile"].examples == 40
    assert counts_of(report)["test_of_two_examples"].exhausted
    assert counts_of(report)["test_order_of_elements_does_not_matter"].examples == 15


def passed(name: str, **fields: Any) -> dict[str, Any]:
    """What a run leaves of a property of assay that passed on all of 25 examples."""
    counts = {"examples": 25, "rejected": 0, "exhausted": False} if name in DRAWN else {}
    told = {"outcome": "passed", "xfail": None, "stage": "call", "path": str(FOLDER / "x.py")}
    limits = {"own": False, "limit": 25, "profile": "assay", "marks": [], "skipped": ""}
    limits |= {"severity": "failure"}
    place = {"file": "tests/test_own.py", "line": 3}
    return {"name": name, **told, **limits, **counts, **place, **fields}


@pytest.mark.parametrize("name", property_names())
def test_every_property_is_missed_however_it_goes(name: str) -> None:
    """Each property, one by one: dropped, skipped, xfailed, emptied, shortened, of another file."""
    whole = [passed(one) for one in property_names()]

    def found(*others: dict[str, Any]) -> set[str]:
        run = [*(test for test in whole if test["name"] != name), *others]
        short = kit_shortfalls(run, property_names(), DRAWN, 25, lambda: "")
        return {finding.rule for finding in short if finding.severity == "failure"}

    assert found(passed(name)) == set()
    assert found() == {name}
    for change in ({"outcome": "skipped"}, {"xfail": ""}, {"path": "tests/test_x.py"}):
        assert found(passed(name, **change)) == {name}, change
    if name in DRAWN:
        for examples in (None, 0, 1, 24):
            assert found(passed(name, examples=examples)) == {name}, examples
        assert found(passed(name, examples=3, exhausted=True)) == set()
    left = [test for test in whole if test["name"] != name]
    assert [one.rule for one in hindered(left, property_names(), 25, lambda: "")] == [name]
    marked = [*left, passed(name, marks=["skip"])]
    assert [one.rule for one in hindered(marked, property_names(), 25, lambda: "")] == [name]


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({}, None),
        ({"examples": 1, "limit": 1}, "failure"),
        ({"examples": 1, "limit": 1, "severity": "warning"}, "warning"),
        ({"examples": 1, "limit": 1, "own": True}, None),
        ({"examples": 0, "limit": 0}, "failure"),
        ({"examples": 9, "rejected": 200}, "warning"),
        ({"examples": 2, "exhausted": True}, None),
        ({"outcome": "skipped", "skipped": "later"}, "warning"),
        ({"xfail": "later"}, "warning"),
        ({"outcome": "failed", "examples": 1, "limit": 1}, None),
    ],
)
def test_own_tests_that_prove_less_are_named(change: dict[str, Any], severity: str) -> None:
    """A limit from afar fails; the author's own, a skip and a lack of examples do not."""
    test = passed("test_order_of_elements_does_not_matter", **change)
    found = list(own_shortfalls([test], 25, lambda: "tests/conftest.py"))
    assert [finding.severity for finding in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("file", "line", "word"),
    [
        ("tests/conftest.py", "    settings.load_profile('quick')", "load_profile"),
        ("tests/conftest.py", "def pytest_runtest_protocol(item):", "pytest_runtest_protocol"),
        ("tests/conftest.py", "collect_ignore_glob = ['*']", "collect_ignore_glob"),
        ("tests/conftest.py", "    item.add_marker(pytest.mark.xfail)", "xfail"),
        ("tests/conftest.py", "hypothesis.given = lambda **_: lambda f: f", "hypothesis.given"),
        ("tests/conftest.py", "os.environ['PYTEST_ADDOPTS'] = ''", "PYTEST_ADDOPTS"),
        ("tests/inner/conftest.py", "suppress_health_check=list(HealthCheck)", "suppress_health"),
        ("pyproject.toml", 'addopts = ["--deselect=x"]', "--deselect"),
        ("pyproject.toml", 'addopts = "-p no:hypothesispytest"', "no:hypothesispytest"),
        ("pytest.ini", "addopts = -k 'not threads'", "-k"),
        ("src/toy/model.py", "settings(max_examples=1)", "max_examples"),
    ],
)
def test_what_is_to_blame_is_named_with_its_line(
    tmp_path: Path, file: str, line: str, word: str
) -> None:
    """The file, the line and the word are told, and nothing of a comment."""
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# xfail -k --deselect\n{line}\n")
    assert causes(tmp_path).startswith(f"{file}, line 2: ")
    assert word in causes(tmp_path)
    path.write_text("# xfail\n")
    assert causes(tmp_path) == ""
