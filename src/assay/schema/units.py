"""Tells labels that were carried over into another unit from labels that were corrected."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from assay.compositions import identity
from assay.schema.formulas import atoms

# One unit of each name in the first unit of its dimension. CODATA 2018: 1 eV = 96.48533 kJ/mol.
ENERGY = {
    "eV": 1.0,
    "meV": 1e-3,
    "kJ/mol": 1 / 96.48533,
    "J/mol": 1e-3 / 96.48533,
    "kcal/mol": 1 / 23.06055,
    "hartree": 27.211386,
    "rydberg": 13.605693,
}
OTHERS: tuple[dict[str, float], ...] = (
    {"Å": 1.0, "nm": 10.0, "pm": 0.01, "bohr": 0.529177},
    {"GPa": 1.0, "MPa": 1e-3, "kbar": 0.1, "Mbar": 100.0, "eV/Å³": 160.21766},
    {"g/cm³": 1.0, "kg/m³": 1e-3},
    {"S/cm": 1.0, "S/m": 1e-2, "mS/cm": 1e-3},
    {"W/(m K)": 1.0, "W/(cm K)": 100.0},
    {"V": 1.0, "mV": 1e-3},
    {"T": 1.0, "mT": 1e-3, "G": 1e-4},
    {"%": 0.01, "share": 1.0},
    {"K": 1.0, "mK": 1e-3},
)
SPELLINGS = {
    "kJ": "kJ/mol",
    "J": "J/mol",
    "kcal": "kcal/mol",
    "Ha": "hartree",
    "Hartree": "hartree",
    "Ry": "rydberg",
    "Rydberg": "rydberg",
    "Angstrom": "Å",
    "angstrom": "Å",
    "A": "Å",
    "\u212b": "Å",
    "percent": "%",
    "°C": "K",
    "C": "K",
    "g/cm3": "g/cm³",
    "kg/m3": "kg/m³",
    "W/mK": "W/(m K)",
    "eV/A3": "eV/Å³",
    "eV/Å3": "eV/Å³",
    "eV/Å^3": "eV/Å³",
}
# What a quantity is divided by that has a value for each particle.
PARTICLES = re.compile(
    r"(?:/|\bper\b)\s*(?:atoms?|at\.?|mol|f\.?u\.?|formula(?: unit)?|cell|molecule|ion|site)\b\.?"
    r"|\bmol(?:-1|\^-1|⁻¹)|\bat(?:om)?(?:-1|\^-1|⁻¹)"
)
# Of a unit that is not known, the numbers alone are looked for.
FACTORS = (96.48533, 23.06055, 4.184, 27.211386, 13.605693)
USUAL = "a usual factor between two units"
DECIMAL = "as by a slipped decimal point or another prefix"
TENS = (10.0, 100.0, 1000.0, 1e6)
KELVIN = 273.15
TOLERANCE = 0.003
# One corrected label can stand near some factor of the old one by chance; three are no chance,
# if they are not few among the rows that changed.
LEAST = 3
SHARE = 0.02

Said = tuple[str, str]


def converted(
    formulas: Sequence[str],
    before: Sequence[float] | np.ndarray,
    after: Sequence[float] | np.ndarray,
    unit: str,
    least: int = LEAST,
) -> list[str | None]:
    """Say of each row (n,) what was done to its label, or None.

    Args:
        formulas: formulas of the rows.
        before: labels on main; nan where there is none.
        after: labels here; nan where there is none.
        unit: that of the target: no pair of another dimension is named.
        least: so many rows must have been treated alike.

    Returns:
        words such as "multiplied by 96.49, as from eV to kJ/mol". Where several explain a row,
        those that explain most rows are given.
    """
    each = zip(formulas, before, after, strict=True)
    possible = [dict(_explanations(*row, unit)) for row in each]
    counts = Counter(kind for kinds in possible for kind in kinds)
    chosen = [max(kinds, key=lambda kind: counts[kind], default=None) for kinds in possible]
    final = Counter(chosen)
    moved = np.abs(np.asarray(after, dtype=float) - np.asarray(before, dtype=float)) > 0
    enough = max(least, SHARE * moved.sum())
    return [
        kinds[kind] if kind is not None and final[kind] >= enough else None
        for kinds, kind in zip(possible, chosen, strict=True)
    ]


def dimension(unit: str) -> tuple[str, dict[str, float]] | None:
    """The unit's name and the units of its dimension, or None of one that is not known."""
    whole = unit.strip().replace("*", " ").replace("·", " ")
    plain = PARTICLES.sub("", whole).strip()
    for text in (whole, plain):
        name = SPELLINGS.get(text, text)
        for units in (ENERGY, *OTHERS):
            if name in units:
                return name, units
    return None


def _explanations(formula: str, before: float, after: float, unit: str) -> Iterator[Said]:
    if not (np.isfinite(before) and np.isfinite(after)) or np.isclose(before, after):
        return
    known = dimension(unit)
    temperature = known is None or "K" in known[1]
    if temperature and np.isclose(abs(after - before), KELVIN, rtol=0, atol=0.02):
        yield "shift", f"shifted by {KELVIN}, as between °C and K"
    if not before or not after:
        return
    yield from _of_ratio(after / before, formula, known)


def _of_ratio(
    ratio: float, formula: str, known: tuple[str, dict[str, float]] | None
) -> Iterator[Said]:
    if _is(ratio, -1):
        yield "sign", "given the other sign"
    conversions = list(_conversions(known))
    for factor, old, new in conversions:
        if _is(ratio, factor):
            yield f"{old} to {new}", f"{_by(factor)}, as from {old} to {new}"
    if known is None or known[1] is ENERGY:
        yield from _by_atoms(ratio, formula, [(1.0, *_itself(known)), *conversions])
    for number, words in (*((ten, DECIMAL) for ten in TENS), *((one, USUAL) for one in FACTORS)):
        for factor in (number, 1 / number):
            if _is(ratio, factor) and (known is None or number in TENS):
                yield f"by {factor}", f"{_by(factor)}, {words}"


def _conversions(known: tuple[str, dict[str, float]] | None) -> Iterator[tuple[float, str, str]]:
    """What a number is multiplied by that was in one unit and is in the other; both ways."""
    name, units = known or ("", {})
    for other, size in units.items():
        if other != name:
            factor = max(size, units[name]) / min(size, units[name])
            larger, smaller = (other, name) if size > units[name] else (name, other)
            yield factor, larger, smaller
            yield 1 / factor, smaller, larger


def _itself(known: tuple[str, dict[str, float]] | None) -> tuple[str, str]:
    return ("a value", "one") if known is None else (known[0], known[0])


def _by_atoms(
    ratio: float, formula: str, conversions: Sequence[tuple[float, str, str]]
) -> Iterator[Said]:
    """What the number of atoms, as written or reduced, explains, with another unit or without."""
    for count in {atoms(formula), atoms(identity(formula))} - {1.0}:
        for factor, old, new in conversions:
            by = "" if factor == 1 else f"{_by(factor)} and "
            for sign, also in ((1, ""), (-1, ", and given the other sign")):
                if _is(ratio, sign * factor * count):
                    words = f"{by}multiplied by the number of atoms{also}"
                    yield f"{words} {old}", f"{words}, as from {old}/atom to {new} per formula"
                if _is(ratio, sign * factor / count):
                    words = f"{by}divided by the number of atoms{also}"
                    yield f"{words} {old}", f"{words}, as from {old} per formula to {new}/atom"


def _by(factor: float) -> str:
    return f"multiplied by {factor:.4g}" if factor >= 1 else f"divided by {1 / factor:.4g}"


def _is(ratio: float, factor: float) -> bool:
    return bool(np.isclose(ratio, factor, rtol=TOLERANCE, atol=0))
