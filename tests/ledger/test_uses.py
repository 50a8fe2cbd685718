"""What a use asked: recorded without loss, and asked again with the very same answer."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import NotCarriedOutError
from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement, Slice
from assay.gate.decision import SealedPart, SealedTest
from assay.gate.metrics import BRIER, ERROR_RATE, MAE, RMSE, Metric
from assay.gate.statistics import Grouping
from assay.groups import counted_compositions
from assay.ledger.entries import Intent, line_of, read_lines
from assay.ledger.uses import CountedRows, SealedRows, asked, findings, rows_file
from ledger_samples import SEALED, chain, intent

ROWS, POOL = 300, 600
NAMES = st.text("abcXYZ ._-019", min_size=1, max_size=20)


def compared(metric: Metric, seed: int, size: float, *, with_slice: bool) -> tuple[Comparison, ...]:
    """Candidate and reference of one metric, chemical systems by name, and the sealed labels."""
    rng = np.random.default_rng(seed)
    systems = [[f"A-{n // 2}" for n in range(count)] for count in (ROWS, ROWS, POOL)]
    truth, reference, candidate = [], [], []
    for names in systems:
        y, p = _values(metric, rng, len(names))
        truth.append(y)
        reference.append(p)
        moved = p + size * rng.normal(size=len(names))
        candidate.append(np.clip(moved, 0, 1) if metric.bounded else moved)
    masks = [np.arange(len(names)) % 3 > 0 for names in systems]
    rows = Slice("two thirds", *masks) if with_slice else None
    margin = 0.2 if metric.bounded else 0.7
    required = [Requirement(metric, margin, primary=True), Requirement(metric, margin, slice=rows)]
    groups = Groups(*(Grouping.of(names) for names in systems))
    made = Comparison(
        Predictions(*candidate),
        Predictions(*reference),
        groups,
        truth[0],
        required if with_slice else required[:1],
        "no-regression",
    )
    return made, systems[1], truth[1]


def _values(metric: Metric, rng, count: int) -> tuple[np.ndarray, np.ndarray]:
    if metric.bounded:
        p = rng.uniform(size=count)
        return (rng.uniform(size=count) < p).astype(float), p
    y = rng.normal(size=count)
    return y, y + rng.standard_t(4, size=count)


def recorded(test: SealedTest, comparison: Comparison, systems: list[str]):
    """The same use after it went through the ledger's line and the table beside it."""
    slices = {
        part.part.requirement.slice.name: part.part.requirement.slice.sealed
        for part in test.parts
        if part.part.requirement.slice
    }
    ids = [f"s{n:05d}" for n in range(len(systems))]
    rows = SealedRows(
        ids, systems, comparison.candidate.sealed, comparison.reference.sealed, slices
    )
    line = chain(intent(requirements=asked(test), level=test.level))[0]
    (again,) = read_lines(line_of(line) + b"\n", None)
    assert isinstance(again, Intent)
    return again, SealedRows.parse(rows.to_bytes(), "uses.csv")


@pytest.mark.parametrize("metric", [MAE, RMSE, BRIER, ERROR_RATE], ids=lambda m: m.key)
@pytest.mark.parametrize("with_slice", [False, True])
def test_recorded_use_gives_every_bound_again_to_the_last_bit(metric, with_slice):
    """For every metric, also on slices: bounds and bits are those that the gate computed."""
    seen = set()
    for seed in range(6):
        # small enough to be confirmed, large enough for classes to change in many systems
        size = ((0.05, 5.0), (0.3, 2.0))[metric.bounded][seed % 2]
        comparison, systems, labels = compared(metric, seed, size, with_slice=with_slice)
        parts = [SealedPart(part, part.guard(3.0, 1e-3)) for part in comparison.parts]
        test = SealedTest(1e-3, parts)
        found = findings(*recorded(test, comparison, systems), labels)
        bounds = [
            part.guard.bound(part.part.sealed_differences(labels), part.part.on_sealed)
            for part in parts
        ]
        assert [finding.bound for finding in found] == bounds
        assert [finding.bit for finding in found] == [p.confirms(labels) for p in parts]
        assert all(finding.bit for finding in found) == test.confirms(labels)
        seen.add(test.confirms(labels))
    assert seen == {True, False}, "both answers must occur, or nothing was compared"


def test_figures_of_a_finding_are_the_losses_of_its_rows():
    """Losses, difference and rows are those of the slice that was asked about."""
    comparison, systems, labels = compared(MAE, 1, 0.2, with_slice=True)
    test = SealedTest(1e-3, [SealedPart(part, part.guard(1e9, 1e-3)) for part in comparison.parts])
    whole, third = findings(*recorded(test, comparison, systems), labels)
    chosen = np.arange(ROWS) % 3 > 0
    assert (whole.rows, third.rows) == (ROWS, int(chosen.sum()))
    errors = np.abs(comparison.candidate.sealed - labels)
    assert whole.candidate_loss == pytest.approx(errors.mean())
    assert third.candidate_loss == pytest.approx(errors[chosen].mean())
    assert third.estimate.mean == pytest.approx(third.candidate_loss - third.reference_loss)
    assert third.bound > third.estimate.mean + third.estimate.error


@given(
    values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20),
    name=NAMES,
    shift=st.floats(-1, 1),
)
def test_rows_are_read_back_to_the_last_bit(values, name, shift):
    """Predictions of any size and slices of any permitted name survive the table."""
    numbers = np.array(values)
    ids = [f"s{n}" for n in range(len(values))]
    rows = SealedRows(ids, ["Na-Cl"] * len(values), numbers, numbers + shift, {name: numbers > 0})
    found = SealedRows.parse(rows.to_bytes(), "uses.csv")
    assert list(found.row_ids) == ids
    assert np.array_equal(found.candidate, rows.candidate)
    assert np.array_equal(found.reference, rows.reference)
    assert {key: mask.tolist() for key, mask in found.slices.items()} == {
        name: (numbers > 0).tolist()
    }


def test_infinite_threshold_is_written_as_null_and_read_as_infinite():
    """A guard that counts no row as a blow-up does not lose its infinity in JSON."""
    comparison, systems, labels = compared(BRIER, 0, 0.1, with_slice=False)
    test = SealedTest(1e-3, [SealedPart(part, part.guard(3.0, 1e-3)) for part in comparison.parts])
    assert math.isinf(test.parts[0].guard.threshold)
    use, rows = recorded(test, comparison, systems)
    assert use.requirements[0].threshold is None
    assert findings(use, rows, labels)[0].bit == test.confirms(labels)


DAMAGES = {
    "no table": b"",
    "no text": b"\xff\xfe",
    "another header": b"id,system,candidate,reference\ns1,A,1,2\n",
    "no number": b"row_id,system,candidate,reference\ns1,A,1,two\n",
    "a short row": b"row_id,system,candidate,reference\ns1,A,1\n",
    "a row too long": b"row_id,system,candidate,reference\ns1,A,1,2,3\n",
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_damaged_rows_are_not_carried_out(content):
    """A table that is none is named."""
    with pytest.raises(NotCarriedOutError, match=r"uses/x\.csv on the branch assay-ledger is"):
        SealedRows.parse(content, "uses/x.csv")


def test_slice_that_was_not_recorded_is_named():
    """A requirement about a slice cannot be asked again without its column."""
    first = intent().requirements[0].model_copy(update={"slice": "oxides"})
    rows = SealedRows(["s1", "s2"], ["A", "B"], np.zeros(2), np.zeros(2), {"others": np.ones(2)})
    with pytest.raises(NotCarriedOutError, match="no column for the slice 'oxides'"):
        findings(intent(requirements=[first]), rows, np.zeros(2))


def test_file_is_named_by_set_and_use():
    """Twelve digits of the set, and the number of the use."""
    assert rows_file(SEALED, 7) == f"uses/{SEALED[:12]}-7.csv"


def counted_rows(most: int) -> SealedRows:
    """Twelve rows in three groups, of which so many of a group count."""
    compositions = [f"Na{n}Cl" for n in range(1, 13)]
    groups = [f"group {n % 3}" for n in range(12)]
    chosen = counted_compositions(compositions, groups, most)
    values = np.arange(12.0)
    evidence = CountedRows(compositions, chosen)
    return SealedRows([f"s{n}" for n in range(12)], groups, values, values + 1, {}, evidence)


def test_rows_that_count_are_read_back_and_alone_judged():
    """Every row stands in the table; the bound is made of those that count."""
    rows = SealedRows.parse(counted_rows(2).to_bytes(), "uses.csv")
    assert len(rows.row_ids) == 12
    assert rows.counted.sum() == 6
    (found,) = findings(intent(), rows, np.zeros(12))
    assert found.rows == 6
    assert found.candidate_loss == pytest.approx(np.abs(rows.candidate[rows.counted]).mean())


def test_rows_that_count_follow_from_compositions():
    """A row that was exchanged for another of its group is found out, as is one left out."""
    rows = counted_rows(2)
    assert rows.evidence.follow(rows.systems, 2)
    group = np.array(rows.systems) == "group 0"
    other = rows.counted.copy()
    other[group] = ~other[group]
    for chosen in (other, rows.counted & ~group):
        assert not CountedRows(rows.evidence.compositions, chosen).follow(rows.systems, 2)
