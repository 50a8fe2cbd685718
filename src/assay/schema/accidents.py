"""The accidents of spreadsheets: labels, or formulas, that stand in the row of another material.

A label can be another row's by chance, above all where few different labels occur. So an accident
is reported only where fewer than one of a hundred changes has as many such labels by chance.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

import numpy as np

from assay.schema.differences import NONE, Pairing

CHANCE = 0.01
LEAST = 2
# What may have been added to an exchanged label, in harmless roundings. Where more is added, labels
# of two materials agree so often that an exchange is no surprise.
ADDED = (5.0, 1.0, 0.1, 0.01, 0.001)
# A label that moved by less than so many times what is added is not another row's.
FARTHER = 10
# Labels that changed may lie where labels are denser than on the average.
DENSER = 2

Donors = dict[int, int]


def exchanged(pairing: Pairing, chosen: np.ndarray) -> Donors:
    """Which of the `chosen` rows here (n,) hold a label that main has for another material.

    Labels that were exchanged, sorted, or that have slipped are those of rows that changed as well;
    labels that were filled down are those of the row above; copied ones can be those of any row.

    Returns:
        the place on main of the row whose label it is, by the place of the row here.
    """
    places = np.flatnonzero(chosen)
    if len(places) < LEAST:
        return {}
    share = _shares(pairing)
    old = {_key(pairing.before[place]) for place in places}
    common = sum(map(share, old)) * (1 - 1 / len(old))  # none is exchanged for itself
    nearby = float(np.mean([share(_key(pairing.here.labels[place])) for place in places]))
    old_ones, new_ones = (
        Counter(map(_key, labels[places])) for labels in (pairing.before, pairing.here.labels)
    )
    if len(places) > LEAST and old_ones == new_ones:
        common = 0.0  # the very same labels in another order
    found: Donors = {}
    for donors, chance in (
        (_among(pairing, places), common),
        (beside(pairing, chosen), 2 * nearby),
    ):
        if len(donors) >= LEAST and _unlikely(len(donors), len(places), chance):
            found = donors | found
    copies = _anywhere(pairing, places)
    # one number for many rows may be right, as 0 is for elements: different labels are counted
    hits = len({_key(pairing.main.labels[donor]) for donor in copies.values()})
    chance = sum(map(share, {_key(label) for label in pairing.main.labels}))
    if hits >= LEAST and _unlikely(hits, len(new_ones), chance):
        found = copies | found
    return found or _disguised(pairing, places)


def _disguised(pairing: Pairing, places: np.ndarray) -> Donors:
    """Labels of other materials whose labels changed as well, with a little added to each."""
    rows, found = len(places), Donors()
    for share in ADDED:
        added = share * pairing.harmless
        donors = _nearly(pairing, places, added)
        mutual = {place: other for place, other in donors.items() if donors.get(other) == place}
        chance = DENSER * _coincidence(pairing, added)
        for those, hits, trials, each in (
            (donors, len(donors), rows, (rows - 1) * chance),
            (mutual, len(mutual) // 2, rows * (rows - 1) // 2, chance**2),
        ):
            if len(those) >= LEAST and _unlikely(hits, trials, each, 2 * len(ADDED)):
                found |= {place: int(pairing.mains[other]) for place, other in those.items()}
    return found


def _nearly(pairing: Pairing, places: np.ndarray, added: float) -> Donors:
    """Rows with a label far from their own, each with the chosen row that had it, give or take."""
    here, identities = pairing.here.labels, pairing.here.identities
    donors = sorted(map(int, places), key=lambda place: pairing.before[place])
    known = pairing.before[donors].tolist()
    found = {}
    for place in map(int, places):
        if pairing.moved[place] <= FARTHER * added:
            continue
        first, last = (
            bisect_left(known, here[place] - added),
            bisect_right(known, here[place] + added),
        )
        others = [one for one in donors[first:last] if identities[one] != identities[place]]
        if others:
            nearest = min(others, key=lambda one: abs(pairing.before[one] - here[place]))
            found[place] = nearest
    return found


def _coincidence(pairing: Pairing, added: float) -> float:
    """The share of main's pairs of rows whose labels are within `added` of each other."""
    labels = np.sort(pairing.main.labels)
    rows = len(labels)
    pairs = np.searchsorted(labels, labels + added, side="right") - np.arange(1, rows + 1)
    return float(pairs.sum() + 1) / max(rows * (rows - 1) / 2, 1)


def copied(pairing: Pairing) -> Donors:
    """Which added rows have exactly the label that main has for another material.

    How often that is chance follows from main's own rows, whose labels may be rounded.

    Returns:
        the place on main of the row whose label it is, by the place of the row here.
    """
    labels = [_key(label) for label in pairing.main.labels]
    materials: dict[float, set[str]] = {}
    for label, name in zip(labels, pairing.main.identities, strict=True):
        materials.setdefault(label, set()).add(name)
    chance = float(np.mean([len(materials[label]) > 1 for label in labels]))
    found = _anywhere(pairing, pairing.added)
    # one number for many rows may be right, as 0 is for elements: different labels are counted
    hits = len({labels[donor] for donor in found.values()})
    new_ones = len({_key(pairing.here.labels[place]) for place in pairing.added})
    return found if hits >= LEAST and _unlikely(hits, new_ones, chance) else {}


def _among(pairing: Pairing, places: np.ndarray) -> Donors:
    """Labels that main has for other materials whose labels changed as well."""
    known: dict[float, list[int]] = {}
    for place in places:
        known.setdefault(_key(pairing.before[place]), []).append(int(place))
    found = {}
    for place in places:
        others = known.get(_key(pairing.here.labels[place]), ())
        if (other := _another(pairing, int(place), others)) is not None:
            found[int(place)] = int(pairing.mains[other])
    return found


def _anywhere(pairing: Pairing, places: np.ndarray) -> Donors:
    """Labels that main has for any other material."""
    main, here = pairing.main, pairing.here
    known: dict[float, list[int]] = {}
    for donor, label in enumerate(main.labels):
        known.setdefault(_key(label), []).append(donor)
    found = {}
    for place in map(int, places):
        for donor in known.get(_key(here.labels[place]), ()):
            if main.identities[donor] != here.identities[place]:
                found[place] = donor
                break
    return found


def beside(pairing: Pairing, chosen: np.ndarray) -> Donors:
    """Labels that main has for the material in the row above or below, or at the end of a fill."""
    here = pairing.here
    found: Donors = {}
    for step, places in ((-1, range(len(here))), (1, range(len(here) - 1, -1, -1))):
        ends: dict[int, int] = {}  # of a row that was filled, the row whose label it got
        for place in places:
            other = place + step
            if not (chosen[place] and 0 <= other < len(here)):
                continue
            for source in (other, ends.get(other, other)):
                if _is_label_of(pairing, source, place):
                    found.setdefault(place, int(pairing.mains[source]))
                    ends[place] = source
                    break
    return found


def _is_label_of(pairing: Pairing, source: int, place: int) -> bool:
    identities = pairing.here.identities
    return (
        pairing.mains[source] != NONE
        and _key(pairing.before[source]) == _key(pairing.here.labels[place])
        and identities[source] != identities[place]
    )


def _another(pairing: Pairing, place: int, others: Iterable[int]) -> int | None:
    identities = pairing.here.identities
    return next((one for one in others if identities[one] != identities[place]), None)


def respelt(pairing: Pairing, chosen: np.ndarray, *, by_label: bool) -> Donors:
    """Which rows here, that main lacks, took the place of another material: new id, old label.

    Formulas that differ by case alone are one of them whatever the label is.

    Args:
        pairing: the rows.
        chosen: the rows here that are looked at, (n,) bool.
        by_label: whether an equal label tells anything; else formulas alone are compared.

    Returns:
        the place on main of the row that is gone, by the place of the row here.
    """
    here, main = pairing.here, pairing.main
    added = [int(place) for place in pairing.added if chosen[place]]
    gone_by_case: dict[str, int] = {}
    gone_by_label: dict[float, list[int]] = {}
    for gone in map(int, pairing.removed):
        gone_by_case.setdefault(main.formulas[gone].casefold(), gone)
        gone_by_label.setdefault(_key(main.labels[gone]), []).append(gone)
    found = {
        place: gone_by_case[formula]
        for place in added
        if (formula := here.formulas[place].casefold()) in gone_by_case
    }
    if not by_label:
        return found
    chance = sum(map(_shares(pairing), gone_by_label))
    moved = {}
    for place in added:
        if free := gone_by_label.get(_key(here.labels[place])):
            moved[place] = free.pop(0)
    return moved | found if moved and _unlikely(len(moved), len(added), chance) else found


def by_case_alone(one: str, other: str) -> bool:
    """Whether two formulas are the same letters in another case."""
    return one != other and one.casefold() == other.casefold()


def _key(label: float) -> float:
    return float(f"{label:.9g}")


def _shares(pairing: Pairing) -> Callable[[float], float]:
    """The chance of a label: that of one step of the last digit, and more where it is tied."""
    labels = pairing.main.labels
    counts = Counter(map(_key, labels))
    low, high = np.quantile(labels, [0.25, 0.75])
    steps = 2 * (high - low) / 10.0 ** _last_place(pairing.main.cells)
    common = 1 / max(steps, len(counts))
    return lambda label: common + max(counts[label] - 1, 0) / len(labels)


def _last_place(cells: Iterable[str]) -> int:
    places = [0]
    for cell in cells:
        try:
            place = Decimal(cell.strip()).normalize().as_tuple().exponent
        except InvalidOperation:
            continue
        places += [place] if isinstance(place, int) else []
    return max(min(places), -9)


def _unlikely(hits: int, rows: int, chance: float, questions: int = 1) -> bool:
    """Whether so many hits are too many for chance, where so many questions are asked."""
    from scipy.stats import binom

    return bool(binom.sf(hits - 1, rows, min(float(chance), 1.0)) < CHANCE / questions)
