"""`assay plan`: what it says, what it draws, and that it never looks at a sealed label."""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from assay import cli
from assay.errors import UsageError
from assay.layout import Handover, Layout
from assay.planning.assumptions import GivenAssumptions
from assay.planning.chances import Need, Plan, TableSize, differences
from assay.planning.plan import PlanOptions, make_plan, require_budget
from assay.planning.text import plan_text, power_curve
from assay.repository import Repository, read_repository
from assay.settings import Settings, parse_settings
from sentences import told
from toy import MARGIN, SETTINGS, change_card, make, read_card

KNOWN = parse_settings(SETTINGS)
QUICK = PlanOptions(trials=8, given=GivenAssumptions(error=1.0, change=0.2))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The toy without any label of its sealed set, and without a trained model."""
    root = make(tmp_path_factory.mktemp("plan") / "toy")
    Layout(root).open_labels.unlink()
    return root


@pytest.fixture(scope="module")
def known(bare) -> Plan:
    """A quick plan for it."""
    return make_plan(read_repository(bare), QUICK)


def test_plan_describes_the_repository_without_its_labels(bare, known):
    """Sizes are those of the tables, whose sealed labels are not there to be read."""
    assert not Layout(bare).open_labels.exists()
    lines = Layout(bare).sealed_inputs.read_text().splitlines()
    assert known.sealed.rows == len(lines) - 1
    assert known.sealed.effective < known.sealed.groups < known.sealed.rows
    assert known.margin == MARGIN


def test_points_cover_the_margins_and_the_claims(known):
    """No difference, half, one and two margins either way, and a tenth of the error."""
    plain = [p.difference for p in known.points if p.claim == "no-regression"]
    for multiple in (-2, -1, -0.5, 0, 0.5, 1, 2):
        assert min(abs(d - multiple * MARGIN) for d in plain) < 1e-9
    assert plain == sorted(plain)
    claimed = [p.difference for p in known.points if p.claim == "improvement"]
    assert claimed == [d for d in plain if d <= 0]
    for point in (*known.points, *known.life, *known.by_change):
        assert point.passed + point.failed + point.undecided == pytest.approx(1)
        assert point.passed <= point.opened + point.unchanged + 1e-9
        assert 0 < point.error(point.passed) < 0.2


def test_a_tenth_of_the_error_is_listed_once():
    """A margin that is a rounded tenth of the error is not taken for another difference."""
    assert len(differences(0.0144, 0.14394)) == 7
    assert len(differences(0.0144, 0.2)) == 9


def test_plan_is_repeatable(bare, known):
    """The same seed gives the same record, whatever else was drawn before."""
    assert make_plan(read_repository(bare), QUICK) == known


def test_later_uses_are_at_lower_levels(bare):
    """A plan for a later use and after disagreements is made at its level."""
    options = PlanOptions(trials=2, given=QUICK.given, use=20, disagreements=2)
    later = make_plan(read_repository(bare), options)
    assert later.level < 0.025 / 100 / 2 / 100
    assert {(p.use, p.disagreements) for p in later.points} == {(20, 2)}
    assert later.life[0].use == 1


def test_error_is_that_of_the_trained_model(toy):
    """Where a model was trained, its public error is the champion's."""
    found = make_plan(read_repository(toy), PlanOptions(trials=2))
    assert found.error == read_card(Handover(Layout(toy).out)).metrics["mae"]
    change_card(Handover(Layout(toy).out), metrics={"mae": 3.0, "rmse": 4.0})
    found = make_plan(read_repository(toy), PlanOptions(trials=2))
    assert found.error == 3.0
    assert "out/candidate" in plan_text(found)


def test_error_follows_from_the_margin_before_a_model_is_trained(bare):
    """`init` makes the margin 10 % of the error where fewer than 1,000 rows are sealed."""
    found = make_plan(read_repository(bare), PlanOptions(trials=2))
    assert found.error == pytest.approx(10 * MARGIN)
    wider = make_plan(read_repository(bare), PlanOptions(trials=2, margin=0.3))
    assert (wider.margin, wider.error) == (0.3, found.error)


@contextmanager
def answers(root: Path, *cycle: int) -> Iterator[Settings]:
    """The toy with yes/no answers in the place of its energies, for a while; its settings."""
    table = Layout(root).train
    before = table.read_text()
    header, *rows = before.splitlines()
    said = [
        f"{row.rsplit(',', 1)[0]},{yes}"
        for row, yes in zip(rows, itertools.cycle(cycle), strict=False)
    ]
    table.write_text("\n".join([header, *said]) + "\n")
    yield parse_settings(SETTINGS.replace('"number"', '"class"').replace(f"{MARGIN}", "0.02"))
    table.write_text(before)


def test_class_gets_the_estimates_for_bounded_losses(bare):
    """A yes/no target is planned with its Brier score, and with ease.ml/ci's sample sizes."""
    with answers(bare, 0, 1) as settings:
        found = make_plan(
            Repository(bare, settings), PlanOptions(trials=2, given=GivenAssumptions(error=0.15))
        )
    assert found.metric == "brier"
    none, full, rare = found.bounded
    assert none.tolerance == pytest.approx(0.02)
    assert none.rows < full.rows
    assert rare.rows < full.rows
    assert f"{full.rows:,}" in plan_text(found)


@pytest.mark.parametrize(
    ("cycle", "error", "word"),
    [((0, 1), 0.4, "between 0 and 0.25"), ((1,), 0.1, "nothing can be learnt")],
)
def test_class_that_no_model_can_have(bare, cycle, error, word):
    """A Brier score worse than that of the share of yes, or answers that are all the same."""
    with answers(bare, *cycle) as settings, told(UsageError, 2, word):
        make_plan(
            Repository(bare, settings), PlanOptions(trials=2, given=GivenAssumptions(error=error))
        )


def test_number_is_bounded_on_request(bare):
    """With lower and upper in assay.toml the largest loss is known, without them it is not."""
    with told(UsageError, 2, "lower and upper"):
        make_plan(Repository(bare, KNOWN), PlanOptions(trials=2, given=QUICK.given, bounded=True))
    text = SETTINGS.replace('unit = "eV/atom"', 'unit = "eV/atom"\nlower = -5.0\nupper = 5.0')
    options = PlanOptions(trials=2, given=QUICK.given, bounded=True)
    found = make_plan(Repository(bare, parse_settings(text)), options)
    assert found.bounded[0].tolerance == pytest.approx(MARGIN / 10)


@pytest.mark.parametrize(
    ("use", "disagreements", "word"),
    [(0, 0, "--use"), (101, 0, "--use"), (3, 3, "--disagreements"), (9, 5, "0 to 4")],
)
def test_budget_that_cannot_be(use, disagreements, word):
    """A use beyond the policy, or more disagreements than uses before it."""
    with told(UsageError, 2, word):
        require_budget(KNOWN.gate, use, disagreements)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (PlanOptions(margin=0.0), "--margin"),
        (PlanOptions(groups=3), "--rows"),
        (PlanOptions(rows=5, groups=9, given=QUICK.given), "--groups"),
        (PlanOptions(given=GivenAssumptions(error=-1.0)), "--error"),
        (PlanOptions(given=GivenAssumptions(change=0.0)), "--change"),
        (PlanOptions(given=GivenAssumptions(icc=1.0)), "--icc"),
        (PlanOptions(given=GivenAssumptions(on_pool=0.0)), "--pool-change"),
        (PlanOptions(trials=0), "--trials"),
        (PlanOptions(seed=-1), "--seed"),
    ],
)
def test_options_out_of_range(bare, options, word):
    """One sentence names the option and says what to give."""
    with told(UsageError, 2, word):
        make_plan(Repository(bare, KNOWN), options)


def test_text_says_what_stands_in_the_way(known):
    """Too few chemical systems, too small a pool: a sentence each, first of all."""
    few = known.model_copy(
        update={"sealed": TableSize(rows=40, groups=20, effective=15.0), "pool_needed": 10**6}
    )
    assert "(15 effective)" in plan_text(few)
    assert "1,000,000" in plan_text(few)
    assert "decides nothing" not in plan_text(known)


def test_text_says_how_many_rows_are_needed(known):
    """Found, beyond the search, or out of reach whatever the number of rows."""

    def told_of(rule: float | None, found: float | None) -> str:
        need = Need(rule=rule, found=found)
        return plan_text(known.model_copy(update={"sealed_rows_needed": need}))

    assert "about 1,200 sealed rows are needed" in told_of(1100.0, 1234.0)
    assert "more than 20,000 sealed rows" in told_of(90_000.0, None)
    assert "no number of rows is enough" in told_of(None, None)


def test_text_holds_a_line_for_each_difference(known):
    """The table has every point, with its standard error."""
    lines = plan_text(known).splitlines()
    rows = [line for line in lines if re.match(r"\s+[+-]\d", line)]
    assert len(rows) == sum(point.claim == "no-regression" for point in known.points)
    assert all(line.count("±") >= 4 for line in rows)
    assert all(line.isprintable() for line in lines)


def test_curve_stands_by_itself(known):
    """Well-formed, with every colour it uses defined in it, and nothing fetched from elsewhere."""
    picture = power_curve(known)
    root = ET.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    words = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
    for word in ("PASS", "FAIL", "INCONCLUSIVE", "equally good", "eV/atom"):
        assert word in words
    used = set(re.findall(r"var\((--[a-z]+)\)", picture))
    assert used
    assert used <= set(re.findall(r"(--[a-z]+):", picture))
    links = re.findall(r'(?:href|src)="([^"]*)"', picture)
    assert all(link.startswith("#") for link in links)
    assert "<script" not in picture


def test_verb_writes_what_it_prints(bare, monkeypatch):
    """`--json` prints the record alone, which is in out/plan beside the picture."""
    monkeypatch.chdir(bare)
    arguments = ["plan", "--trials", "2", "--error", "1.0", "--rows", "60", "--groups", "40"]
    done = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    folder = Layout(bare).out / "plan"
    assert json.loads((folder / "plan.json").read_text()) == printed
    assert (printed["sealed"]["rows"], printed["sealed"]["groups"]) == (60, 40)
    assert (folder / "power.svg").read_text().startswith("<svg")
    spoken = CliRunner().invoke(cli.app, arguments)
    assert "An equally good model" in spoken.stdout
    assert "out/plan/power.svg" in spoken.stdout
