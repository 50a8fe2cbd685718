"""Tables of every shape that people bring, made up: one function a shape, each gives its table.

The first column holds formulas as they would stand in a file, the second the target; both are text.
Labels follow from the composition with some noise, so that a model can learn them.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

METALS = [
    *("Li", "Na", "K", "Mg", "Ca", "Sr", "Ba", "Al", "Ga", "Sc", "Y", "La", "Ti", "Zr", "Hf"),
    *("V", "Nb", "Ta", "Cr", "Mo", "Mn", "Fe", "Ni", "Cu", "Zn", "Ge", "Sn", "Pb", "Bi"),
]
NONMETALS = ["O", "S", "Se", "Te", "F", "Cl", "Br", "P", "As", "Sb"]
SOLUTES = ["Cr", "Ni", "Mo", "Mn", "Al", "Ti", "Nb"]
# amounts, compounds and cells that no program can make a composition of
UNREADABLE = [
    *("YBa2Cu3O7-d", "Pd1D0.81", "La2Sr0Cu0.8Zn0.2O4", "Sm1Ba-1Cu3O6.94", "Al2O3:Cr"),
    *("Nb2Cu1O10=z", "KF.2H2O", "Ba1-xKxFe2As2", "n/a", "mixed phase"),
]


def dilute_series(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Steels: iron with a few percent of several metals, each composition once."""
    rng = np.random.default_rng(seed)
    shares = rng.integers(0, 60, size=(4 * rows, len(SOLUTES))) / 1000
    shares[rng.random(shares.shape) < 0.4] = 0
    shares = np.unique(shares, axis=0)
    shares = rng.permutation(shares[shares.any(axis=1)])[:rows]
    pairs = [[(s, x) for s, x in zip(SOLUTES, row, strict=True) if x] for row in shares]
    formulas = [
        "".join(f"{s}{x:.3f}" for s, x in [("Fe", 1 - sum(x for _, x in row)), *row])
        for row in pairs
    ]
    strength = 900 + shares @ rng.uniform(2e3, 9e3, len(SOLUTES)) + rng.normal(0, 60, len(shares))
    return _table(formulas, "yield strength [MPa]", strength, "{:.0f}")


def polymorphs(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Energies of phases: three rows a composition, as far apart as compositions are."""
    rng = np.random.default_rng(seed)
    formulas = compounds(-(-rows // 3), seed)
    energy = np.repeat(label(formulas, seed), 3) + np.tile([0.0, 0.3, 1.2], len(formulas))
    order = rng.permutation(len(energy))[:rows]
    return _table(np.repeat(formulas, 3)[order], "energy (eV/atom)", energy[order], "{:.4f}")


def giant_groups(rows: int = 5680, seed: int = 0) -> pd.DataFrame:
    """Glasses: half of the rows in five chemical systems, a third in fifty, the rest scattered."""
    rng = np.random.default_rng(seed)
    systems = [rng.choice(METALS, 3, replace=False) for _ in range(5 + 50 + rows // 6)]
    weights = np.concatenate([[1 / 10] * 5, [1 / 150] * 50, [1 / rows] * (rows // 6)])
    drawn = rng.choice(len(systems), 3 * rows, p=weights / weights.sum())
    percent = rng.integers(5, 60, size=(3 * rows, 2))
    texts = [
        f"{a}{x}{b}{y}{c}{100 - x - y}"
        for (a, b, c), (x, y) in zip((systems[at] for at in drawn), percent, strict=True)
        if x + y < 98
    ]
    formulas = _sound(texts)[:rows]
    glass = np.where(label(formulas, seed) > np.median(label(formulas, seed)), "glass", "crystal")
    return pd.DataFrame({"formula": formulas, "phase": glass})


def few(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """A small table: one row a composition, of as many chemical systems nearly."""
    formulas = compounds(rows, seed)
    return _table(formulas, "gap (eV)", np.abs(label(formulas, seed)), "{:.2f}")


def superconductors(
    rows: int = 16_000, seed: int = 0, unreadable: int = 47, contradicting: int = 200
) -> pd.DataFrame:
    """A published collection: kelvin in the header, some rows unreadable, some contradicting."""
    rng = np.random.default_rng(seed)
    formulas = doped(rows - unreadable - contradicting, seed)
    values = 40 * np.abs(label(formulas, seed))
    again = rng.choice(len(formulas), contradicting, replace=False)
    broken = [UNREADABLE[at % len(UNREADABLE)] for at in range(unreadable)]
    texts = [*formulas, *(formulas[at] for at in again), *broken]
    every = np.concatenate([values, values[again] + 50, np.full(unreadable, 9.5)])
    order = rng.permutation(len(texts))
    return _table([texts[at] for at in order], "Tc (K)", every[order], "{:.1f}", "compound")


def text_classes(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Metal or insulator, in words."""
    formulas = compounds(rows, seed)
    values = label(formulas, seed)
    kind = np.where(values > np.median(values), "metal", "insulator")
    return pd.DataFrame({"Composition": formulas, "kind": kind})


def tiny_numbers(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Expansion coefficients near 1e-6, of which ten stand twice, nine times as large."""
    formulas = compounds(rows - 10, seed)
    values = 1e-6 * (1 + np.abs(label(formulas, seed)))
    texts = [*formulas, *formulas[:10]]
    return _table(texts, "alpha (1/K)", np.concatenate([values, 9 * values[:10]]), "{:.4g}")


SHAPES: dict[str, Callable[[], pd.DataFrame]] = {
    make.__name__: make
    for make in (
        *(dilute_series, polymorphs, giant_groups, few, superconductors, text_classes),
        tiny_numbers,
    )
}


def compounds(rows: int, seed: int) -> list[str]:
    """Formulas of two metals and a nonmetal in small whole amounts, each composition once."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(3 * rows):
        one, other = rng.choice(METALS, 2, replace=False)
        n, m, k = rng.integers(1, 6, 3)
        texts.append(f"{one}{n}{other}{m}{rng.choice(NONMETALS)}{k}")
    return _sound(texts)[:rows]


def doped(rows: int, seed: int) -> list[str]:
    """Formulas with decimals, as of doped oxides and pnictides, each composition once."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(2 * rows):
        a, b, c = rng.choice(METALS, 3, replace=False)
        x = rng.integers(5, 96) / 100
        n = rng.integers(1, 4)
        texts.append(f"{a}{x:.2f}{b}{1 - x:.2f}{c}{n}{rng.choice(['O', 'As', 'Se'])}{n + 1}")
    return _sound(texts)[:rows]


def label(formulas: Sequence[str], seed: int) -> np.ndarray:
    """A number (n,) that follows from the shares of the elements, about normal, with noise."""
    from assay.features.parsing import amounts

    content = amounts(list(formulas))
    rng = np.random.default_rng(seed + 1)
    worth = rng.normal(0, 2, 119)[content.numbers] * content.fractions
    return np.add.reduceat(worth, content.starts) + rng.normal(0, 0.1, len(content))


def _sound(texts: Sequence[str]) -> list[str]:
    """The texts that can be read, one of each composition."""
    from assay.features.parsing import readable
    from assay.features.spelling import groups

    content, _ = readable(texts)
    _, first = np.unique(groups(content), return_index=True)
    return [content[at] for at in sorted(first.tolist())]


def _table(
    formulas: Sequence[str], name: str, values: np.ndarray, form: str, column: str = "formula"
) -> pd.DataFrame:
    return pd.DataFrame({column: list(formulas), name: [form.format(value) for value in values]})
