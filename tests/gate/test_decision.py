"""The three stages, each with a reason to stop, and attacks on each."""

import dataclasses

import numpy as np
import pytest

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement, Slice
from assay.gate.decision import (
    DEPENDENCE,
    Budget,
    SealedTest,
    binding,
    judge_public,
    judge_unchanged,
)
from assay.gate.metrics import BRIER, ERROR_RATE, MAE, RMSE, Metric
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping, estimate, level
from gate_answers import decide

ROWS, POOL = 600, 6000
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

    def compare(
        self, candidate: Predictions, claim: str = "no-regression", **required: object
    ) -> Comparison:
        """Candidate against champion, by the MAE unless `requirements` are given."""
        groups = Groups(*(Grouping.of(np.arange(len(truth)) // 2) for truth in self.truth))
        mae = [Requirement(MAE, POLICY.margin, primary=True)]
        requirements = required.get("requirements", mae)
        return Comparison(candidate, self.champion, groups, self.truth[0], requirements, claim)


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

    def __call__(self, test: SealedTest) -> np.ndarray:
        """Open them."""
        self.levels.append(test.level)
        return self.values


def never(test: SealedTest) -> np.ndarray:
    """Labels that must stay shut."""
    raise AssertionError(f"the sealed labels were opened, at level {test.level}")


def mae(margin: float) -> list[Requirement]:
    """The MAE alone, with a margin."""
    return [Requirement(MAE, margin, primary=True)]


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
    assert judge_unchanged(comparison.parts) is None
    assert decide(comparison, POLICY, FRESH, never).outcome == "INCONCLUSIVE"


def test_agreement_on_the_pool_alone_buys_nothing(known):
    """Equal to the champion on the pool, and different on the sealed inputs: not unchanged."""
    attack = known.compare(known.candidate(1.0, parts="s"))
    assert attack.primary.on_pool.values.max() == 0
    assert judge_unchanged(attack.parts) is None
    # on the public rows nothing differs, so nothing speaks for opening the labels either
    assert decide(attack, POLICY, FRESH, never).outcome == "INCONCLUSIVE"


def test_agreement_on_the_sealed_inputs_alone_buys_nothing(known):
    """Equal to the champion on the sealed inputs and train rows, different on the pool."""
    attack = known.compare(known.candidate(1.0, parts="p"))
    assert judge_unchanged(attack.parts) is None


def test_worse_model_fails_in_public(known):
    """An error 10 % larger on the public rows is a FAIL, and the labels stay shut."""
    worse = known.compare(known.candidate(0.0, share=1.1), requirements=mae(0.01))
    primary = worse.primary
    assert primary.candidate_loss == pytest.approx(1.1 * primary.reference_loss)
    decision = decide(worse, POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("FAIL", "public")


@pytest.mark.parametrize(("distance", "fails"), [(0.95, False), (1.05, True)])
def test_fail_allows_for_systems_that_err_alike(known, distance, fails):
    """A loss that grew beyond 1.25 times the usual bound is a FAIL, and by less it is not."""
    groups = known.compare(known.champion).groups.train
    noise = known.rng.normal(size=ROWS) / 10
    noise -= noise.mean()
    beyond = DEPENDENCE * 2.339 * estimate(noise, groups).error  # Student's t, 299 degrees, 1 %
    far = dataclasses.replace(known.champion, train=known.truth[0] + 10)
    worse = dataclasses.replace(far, train=far.train + noise + distance * beyond)
    known.champion = far
    decision = judge_public(known.compare(worse).parts, POLICY)
    assert (decision is not None and decision.outcome == "FAIL") is fails


def test_worse_models_fail_and_equal_ones_do_not():
    """Of 40 models that are 10 % worse nearly all fail; of 40 equally good ones hardly any."""
    verdicts = {share: [] for share in (1.0, 1.1)}
    for seed in range(40):
        made = world(seed)
        for share, found in verdicts.items():
            candidate = made.candidate(0.05, share=share)
            opened = Labels(made.truth[1])
            comparison = made.compare(candidate, requirements=mae(0.01))
            found.append(decide(comparison, POLICY, FRESH, opened).outcome)
    assert verdicts[1.1].count("FAIL") >= 38
    assert verdicts[1.0].count("FAIL") <= 3


def test_without_headroom_the_labels_stay_shut(known):
    """A change that the public rows cannot bound below the margin is INCONCLUSIVE for free."""
    decision = decide(known.compare(known.candidate(0.5, share=0.9)), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "public")
    assert "not opened" in decision.explanation


def test_few_groups_are_inconclusive(known):
    """Under 30 effective groups nothing is decided in public."""
    comparison = known.compare(known.candidate(0.0, share=2.0))
    few = dataclasses.replace(comparison.groups, train=Grouping.of(np.arange(ROWS) % 2))
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
    fitted = known.candidate(0.0, share=0.4, parts="t")
    noise = known.candidate(0.1, parts="sp")
    made = dataclasses.replace(noise, train=fitted.train)
    decision = decide(known.compare(made, "improvement"), POLICY, FRESH, opened)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "sealed")
    assert len(opened.levels) == 1


def test_much_worse_on_the_sealed_rows_still_says_no_more_than_inconclusive(known):
    """From the sealed labels comes one bit: never a FAIL, however bad."""
    noise, fitted = known.candidate(0.1, parts="p"), known.candidate(0.0, share=0.4, parts="t")
    good_in_public = dataclasses.replace(noise, train=fitted.train)
    wrong = np.sign(known.champion.sealed - known.truth[1])
    shifts = (0.5 * known.rng.permutation(wrong), 0.5 * wrong)
    mild, disaster = (
        dataclasses.replace(good_in_public, sealed=known.champion.sealed + shift)
        for shift in shifts
    )
    opened = Labels(known.truth[1])
    decisions = [
        decide(known.compare(one, "improvement"), POLICY, FRESH, opened) for one in (mild, disaster)
    ]
    assert decisions[0] == decisions[1]
    assert decisions[0].stage == "sealed"


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


@pytest.mark.parametrize("part", ["sealed", "pool"])
def test_few_groups_anywhere_are_inconclusive(known, part):
    """Also 29 chemical systems among the sealed rows, or in the pool, decide nothing."""
    comparison = known.compare(known.candidate(0.0, share=0.4), "improvement")
    rows = len(getattr(comparison.candidate, part))
    few = dataclasses.replace(comparison.groups, **{part: Grouping.of(np.arange(rows) % 29)})
    decision = decide(dataclasses.replace(comparison, groups=few), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "public")
    assert "29 effective groups" in decision.explanation


def test_small_pool_is_inconclusive(known):
    """With fewer than ten pool rows a sealed one, rare errors would stay unseen."""
    comparison = known.compare(known.candidate(0.0, share=0.4), "improvement")
    short = slice(0, 10 * ROWS - 2)
    smaller = dataclasses.replace(
        comparison,
        candidate=dataclasses.replace(comparison.candidate, pool=comparison.candidate.pool[short]),
        reference=dataclasses.replace(comparison.reference, pool=comparison.reference.pool[short]),
        groups=dataclasses.replace(
            comparison.groups, pool=Grouping.of(np.arange(10 * ROWS - 2) // 2)
        ),
    )
    assert decide(comparison, POLICY, FRESH, Labels(known.truth[1])).outcome == "PASS"
    decision = decide(smaller, POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "public")
    assert "the pool has 5998 rows" in decision.explanation


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("claim", ["no-regression", "improvement"])
def test_what_is_the_same_everywhere_shows_nothing(known, claim):
    """All rows better by one and the same amount: no spread, so no PASS from the labels."""
    truth = tuple(np.zeros(n) for n in (ROWS, ROWS, POOL))
    champion = Predictions(*(np.full(n, 1.0) for n in (ROWS, ROWS, POOL)))
    even = World(known.rng, truth, champion)
    better = Predictions(*(np.full(n, 0.5) for n in (ROWS, ROWS, POOL)))
    decision = decide(even.compare(better, claim), POLICY, FRESH, never)
    assert decision.outcome == "INCONCLUSIVE"


def both(primary: Metric, other: Requirement) -> list[Requirement]:
    """A primary metric with the margin of the policy, and something else that must hold."""
    return [Requirement(primary, POLICY.margin, primary=True), other]


def test_every_further_metric_must_hold(known):
    """Better by the MAE and worse by the RMSE: FAIL, and PASS where the RMSE is not asked for."""
    spread = known.candidate(0.0, share=0.4)
    wild = Predictions(
        *(
            np.where(
                np.arange(len(values)) % 25 == 0, champion + 3.0 * np.sign(champion - truth), values
            )
            for values, champion, truth in zip(
                (spread.train, spread.sealed, spread.pool),
                (known.champion.train, known.champion.sealed, known.champion.pool),
                known.truth,
                strict=True,
            )
        )
    )
    loose = Gate(margin=POLICY.margin, tail=10)
    alone = known.compare(wild, "improvement")
    assert decide(alone, loose, FRESH, Labels(known.truth[1])).outcome == "PASS"
    asked = known.compare(wild, "improvement", requirements=both(MAE, Requirement(RMSE, 0.05)))
    decision = decide(asked, loose, FRESH, never)
    assert decision.outcome != "PASS"


def test_unchanged_by_the_rmse_needs_the_root_mean_square_change(known):
    """Stage 1 for the RMSE: root mean square change within the margin, by Minkowski."""
    noisy = known.candidate(0.05)
    for margin, passes in ((0.09, True), (0.045, False)):
        asked = [Requirement(RMSE, margin, primary=True)]
        decision = judge_unchanged(known.compare(noisy, requirements=asked).parts)
        assert (decision is not None) == passes


def halves(name: str = "odd systems") -> Slice:
    """Every second chemical system."""
    return Slice(name, *(np.arange(n) // 2 % 2 == 1 for n in (ROWS, ROWS, POOL)))


def test_worse_slice_fails_though_the_whole_is_better(known):
    """Much better on one half of the systems, worse on the other: FAIL, and the slice is named."""
    good, bad = known.candidate(0.0, share=0.2), known.candidate(0.0, share=1.08)
    rows = halves()
    mixed = Predictions(
        *(
            np.where(mask, theirs, ours)
            for mask, theirs, ours in (
                (rows.train, bad.train, good.train),
                (rows.sealed, bad.sealed, good.sealed),
                (rows.pool, bad.pool, good.pool),
            )
        )
    )
    whole = known.compare(mixed, "improvement")
    assert decide(whole, POLICY, FRESH, Labels(known.truth[1])).outcome == "PASS"
    asked = both(MAE, Requirement(MAE, POLICY.margin, slice=rows))
    decision = decide(known.compare(mixed, "improvement", requirements=asked), POLICY, FRESH, never)
    assert (decision.outcome, decision.stage) == ("FAIL", "public")
    assert "MAE on odd systems" in decision.explanation


def test_an_advisory_slice_decides_nothing_and_opens_nothing(known):
    """What is advisory, good or bad, changes neither the verdict nor what the labels are asked."""
    rows, worse = halves(), known.candidate(0.0, share=1.08)
    for candidate, claim in (
        (known.candidate(0.05), "no-regression"),
        (known.candidate(0.0, share=0.2), "improvement"),
        (worse, "no-regression"),
    ):
        asked: list[SealedTest] = []

        def opened(test: SealedTest, asked: list[SealedTest] = asked) -> np.ndarray:
            asked.append(test)
            return known.truth[1]

        advisory = both(MAE, Requirement(MAE, 1e-9, slice=rows, advisory=True))
        whole = decide(known.compare(candidate, claim), POLICY, FRESH, opened)
        with_it = known.compare(candidate, claim, requirements=advisory)
        assert decide(with_it, POLICY, FRESH, opened) == whole
        assert len({len(test.parts) for test in asked}) <= 1
    binding = both(MAE, Requirement(MAE, 1e-9, slice=rows))
    bound = known.compare(known.candidate(0.05), requirements=binding)
    assert decide(bound, POLICY, FRESH, opened).stage != "unchanged"


def test_sealed_bit_needs_every_slice(known):
    """Public rows alike in both halves, sealed rows worse in one: not confirmed."""
    rows = halves()
    good = known.candidate(0.0, share=0.2)
    worse = known.candidate(0.0, share=1.2)
    trap = dataclasses.replace(good, sealed=np.where(rows.sealed, worse.sealed, good.sealed))
    asked = both(MAE, Requirement(MAE, 0.1, slice=rows))
    whole = decide(known.compare(trap, "improvement"), POLICY, FRESH, Labels(known.truth[1]))
    assert whole.outcome == "PASS"
    opened = Labels(known.truth[1])
    comparison = known.compare(trap, "improvement", requirements=asked)
    decision = decide(comparison, POLICY, FRESH, opened)
    assert (decision.outcome, decision.stage) == ("INCONCLUSIVE", "sealed")
    assert len(opened.levels) == 1
    fine = known.compare(good, "improvement", requirements=asked)
    assert decide(fine, POLICY, FRESH, Labels(known.truth[1])).outcome == "PASS"


def test_small_slice_is_told_and_decides_nothing(known):
    """A slice of fewer than 30 effective groups does not bind, however bad it is."""
    few = Slice("few", *(np.arange(n) < 40 for n in (ROWS, ROWS, POOL)))
    good, bad = known.candidate(0.0, share=0.2), known.candidate(0.0, share=3.0)
    mixed = dataclasses.replace(good, train=np.where(few.train, bad.train, good.train))
    asked = both(MAE, Requirement(MAE, POLICY.margin, slice=few))
    comparison = known.compare(mixed, "improvement", requirements=asked)
    assert decide(comparison, POLICY, FRESH, Labels(known.truth[1])).outcome == "PASS"
    assert comparison.parts[1].candidate_loss > comparison.parts[1].reference_loss


def test_slice_decides_though_its_train_rows_are_left_out(known):
    """A pull request without the train rows of a slice on which it is bad is not rid of it."""
    rows = Slice("some", *(np.arange(n) < 90 for n in (ROWS, ROWS, POOL)))
    trifle = known.candidate(1e-3)
    bad = dataclasses.replace(trifle, sealed=trifle.sealed + 2.0 * rows.sealed)
    asked = both(MAE, Requirement(MAE, 0.5, slice=rows))
    dropped = rows.train & (np.arange(ROWS) > 19)
    comparison = left_out(known.compare(bad, requirements=asked), dropped)
    assert comparison.parts[1].effective_groups < POLICY.minimum_groups
    assert binding(comparison, POLICY) == comparison.parts
    decision = decide(comparison, POLICY, FRESH, never)
    assert decision.outcome == "INCONCLUSIVE"
    assert "of some are fewer than 30" in decision.explanation


def left_out(comparison: Comparison, rows: np.ndarray) -> Comparison:
    """The same comparison without some of the train rows."""
    kept = ~rows
    groups = dataclasses.replace(comparison.groups, train=comparison.groups.train.take(kept))
    parts = [
        part
        if part.slice is None
        else dataclasses.replace(
            part, slice=dataclasses.replace(part.slice, train=part.slice.train[kept])
        )
        for part in comparison.requirements
    ]
    models = [
        dataclasses.replace(model, train=model.train[kept])
        for model in (comparison.candidate, comparison.reference)
    ]
    return Comparison(*models, groups, comparison.target[kept], parts, comparison.claim)


def test_empty_slice_decides_nothing(known):
    """A slice without a row anywhere is no requirement."""
    empty = Slice("none", *(np.zeros(n, dtype=bool) for n in (ROWS, ROWS, POOL)))
    asked = both(MAE, Requirement(MAE, POLICY.margin, slice=empty))
    comparison = known.compare(known.candidate(0.0, share=0.2), "improvement", requirements=asked)
    assert decide(comparison, POLICY, FRESH, Labels(known.truth[1])).outcome == "PASS"


def test_false_fails_do_not_grow_with_the_number_of_requirements():
    """Of 300 equally good models hardly any fail, though each is looked at in eleven ways."""
    failed = 0
    for seed in range(300):
        made = world(seed)
        rng = np.random.default_rng(seed)
        slices = [
            Slice(f"s{k}", *(rng.random(n) < 0.5 for n in (ROWS, ROWS, POOL))) for k in range(10)
        ]
        asked = [*mae(POLICY.margin), *(Requirement(MAE, POLICY.margin, slice=s) for s in slices)]
        # another draw of the same errors: as good as the champion by construction
        twin = Predictions(*(t + rng.standard_t(5, size=len(t)) for t in made.truth))
        comparison = made.compare(twin, requirements=asked)
        failed += decide(comparison, POLICY, FRESH, Labels(made.truth[1])).outcome == "FAIL"
    assert failed <= 9, "1 % of 300, and three standard errors"


@pytest.mark.parametrize("metric", [BRIER, ERROR_RATE], ids=lambda metric: metric.key)
def test_classes(metric):
    """A classifier that is right far more often passes; one that is right less often fails."""
    rng = np.random.default_rng(0)
    truth = tuple((rng.random(n) < 0.5).astype(float) for n in (ROWS, ROWS, POOL))

    def classifier(wrong: float) -> Predictions:
        return Predictions(
            *(
                np.abs(labels - np.where(rng.random(len(labels)) < wrong, 0.8, 0.1))
                for labels in truth
            )
        )

    plain, good, bad = classifier(0.35), classifier(0.05), classifier(0.5)
    known = World(rng, truth, plain)
    asked = [Requirement(metric, 0.02, primary=True)]
    opened = Labels(truth[1])
    better = known.compare(good, "improvement", requirements=asked)
    assert decide(better, POLICY, FRESH, opened).outcome == "PASS"
    assert len(opened.levels) == 1
    worse = known.compare(bad, requirements=asked)
    assert decide(worse, POLICY, FRESH, never).outcome == "FAIL"


SIZES = np.arange(1, 31)
WEIGHTS = SIZES**-1.6 / (SIZES**-1.6).sum()


def systems(rng: np.random.Generator, rows: int) -> Grouping:
    """Chemical systems of 1 to 30 rows; few are large, as in real tables."""
    sizes = rng.choice(SIZES, size=rows, p=WEIGHTS)
    codes = np.repeat(np.arange(rows), sizes)[:rows]
    return Grouping(codes, int(codes[-1]) + 1)


# share: so that the true MAE grows by 1.05 margins; E|e - jump| - E|e| taken from 8e6 draws
@pytest.mark.parametrize(("jump", "share"), [(2.9, 0.0267), (8.0, 0.0075), (20.0, 0.0028)])
def test_jumps_of_few_chemical_systems_do_not_pass_unseen(jump, share):
    """Of 500 models worse by more than the margin on few systems, hardly any passes."""
    passed = 0
    for seed in range(500):
        rng = np.random.default_rng(seed)
        groups = Groups(systems(rng, 1000), systems(rng, 1000), systems(rng, 20_000))
        # the reference's errors: Student t with 3 degrees of freedom, correlated .3 in a system
        errors = [
            (
                np.sqrt(0.3) * rng.standard_t(3, part.count)[part.codes]
                + np.sqrt(0.7) * rng.standard_t(3, len(part.codes))
            )
            / 1.162
            for part in (groups.train, groups.sealed)
        ]
        moved = [
            np.where((rng.random(part.count) < share)[part.codes], jump, 0)
            + 0.01 * rng.normal(size=len(part.codes))
            for part in (groups.sealed, groups.pool)
        ]
        zeros = [np.zeros(len(part.codes)) for part in (groups.train, groups.sealed, groups.pool)]
        comparison = Comparison(
            Predictions(0.1 * errors[0], *moved),  # out-of-fold predictions are the author's word
            Predictions(*zeros),
            groups,
            errors[0],
            mae(0.05),
            "no-regression",
        )
        passed += decide(comparison, POLICY, FRESH, Labels(errors[1])).outcome == "PASS"
    assert passed <= 2
