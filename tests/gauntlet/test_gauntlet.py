"""The planted pull requests: enough of every kind, and what became of each is published."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchmarks.pages import FOLDER

from assay.sanity.suites import drawn_names, property_names
from assay.schema.demands import RULES, demanded, demanded_of_changes
from assay.settings import parse_settings
from gauntlet import counting, tables
from gauntlet.__main__ import RECORD, updated
from gauntlet.base import make_base
from gauntlet.cases import BENCHMARK, GOOD, REFUSED, Case, substituted
from gauntlet.families import all_cases
from gauntlet.harness import Outcome, run
from gauntlet.mutation import NO_CHECK, catchers, mutate
from gauntlet.second_lines import SECOND_LINES
from schema_samples import NUMBER, SETTINGS

nightly = pytest.mark.nightly("each planted case trains a model; `make gauntlet` runs them all")

# Warnings unless assay.toml says otherwise, which refuse nothing; a rule of yes/no targets, and
# those of groups that stand in a column, which the example's repository has none of.
UNPLANTED = {
    "formula.missing",
    *("corrections.shown", "history.copied", "history.duplicates", "history.renamed"),
    "history.rounded",
    *("formula.featurizable", "formula.reduced", "formula.oxidation", "formula.elements"),
    *(
        "history.labels",
        "history.settings",
        "history.size",
        "history.chemistry",
        "history.packages",
    ),
    *("history.attributes", "history.origin", "target.class", "workflows.of_template"),
    *("groups.present", "groups.one", "groups.extent", "history.groups", "leakage.group"),
}


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """The record of the last whole run."""
    content: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return content


def test_there_are_enough_of_every_kind() -> None:
    """At least sixty bad ones in eight families and fifteen good ones, each with its own name."""
    cases = all_cases()
    families = Counter(case.family for case in cases if case.caught_by != GOOD)
    assert len({case.name for case in cases}) == len(cases)
    assert len({case.sentence for case in cases}) == len(cases)
    assert families.total() >= 60
    assert len(families) >= 8
    assert sum(case.caught_by == GOOD for case in cases) >= 15


def test_every_rule_and_property_has_a_case() -> None:
    """Whatever fails by default is the named catcher of a planted case."""
    named = {case.caught_by for case in all_cases()}
    assert set(RULES) - UNPLANTED - named == set()
    assert set(property_names()) - named == set()
    assert UNPLANTED - set(RULES) == set()


def test_what_was_published_is_what_is_planted(record: dict[str, Any]) -> None:
    """The record is of these very cases; each was caught by its check, and no good one by any."""
    cases = all_cases()
    planted = [(case.name, case.family, case.sentence, case.caught_by) for case in cases]
    told = [
        tuple(one[key] for key in ("name", "family", "sentence", "planted"))
        for one in record["cases"]
    ]
    assert told == planted
    for case, one in zip(cases, record["cases"], strict=True):
        outcome = Outcome(one["caught_by"], one["verdict"], one["said"])
        assert outcome.suits(case), case.name


def test_every_check_that_caught_something_was_switched_off(record: dict[str, Any]) -> None:
    """The record tells of each such check whether anything passes without it."""
    checks = {check for one in record["cases"] for check in one["caught_by"]}
    assert {one["check"] for one in record["switched_off"]} == checks - NO_CHECK


def test_a_check_stops_something_alone_or_is_a_known_second_line(record: dict[str, Any]) -> None:
    """Without each check a planted case passes, except those that are said to be second lines."""
    idle = {one["check"] for one in record["switched_off"] if not one["case"]}
    assert idle == set(SECOND_LINES)
    assert all(one["instead"] for one in record["switched_off"] if not one["case"])


def test_each_count_was_taken_away_in_turn(record: dict[str, Any]) -> None:
    """The record has every rule and property that main demands, and no mutation of any passed."""
    settings = parse_settings(SETTINGS.format(target=NUMBER))
    demands = [demanded(settings), demanded_of_changes(settings, [0.0, 1.0, 2.0, 3.0])]
    rules = {(table, rule) for one in demands for table, names in one.items() for rule in names}
    counts = record["counts"]
    assert {(one["where"], one["name"]) for one in counts if one["check"] == "schema"} == rules
    properties = {one["name"] for one in counts if one["check"] == "sanity"}
    assert properties == set(property_names()) - counting.LEFT_TO_THE_MODEL
    assert {one["name"] for one in counts if one["check"] == "train"} == set(counting.TRAINING)
    drawn = set(drawn_names())
    for one in counts:
        assert one["dropped"] == counting.REFUSED, one
        whole = one["check"] == "sanity" and one["name"] not in drawn
        wanted = counting.NONE if whole or one["where"] in counting.UNCOUNTED else counting.REFUSED
        assert one["emptied"] == one["shortened"] == wanted, one


def test_what_few_checks_caught_is_tried_first() -> None:
    """A check is tried by what it caught alone, the last planted first; good cases by none."""
    shared, first, last = (Case(name, "f", "s", "columns") for name in ("shared", "first", "last"))
    good = Case("good", "f", "s", GOOD)
    caught = {"shared": ["columns", "target.bounds"], "first": ["columns"], "last": ["columns"]}
    tries = catchers([shared, first, last, good], caught | {"good": [REFUSED]})
    assert tries == {"columns": ["last", "first", "shared"], "target.bounds": ["shared"]}


def test_the_page_shows_the_record(record: dict[str, Any]) -> None:
    """The appendix holds the tables that the record gives."""
    pages = "".join(page.read_text(encoding="utf-8") for page in FOLDER.glob("gauntlet*.md"))
    for name, table in tables.tables(record).items():
        begin, end = tables.marks(name)
        assert f"{begin}\n{table}{end}" in pages


def test_a_smaller_run_replaces_its_cases_alone() -> None:
    """An updated record keeps the order of the cases, all others and what was switched off."""
    first, second, third = (case.name for case in all_cases()[:3])
    before = {
        "cases": [{"name": first, "verdict": "a"}, {"name": third, "verdict": "c"}],
        "switched_off": [{"check": "columns"}],
    }
    news = [{"name": third, "verdict": "new"}, {"name": second, "verdict": "b"}]
    after = updated(before, news)
    assert [one["verdict"] for one in after["cases"]] == ["a", "b", "new"]
    assert after["switched_off"] == before["switched_off"]


def test_an_outcome_suits_only_the_check_that_was_named() -> None:
    """Caught by another check, or not at all, is not as planted."""
    bad, good = Case("b", "f", "s", "target.bounds"), Case("g", "f", "s", GOOD)
    assert Outcome(["columns", "target.bounds"], "", "").suits(bad)
    assert not Outcome(["columns"], "", "").suits(bad)
    assert not Outcome([], "PASS", "").suits(bad)
    assert Outcome([], "PASS", "").suits(good)
    assert not Outcome([BENCHMARK], "INCONCLUSIVE", "").suits(good)


def test_a_case_that_plants_nothing_is_an_error(tmp_path: Path) -> None:
    """An edit whose text is not there raises, lest a case pass for another reason."""
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(ValueError, match=r"'two' stands 0 times in a\.txt"):
        substituted("a.txt", "two", "three")(tmp_path)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certified repository that cases are planted in; only read it."""
    return make_base(tmp_path_factory.mktemp("base"))


@nightly
@pytest.mark.slow
def test_cases_go_through_both_halves(base: Path, tmp_path: Path) -> None:
    """One case each that the data checks, the gate and nobody stops end as the record says."""
    chosen = {case.name: case for case in all_cases()}
    for name in ("sentinel", "forged-noise", "regularization"):
        (tmp_path / name).mkdir()
        assert run(chosen[name], base, tmp_path / name).suits(chosen[name]), name


@nightly
@pytest.mark.slow
def test_a_check_that_is_switched_off_lets_its_case_through(base: Path, tmp_path: Path) -> None:
    """Without a check its lone case passes; what a verb refuses as well is told with it."""
    chosen = {case.name: case for case in all_cases()}
    tries = {"target.bounds": ["not-measured", "bound-missed"], "row_id.present": ["id-missing"]}
    bounds, ids = mutate(chosen, tries, base, tmp_path, workers=2)
    assert (bounds.case, bounds.tried, bounds.instead) == ("bound-missed", 2, ["target.number"])
    assert (ids.case, ids.tried, ids.instead) == ("", 1, [REFUSED])
