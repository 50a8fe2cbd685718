"""The three stages, each with a reason to stop, and attacks on each."""

import dataclasses

import numpy as np
import pytest

from assay.gate import Budget, Comparison, Groups, Predictions, decide, judge_unchanged
from assay.settings import Gate
from assay.statistics import MAE, level

ROWS, POOL = 600, 3000
POLICY = Gate(margin=0.1)
FRESH = Budget(0, 0)


@dataclasses.dataclass
class World:
    """Truth and a champion of error 1 on train, sealed and pool rows; two rows a system."""

    rng: np.random.Generator
    truth: tuple[np.ndarray, ...]
    champion: Predictions

    def candidate(self, size: float, share: float = 1.0, parts: str = "tsp") -> Predictions:
        """The champion's errors times `share`, plus noise of mean size `size`, on some parts."""
        made = []
        arrays = (self.champion.train, self.champion.sealed, self.champion.pool)
        for part, truth, champion in zip("tsp", self.truth, arrays, strict=True):
            noise = size * self.rng.normal(size=len(truth)) if part in parts else 0
            scale = share if part in parts else 1
            made.append(truth + scale * (champion - truth) + noise)
        return Predictions(*made)

    def compare(self, candidate: Predictions, claim: str = "no-regression") -> Comparison:
        """Candidate against champion."""
        systems = (
            [f"{part}{row // 2}" for row in range(len(truth))]
            for part, truth in zip("tsp", self.truth, strict=True)
        )
        return Comparison(candidate, self.champion, Groups(*systems), self.truth[0], MAE, claim)


def world(seed: int = 0) -> World:
    """A world of its own for every seed."""
    rng = np.random.default_rng(seed)
    truth = tuple(rng.normal(size=n) for n in (ROWS, ROWS, POOL))
    champion = Predictions(*(t + rng.standard_t(5, size=len(t)) for t in truth))
    return World(rng, truth, champion)


@pytest.fixture
def known() -> World:
    """One such world."""
    return world()


class Labels:
    """The sealed labels, and at which levels they were opened."""

    def __init__(self, values: np.ndarray) -> None:
        """Nothing is opened yet."""
        self.values = values
        self.levels: list[float] = []

    def __call__(self, this_level: float) -> np.ndarray:
        """Open them."""
        self.levels.append(this_level)
        return self.values


def never(this_level: float) -> np.ndarray:
    """Labels that must stay shut."""
    raise AssertionError(f"the sealed labels were opened, at level {this_level}")


def test_own_predictions_pass_without_labels(known):
    """The champion itself passes as unchanged."""
    decision = decide(known.compare(known.champion), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage, decision.level) == ("PASS", "unchanged", None)


def test_noise_within_the_margin_passes_without_labels(known):
    """A change of the predictions smaller than the margin cannot matter, whatever the labels."""
    comparison = known.compare(known.candidate(0.05))
    assert decide(comparison, POLICY, FRESH, never).stage == "unchanged"


def test_nothing_passes_on_a_retired_set(known):
    """Once a set is spent, not even a change that needs no label passes: a fresh one is due."""
    spent = Budget(POLICY.uses, 0)
    decision = decide(known.compare(known.candidate(0.05)), POLICY, spent, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "retired")


def test_improvement_is_never_unchanged(known):
    """A claimed improvement needs evidence, even with the champion's own predictions."""
    comparison = known.compare(known.champion, "improvement")
    assert judge_unchanged(comparison, POLICY) is None
    assert decide(comparison, POLICY, FRESH, never).outcome == "INCONCLUSIVE"


def test_agreement_on_the_pool_alone_buys_nothing(known):
    """Equal to the champion on the pool, and different on the sealed inputs: not unchanged."""
    attack = known.compare(known.candidate(1.0, parts="s"))
    assert attack.change_on_pool.max() == 0
    assert judge_unchanged(attack, POLICY) is None
    opened = Labels(known.truth[1])
    assert decide(attack, POLICY, FRESH, opened).outcome == "INCONCLUSIVE"
    assert opened.levels, "the public rows are equal, so only the sealed ones can tell"


def test_agreement_on_the_sealed_inputs_alone_buys_nothing(known):
    """Equal to the champion on the sealed inputs and train rows, different on the pool."""
    attack = known.compare(known.candidate(1.0, parts="p"))
    assert judge_unchanged(attack, POLICY) is None


def test_worse_model_fails_in_public(known):
    """An error 10 % larger on the public rows is a FAIL, and the labels stay shut."""
    worse = known.compare(known.candidate(0.0, share=1.1))
    assert worse.candidate_error == pytest.approx(1.1 * worse.reference_error)
    decision = decide(worse, Gate(margin=0.01), FRESH, never)
    assert (decision.outcome, decision.stage) == ("FAIL", "public")


def test_worse_models_fail_and_equal_ones_do_not():
    """Of 40 models that are 10 % worse nearly all fail; of 40 equally good ones hardly any."""
    verdicts = {share: [] for share in (1.0, 1.1)}
    for seed in range(40):
        made = world(seed)
        for share, found in verdicts.items():
            candidate = made.candidate(0.05, share=share)
            opened = Labels(made.truth[1])
            found.append(decide(made.compare(candidate), Gate(margin=0.01), FRESH, opened).outcome)
    assert verdicts[1.1].count("FAIL") >= 38
    assert verdicts[1.0].count("FAIL") <= 2


def test_without_headroom_the_labels_stay_shut(known):
    """A change that the public rows cannot bound below the margin is INCONCLUSIVE for free."""
    decision = decide(known.compare(known.candidate(0.5, share=0.9)), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "public")
    assert "not opened" in decision.explanation


def test_few_groups_are_inconclusive(known):
    """Under 30 effective groups nothing is decided in public."""
    comparison = known.compare(known.candidate(0.0, share=2.0))
    few = Groups(["a", "b"] * (ROWS // 2), comparison.groups.sealed, comparison.groups.pool)
    decision = decide(dataclasses.replace(comparison, groups=few), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "public")
    assert "2 effective groups" in decision.explanation


def test_better_model_is_confirmed_by_one_use(known):
    """A clear improvement opens the labels once, at the level of the first use."""
    opened = Labels(known.truth[1])
    comparison = known.compare(known.candidate(0.0, share=0.4), "improvement")
    decision = decide(comparison, POLICY, FRESH, opened)
    assert (decision.outcome, decision.stage) == ("PASS", "sealed")
    assert opened.levels == [decision.level] == [level(POLICY.alpha, POLICY.uses, 1, 0)]


def test_model_fitted_to_the_public_rows_is_not_confirmed(known):
    """Better in public and not on the sealed rows: INCONCLUSIVE, the only other sealed answer."""
    opened = Labels(known.truth[1])
    comparison = known.compare(known.candidate(0.0, share=0.4, parts="t"), "improvement")
    decision = decide(comparison, POLICY, FRESH, opened)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "sealed")
    assert len(opened.levels) == 1


def test_much_worse_on_the_sealed_rows_still_says_no_more_than_inconclusive(known):
    """From the sealed labels comes one bit: never a FAIL, however bad."""
    good_in_public = known.candidate(0.0, share=0.4, parts="t")
    wrong = known.champion.sealed - known.truth[1]
    disaster = dataclasses.replace(
        good_in_public, sealed=known.champion.sealed + 2 * np.sign(wrong)
    )
    opened = Labels(known.truth[1])
    mild = decide(known.compare(good_in_public, "improvement"), POLICY, FRESH, opened)
    assert decide(known.compare(disaster, "improvement"), POLICY, FRESH, opened) == mild


@pytest.mark.parametrize(
    "spent", [Budget(POLICY.uses, 0), Budget(9, POLICY.disagreements)], ids=["uses", "bits"]
)
def test_spent_set_is_retired(known, spent):
    """After K uses or J non-confirmations the labels open for nobody, however good the model."""
    comparison = known.compare(known.candidate(0.0, share=0.4), "improvement")
    decision = decide(comparison, POLICY, spent, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "retired")


def test_level_of_a_later_use(known):
    """The ninth use after two non-confirmations is decided at a(9, 2)."""
    opened = Labels(known.truth[1])
    comparison = known.compare(known.candidate(0.0, share=0.3), "improvement")
    decide(comparison, POLICY, Budget(8, 2), opened)
    assert opened.levels == [level(POLICY.alpha, POLICY.uses, 9, 2)]


def test_rare_blow_ups_on_the_pool_stop_a_model(known):
    """Better on every labelled row, and wild on 1 % of the pool: the tail guard says no."""
    candidate = known.candidate(0.0, share=0.4)
    wild = candidate.pool.copy()
    wild[::100] += 100
    attack = dataclasses.replace(candidate, pool=wild)
    opened = Labels(known.truth[1])
    assert decide(known.compare(candidate, "improvement"), POLICY, FRESH, opened).outcome == "PASS"
    decision = decide(known.compare(attack, "improvement"), POLICY, FRESH, never)
    assert decision.outcome == "INCONCLUSIVE"


@pytest.mark.parametrize("claim", ["no-regression", "improvement"])
@pytest.mark.parametrize("share", [0.01, 0.2, 1.0])
def test_blow_ups_on_the_sealed_inputs_alone_are_paid_for(known, claim, share):
    """Wild on sealed rows, and the champion's equal elsewhere: the guard must not hide them."""
    base = known.candidate(0.0, share=0.4, parts="t" if claim == "no-regression" else "tp")
    wild = base.sealed.copy()
    wild[: int(share * ROWS)] += 100
    attack = known.compare(dataclasses.replace(base, sealed=wild), claim)
    assert decide(attack, POLICY, FRESH, never).outcome == "INCONCLUSIVE"
