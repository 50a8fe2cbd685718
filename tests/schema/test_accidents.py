"""Accidents of spreadsheets are told from corrections, and name whose label a row got."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from assay.schema.accidents import copied, exchanged, respelt
from assay.schema.differences import TrainRows, paired

FORMULAS = [
    f"{a}{b}{n}"
    for a in ("Li", "Na", "K", "Rb", "Cs")
    for b in ("O", "S", "F", "Cl")
    for n in range(1, 11)
]
LABELS = [round(random.Random(n).gauss(-1.5, 1), 4) for n in range(len(FORMULAS))]


def rows(labels: list[float], formulas: list[str] | None = None, first: int = 1) -> TrainRows:
    """A table of 200 rows."""
    named = formulas or FORMULAS
    ids = [f"t{n:05d}" for n in range(first, first + len(named))]
    return TrainRows(
        ids, named, np.array(labels), [f"{one:g}" for one in labels], np.arange(len(named)) + 2
    )


def donors(
    change: Callable[[list[float]], list[float]],
    main: list[float] | None = None,
    harmless: float = 0.0,
) -> dict[int, int]:
    """Whose label rows have after a change, by their places."""
    before = main or LABELS
    pairing = paired(rows(change(list(before))), rows(before), harmless)
    return exchanged(pairing, pairing.relabelled)


def put(labels: list[float], values: dict[int, float]) -> list[float]:
    """Put values into places."""
    return [values.get(place, label) for place, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda y: put(y, {3: y[90], 90: y[3]}), {3: 90, 90: 3}),
        (lambda y: y[-1:] + y[:-1], {n: n - 1 for n in range(1, 200)} | {0: 199}),
        (lambda y: put(y, {n: y[n - 1] for n in range(50, 58)}), {n: n - 1 for n in range(50, 58)}),
        (lambda y: put(y, {n: y[n + 1] for n in range(50, 58)}), {n: n + 1 for n in range(50, 58)}),
        (lambda y: put(y, dict.fromkeys(range(50, 58), y[49])), dict.fromkeys(range(50, 58), 49)),
        (lambda y: put(y, {n: y[n + 100] for n in range(4)}), {n: n + 100 for n in range(4)}),
    ],
    ids=["two exchanged", "slipped", "some down", "some up", "filled", "another block"],
)
def test_labels_of_other_rows_are_told_with_their_owners(change, expected: dict[int, int]) -> None:
    """Each row that got another's label is found, and whose it is; no other row is."""
    assert donors(change) == expected


def test_a_sorted_column_is_told() -> None:
    """Nearly every row of a column that was sorted by itself has another row's label."""
    assert len(donors(sorted)) > 190


@pytest.mark.parametrize(
    "change",
    [
        lambda y: [round(label + 0.01 * n % 0.07, 4) for n, label in enumerate(y)],
        lambda y: put(y, {n: round(2 * y[n], 4) for n in range(0, 120, 10)}),
        lambda y: put(y, dict.fromkeys(range(10, 16), 0.0)),
        lambda y: put(y, {5: y[4]}),
    ],
    ids=["all moved", "doubled", "set to zero", "one label"],
)
def test_corrected_labels_are_no_accident(change) -> None:
    """Labels that were moved, doubled, set to one number, or that agree once with a neighbour."""
    assert donors(change) == {}


def test_labels_that_are_few_different_numbers_coincide() -> None:
    """Where ten numbers are all that there is, corrected labels are other rows' by chance."""
    coarse = [round(label) / 1 for label in LABELS]
    assert donors(lambda y: put(y, {n: y[n] + 1 for n in range(0, 200, 10)}), coarse) == {}


def test_two_rows_of_one_composition_exchange_nothing() -> None:
    """Duplicates that exchange their labels have between them what they had."""
    named = [*FORMULAS[:-1], FORMULAS[0]]
    after = put(LABELS, {0: LABELS[-1], len(LABELS) - 1: LABELS[0]})
    pairing = paired(rows(after, named), rows(LABELS, named), 0.0)
    assert exchanged(pairing, pairing.relabelled) == {}


def test_another_compound_with_the_label_of_one_that_is_gone_is_told() -> None:
    """A new row that took the place of another is found by its label or its letters."""
    for fresh, label, expected in (
        ("COBr2", LABELS[7], {7: 7}),
        ("CoCl2", LABELS[7], {7: 7}),
        ("COBr2", -9.0, {7: 7}),
        ("CoCl2", -9.0, {}),
    ):
        before = [*FORMULAS[:7], "CoBr2", *FORMULAS[8:]]
        after = [*FORMULAS[:7], fresh, *FORMULAS[8:]]
        here = rows(put(LABELS, {7: label}), after)
        here = TrainRows([*here.ids[:7], "t00999", *here.ids[8:]], *list(vars(here).values())[1:5])
        pairing = paired(here, rows(LABELS, before), 0.0)
        assert respelt(pairing, np.ones(len(here), dtype=bool), by_label=True) == expected


def exchanged_pairs(pairs: int, added: float) -> Callable[[list[float]], list[float]]:
    """Exchange so many pairs, and add a little to each label."""

    def change(labels: list[float]) -> list[float]:
        drawn = random.Random(3)
        places = drawn.sample(range(len(labels)), 2 * pairs)
        values = {}
        for one, other in zip(places[::2], places[1::2], strict=True):
            values[one] = labels[other] + drawn.choice((-1, 1)) * added
            values[other] = labels[one] + drawn.choice((-1, 1)) * added
        return put(labels, values)

    return change


@pytest.mark.parametrize("added", [2e-6, 1e-4, 2e-3])
@pytest.mark.parametrize("pairs", [1, 10])
def test_an_exchange_is_told_through_a_little_that_was_added(pairs: int, added: float) -> None:
    """Labels that are others' within what a rounding may do are found, as equal ones are."""
    change = exchanged_pairs(pairs, added)
    equal = donors(exchanged_pairs(pairs, 0.0))
    assert len(equal) == 2 * pairs
    assert donors(change, harmless=0.002).keys() == equal.keys()
    assert donors(change) == {}


@pytest.mark.parametrize("digits", [4, 2, 1])
def test_corrections_that_come_near_others_labels_are_no_exchange(digits: int) -> None:
    """Of 40 honest sets of corrections, also of few digits, at most two are taken for one."""
    main = [round(label, digits) for label in LABELS]
    told = 0
    for seed in range(40):
        drawn = random.Random(seed)
        places = drawn.sample(range(len(main)), 12)
        values = {n: round(main[n] + drawn.gauss(0, 0.3), digits) for n in places}
        told += bool(donors(lambda y, values=values: put(y, values), main, 0.002))
    assert told <= 2


def added_rows(labels: list[float], main: list[float] = LABELS) -> dict[int, int]:
    """Whose labels new materials have, by their places after the 200 rows."""
    named = [f"Mg{n}Ti" for n in range(1, len(labels) + 1)]
    here = rows([*main, *labels], [*FORMULAS, *named])
    return copied(paired(here, rows(main), 0.0))


def test_new_rows_with_the_labels_of_others_are_told() -> None:
    """Twelve new rows with other rows' labels are named with their owners; honest ones are not."""
    assert added_rows(LABELS[20:32]) == {200 + n: 20 + n for n in range(12)}
    drawn = random.Random(5)
    assert added_rows([round(drawn.gauss(-1.5, 1), 4) for _ in range(40)]) == {}
    assert added_rows([LABELS[7]] * 8) == {}
    coarse = [round(label, 1) for label in LABELS]
    assert added_rows([round(drawn.gauss(-1.5, 1), 1) for _ in range(12)], coarse) == {}
