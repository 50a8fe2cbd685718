"""What the data checks ask of one formula, readable or not."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from assay.compositions import (
    chemical_system,
    elements,
    identity,
    parse,
    problem,
    reduced_formula,
)
from assay.features.parsing import Amounts, readable
from assay.features.tables import element_symbols

Kin = Literal["identical", "near", "system"]

# In compounds of these, valence explains the formula; intermetallics have no oxidation states.
ANIONS = frozenset({"O", "S", "Se", "Te", "N", "F", "Cl", "Br", "I"})
NEAR = 0.01
# Guesses for larger formulas take seconds.
MOST_ATOMS = 30


def reduced(formula: str) -> str:
    """The reduced formula, or the text itself where it cannot be read (another rule says so)."""
    return reduced_formula(formula) if problem(formula) is None else formula


def system(formula: str) -> str:
    """The chemical system, or the text itself where it cannot be read."""
    return chemical_system(formula) if problem(formula) is None else formula


def symbols(formulas: Iterable[str]) -> frozenset[str]:
    """The elements of all readable formulas."""
    content, _ = _read(list(formulas))
    return frozenset(element_symbols()[number] for number in np.unique(content.numbers))


def hold_only(formulas: Sequence[str], known: frozenset[str]) -> np.ndarray:
    """Whether each formula holds no element but those `known`: (n,) bool.

    One that cannot be read does, since another rule speaks of it.
    """
    content, places = _read(formulas)
    strange = np.array([symbol not in known for symbol in element_symbols()])
    holds = np.ones(len(formulas), dtype=bool)
    holds[places[content.rows[strange[content.numbers]]]] = False
    return holds


def _read(formulas: Sequence[str]) -> tuple[Amounts, np.ndarray]:
    """The amounts of the formulas that can be read, and which these are."""
    content, reasons = readable(formulas)
    return content, np.flatnonzero([reason is None for reason in reasons])


def atoms(formula: str) -> float:
    """The number of atoms in a readable formula as it is written."""
    return float(parse(formula).num_atoms)


def is_charge_balanced(formula: str) -> bool:
    """Whether pymatgen finds oxidation states that add up to zero.

    True also for what is not judged: elements, intermetallics, unreadable and very large formulas.
    """
    if problem(formula) is not None or len(elements(formula)) == 1:
        return True
    if not elements(formula) & ANIONS:
        return True
    try:
        return bool(parse(formula).oxi_state_guesses(max_sites=-MOST_ATOMS))
    except ValueError:  # amounts that are not whole, or more atoms than are tried
        return True


class Relatives:
    """Compositions, asked how near another one stands to them."""

    def __init__(self, formulas: Iterable[str]) -> None:
        """Keep the readable ones."""
        from scipy.spatial import KDTree

        self._known = {identity(text): text for text in formulas if problem(text) is None}
        self._identities = sorted(self._known)
        self._systems = set(map(system, self._known.values()))
        fractions = [_fractions(self._known[name]) for name in self._identities]
        self._tree = KDTree(np.reshape(fractions, (-1, 119)))

    def kin(self, formula: str) -> Kin | None:
        """The nearest relation: one composition, all atomic fractions within 0.01, or one system.

        An element that one of the two lacks has the fraction 0 there: a trace makes no stranger.
        """
        if problem(formula) is not None:
            return None
        if identity(formula) in self._known:
            return "identical"
        if self.nearest(formula) is not None:
            return "near"
        return "system" if system(formula) in self._systems else None

    def nearest(self, formula: str) -> str | None:
        """The identity of the composition whose atomic fractions all lie within 1 %, or None."""
        if not self._identities:
            return None
        apart, place = self._tree.query(_fractions(formula), p=np.inf)
        return self._identities[int(place)] if apart <= NEAR else None


@lru_cache(maxsize=1)
def relatives_of(formulas: tuple[str, ...]) -> Relatives:
    """The same, made once for all rules that ask of one table."""
    return Relatives(formulas)


def _fractions(formula: str) -> np.ndarray:
    """Atomic fractions (119,) by atomic number."""
    fractions = np.zeros(119)
    for element, share in parse(formula).fractional_composition.items():
        fractions[element.Z] = share
    return fractions
