"""A few planted pull requests through the workflows: which, and how the reviewer's part is read."""

from collections import Counter
from pathlib import Path

import pytest

from acting import sealed_forge
from assay.records import Refusal
from assay.report.comment import render_comment
from assay.report.inputs import ReportInputs
from gauntlet.acts import altered_workflow, change, review
from gauntlet.cases import BENCHMARK, GOOD, REFUSED
from gauntlet.families import all_cases
from gauntlet.review import Review, passage
from gauntlet.selection import CHOSEN
from gauntlet.tables import acts
from report_samples import checks, finding, hand_over, settings, verdict
from workflow_rules import parse, read_texts

GREEN = {"schema": "success", "candidate": "success", "sanity": "success", "gate": "success"}


def comment(folder: Path, **records: object) -> str:
    """What is posted of these records."""
    return render_comment(ReportInputs(hand_over(folder, **records), settings()))


def test_every_family_is_there_by_names_that_exist() -> None:
    """Two or three bad cases of each family and three good ones; what a refusal says is told."""
    families = {case.family for case in all_cases()}
    counts = Counter(one.case.family for one in CHOSEN)
    assert set(counts) == families
    assert all(2 <= count <= 3 for count in counts.values()), counts
    assert counts["good"] == 3
    assert max(Counter(one.name for one in CHOSEN).values()) == 1
    for one in CHOSEN:
        assert bool(one.words) == (one.case.caught_by == REFUSED), one.name
        assert bool(one.job) == (one.case.forge is not None), one.name


def test_a_finding_is_named_by_its_own_line_alone(tmp_path: Path) -> None:
    """The comment's line of the planted rule is found; another's, or a warning, does not count."""
    found = finding(rule="target.bounds", message="-999 is out", file="data/train.csv", line=3)
    milder = finding(rule="columns", message="one column more", severity="warning")
    for number, rows in enumerate(([found], [found] * 3)):
        text = comment(tmp_path / str(number), schema=checks("schema", *rows, milder))
        assert passage("target.bounds", text) == "`data/train.csv:3` · `-999 is out`"
    for planted in ("target.number", "columns", "bounds"):
        assert not passage(planted, text), planted


def test_a_verdict_is_named_by_the_headline_alone(tmp_path: Path) -> None:
    """PASS names nothing bad, FAIL and INCONCLUSIVE nothing good, an error neither."""
    for number, outcome in enumerate(("PASS", "FAIL", "INCONCLUSIVE")):
        record = verdict(outcome=outcome, explanation="so it is")
        text = comment(tmp_path / str(number), verdict=record)
        named = {planted: passage(planted, text) for planted in (GOOD, BENCHMARK)}
        right = GOOD if outcome == "PASS" else BENCHMARK
        assert named.pop(right) == f"{outcome}: so it is"
        assert set(named.values()) == {""}
    text = comment(tmp_path / "error", verdict=None)
    assert not passage(GOOD, text) + passage(BENCHMARK, text)


def test_a_refusal_is_named_in_its_row(tmp_path: Path) -> None:
    """The reason stands in the row of what was refused; another, or no error, names nothing."""
    handover = hand_over(tmp_path / "a", schema=None, candidate=None, sanity=None, verdict=None)
    Refusal(said="train.csv is no table", exit_code=2).write(handover.refusal("schema"))
    text = render_comment(ReportInputs(handover, settings()))
    assert "`train.csv is no table`" in passage(REFUSED, text, "is no table")
    assert not passage(REFUSED, text, "build_model")
    text = comment(tmp_path / "b", sanity=checks("sanity", executed=0), verdict=None)
    assert "no property was checked" in passage(REFUSED, text, "no property was checked")
    assert not passage(REFUSED, comment(tmp_path / "c"), "12 rules checked")


def test_a_review_suits_what_was_planted_alone() -> None:
    """Red where nothing names the planted check, green where it is bad, and red where good: no."""
    passed = Review(GREEN, {"score": "success"}, "success", "PASS: so it is")
    failed = Review(GREEN, {"score": "failure"}, "failure", "FAIL: so it is")
    assert passed.suits(GOOD)
    assert not passed.suits(BENCHMARK)
    assert failed.suits(BENCHMARK)
    assert not failed.suits(GOOD)
    assert not Review(GREEN, {"score": "failure"}, "failure", "").suits(BENCHMARK)
    assert not Review(GREEN, {"score": "failure"}, "success", "PASS: so it is").suits(GOOD)


def test_the_table_shows_what_was_not_as_planted() -> None:
    """A row has the red jobs and what the reviewer reads; a stroke does not end its cell."""
    row = {"name": "n", "family": "f", "planted": "target.bounds", "status": "failure"}
    row |= {"gate": {"schema": "failure"}, "score": {"explain": "success"}}
    told = acts([row | {"named": "`a|b` is wrong", "as_planted": True}]).splitlines()[-1]
    assert told == r"| `n` | f | `target.bounds` | `schema` | failure | `a\|b` is wrong |"
    assert "**not as planted**" in acts([row | {"named": "", "as_planted": False}])


@pytest.mark.parametrize("job", ["candidate", "sanity"])
def test_an_altered_workflow_alters_before_it_hands_over(repository: Path, job: str) -> None:
    """The step of the pull request's own stands between the verb and the first upload."""
    chosen = next(one for one in CHOSEN if one.job == job)
    altered_workflow(chosen)(repository)
    workflow = parse(read_texts(repository))[f"reusable-{job}.yml"]
    steps = [step.get("run") or step["uses"] for _, step in workflow.steps]
    place = next(n for n, step in enumerate(steps) if "alter.py" in step)
    assert ".venv/bin/assay" in steps[place - 1]
    assert "upload-artifact" in steps[place + 1]


@pytest.mark.nightly("test_workflows_act.py has a red check of the data, too, on every push")
@pytest.mark.slow
def test_a_reviewer_is_told_of_a_planted_row(rendered: Path, tmp_path: Path) -> None:
    """A label of -999 turns the real workflows red, and the comment shows the row."""
    chosen = next(one for one in CHOSEN if one.name == "sentinel")
    with sealed_forge(rendered, tmp_path) as world:
        pull = world.open_pull(chosen.name, change(chosen, world), chosen.case.message)
        told = review(chosen, world, pull)
    assert told.suits(chosen.case.caught_by), told
    assert told.gate == {"schema": "failure"}
    assert "-999" in told.named
    assert not told.suits(GOOD)
