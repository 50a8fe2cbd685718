"""The acceptance protocol itself: that it can find a bad gate, and tells the same twice."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.gate import attacks, bars, boundary, groupings, lives, protocol, replay
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import mean, rate
from benchmarks.gate.lives import World
from benchmarks.gate.pages import BEGIN, END, page
from benchmarks.gate.populations import Population, Rows, population
from benchmarks.gate.protocol import gate_digest
from benchmarks.gate.rivals import NAIVE
from benchmarks.gate.workers import Job, run

from assay.gate.comparisons import Part
from assay.gate.decision import SealedTest
from assay.gate.statistics import Grouping

FAMILY = "clustered t3"
RUNS = 4


def rng(seed: int = 0) -> np.random.Generator:
    """Random numbers."""
    return np.random.default_rng(seed)


def leak(gate: str) -> float:
    """Mean leak of A1 at n = 1,000 after 1,000 pull requests."""
    runs = [attacks.random_probing(rng(s), 1000, gate, "improvement", 0.3) for s in range(RUNS)]
    return float(np.mean([found["1000"] for found in runs]))


def test_harness_breaks_the_naive_gate_and_not_this_one():
    """Printed scores leak a tenth of the MAE; verdicts of this gate leak next to nothing."""
    assert leak(NAIVE) > bars.CONTROL_LEAK
    assert abs(leak("assay forged")) < bars.LEAK


@pytest.mark.parametrize("family", ["iid lognormal", "clustered t3"])
@pytest.mark.parametrize("growth", [-0.1, 0.0, 0.05])
def test_true_effects_are_true(family, growth):
    """A candidate made for an effect has it, as far as two million rows can tell."""
    people = population(family)
    change = solved(family, Change(0.2, jump=8, share=0.01, by_system=True), growth)
    grown = []
    for seed in range(20):
        rows = people.draw(rng(seed), 100_000)
        made = change.apply(rng(seed + 100), rows)
        grown.append((np.abs(rows.errors - made) - np.abs(rows.errors)).mean())
    assert abs(np.mean(grown) - growth) < 4 * np.std(grown) / np.sqrt(len(grown))


@dataclasses.dataclass(frozen=True)
class PointEstimate(SealedTest):
    """A sealed test that looks at the mean alone."""

    asked: Part

    def confirms(self, labels):
        """Whether the mean of the sealed rows is below the bar."""
        return self.asked.sealed_differences(labels).mean() < self.asked.bar


def judged_by_the_point_estimate(comparison, policy, budget):
    """A gate that asks the mean alone."""
    return PointEstimate(0.0, [], comparison.primary)


def false_passes(count: int = 20):
    """The finding on lives at the margin."""
    change = solved(FAMILY, Change(0.1), bars.margin(1000))
    made = [
        boundary.life(rng(seed), FAMILY, change, "no-regression", 1000, forged=True)
        for seed in range(count)
    ]
    return rate("2", "", "", [life["any"] for life in made], bars.ALPHA)


def test_protocol_finds_a_rigged_gate(monkeypatch):
    """A gate that decides by the mean alone misses the bar that this one keeps."""
    assert false_passes().holds
    monkeypatch.setattr(lives, "decide", judged_by_the_point_estimate)
    assert not false_passes().holds


def test_results_do_not_depend_on_the_number_of_workers():
    """The same seeds are used, in whatever process."""
    change = solved(FAMILY, Change(0.1), 0.02)
    jobs = [
        Job(("item", claim), boundary.life, (FAMILY, change, claim, 1000, True), 6, 2)
        for claim in ("no-regression", "improvement")
    ]
    alone, shared = run(jobs, 1)[0], run(jobs, 2)[0]
    assert alone == shared
    assert len(set(alone["item", "no-regression"]["opened"])) > 1


def test_replay_finds_what_was_altered():
    """A life replays without a fault; a bit, a level or a prediction that was changed is found."""
    world = World.draw(rng(), population("iid t3"), 300)
    life = world.life(bars.margin(300))
    life.keep = True
    for seed in range(8):
        life.submit(world.candidate(rng(seed), Change(0.12), forged=True), "no-regression")
    assert len(life.record) > 2
    assert replay.mismatches(life) == replay.faults(life) == 0
    use = life.record[1]
    for changed in (
        dataclasses.replace(use, bit=not use.bit),
        dataclasses.replace(use, test=dataclasses.replace(use.test, level=0.01)),
    ):
        life.record[1] = changed
        assert replay.mismatches(life)
        assert replay.faults(life)


def test_a_merged_improvement_moves_the_reference_and_an_answer_is_repeated():
    """Lives are kept as `score` keeps them."""
    world = World.draw(rng(), population("iid t3"), 1000)
    life = world.life(bars.margin(1000))
    better = dataclasses.replace(world.candidate(rng(), Change(0.02, shrink=0.3), forged=True))
    first = life.submit(better, "improvement")
    assert (first.outcome, first.stage) == ("PASS", "sealed")
    assert life.reference is better
    assert life.submit(better, "no-regression").stage == "unchanged"
    same = world.candidate(rng(1), Change(0.12), forged=True)
    answers = [life.submit(same, "no-regression") for _ in range(2)]
    assert answers[0] == answers[1]
    assert life.uses == answers[0].uses


@pytest.mark.parametrize(
    ("finding", "holds"),
    [
        (rate("", "", "", [0.0] * 100, 0.0), True),
        (rate("", "", "", [1.0] + [0.0] * 99, 0.0), False),
        (rate("", "", "", [1.0] * 7 + [0.0] * 93, 0.025), True),
        (rate("", "", "", [1.0] * 8 + [0.0] * 92, 0.025), False),
        (mean("", "", "", [0.2, 0.3], 0.1, "at least"), True),
        (mean("", "", "", [float("nan")], 0.1, "at least"), False),
        (mean("", "", "", [0.2, 0.3]), None),
    ],
)
def test_bars(finding, holds):
    """A figure holds within three standard errors of its bar, NaN never, and none without a bar."""
    assert finding.holds is holds


ROOT = Path(__file__).parents[1]


def test_published_figures_are_those_of_this_gate():
    """The record that is kept was measured on the gate as it is, whole, and kept every bar."""
    kept = json.loads((ROOT / "benchmarks" / "gate.json").read_text(encoding="utf-8"))
    assert kept["gate"] == gate_digest(), "run `BENCH=full make bench-gate` again"
    assert kept["size"]["name"] == "full"
    assert len(kept["findings"]) > 1000
    assert [found["name"] for found in kept["findings"] if found["holds"] is False] == []


def test_published_tables_are_made_from_the_record():
    """The page shows what benchmarks/gate.json says, and every figure that it points to."""
    kept = json.loads((ROOT / "benchmarks" / "gate.json").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "appendix" / "gate-benchmark.md").read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == page(kept)


def test_digest_of_the_gate_is_of_what_it_does(tmp_path, monkeypatch):
    """Comments, docstrings, imports and sentences do not change it; a constant or a name does."""
    monkeypatch.setattr(protocol, "ROOT", tmp_path)
    monkeypatch.setattr(protocol, "MODULES", ("module",))
    (tmp_path / "src" / "assay").mkdir(parents=True)

    def digest(source: str) -> str:
        (tmp_path / "src" / "assay" / "module.py").write_text(source)
        return gate_digest()

    plain = digest("LIMIT = 30\n")
    assert digest('"""What it is."""\nimport math\n# why\nLIMIT = 30\n') == plain
    assert digest("LIMIT = 29\n") != plain
    told = digest('def f(n):\n    return ("fail", f"{n} are too few", "more are needed")\n')
    assert digest('def f(n):\n    return ("fail", f"only {n}", "add some more rows")\n') == told
    assert digest('def f(n):\n    return ("pass", f"only {n}", "add some more rows")\n') != told


class Loose(Population):
    """A population whose rows are taken for groups of their own, whatever family they are of."""

    def draw(self, rng, rows):
        """So many rows, each a group."""
        found = super().draw(rng, rows)
        return Rows(found.errors, Grouping(np.arange(rows), rows))


@pytest.mark.parametrize("honest", [True, False])
def test_giant_families_that_are_no_groups_are_found_out(monkeypatch, honest):
    """Item 12 holds of families as groups with a cap, and its bar is missed without them."""
    real = groupings.people("giant families", 20 if honest else None)
    made = real if honest else Loose(real.errors, real.sizes)
    monkeypatch.setattr(groupings, "people", lambda *_: made)
    groupings.at_the_margin.cache_clear()
    runs = [groupings.single(rng(n), "giant families", None, 0.1, 1000) for n in range(60)]
    groupings.at_the_margin.cache_clear()
    found = rate("12 groups", "", "", [run["passed"] for run in runs], bars.ALPHA)
    assert found.holds is honest
    assert sum(run["opened"] for run in runs) > 50


def test_clusters_of_a_series_are_groups_within_it():
    """A draw takes whole series, and the gate counts their clusters: eight of four rows."""
    rows = groupings.people("dilute series", None).draw(rng(), 320)
    assert rows.grouping.count == 80
    assert set(rows.grouping.sizes) == {4}
    sums = [rows.errors[rows.grouping.codes == code].mean() for code in range(80)]
    assert len(set(np.round(sums, 9))) == 80


@pytest.mark.parametrize("item", protocol.ITEMS, ids=lambda item: item.__name__)
def test_an_item_leaves_the_results_of_others_alone(item):
    """All items read one table of results, whose keys have as many parts as each of them likes."""
    others = {("another item", *range(parts)): {} for parts in range(8)}
    assert item.findings(others) == item.findings({})
