"""Unlabelled compositions on which two models are compared: a person's list, or a neighbourhood."""

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import identity, parse, problem, reduced_formula
from assay.errors import UsageError
from assay.features.parsing import amounts
from assay.features.spelling import keys
from assay.gate.decision import POOL_ROWS, POOL_ROWS_PER_SEALED
from assay.intake.columns import formula_column, require_further
from assay.intake.files import read_raw
from assay.intake.formulas import Unusable, read_formulas
from assay.intake.raw import OF_A_LIST

FORMULA = "formula"
# elements that stand for another one: those next to it by Mendeleev number
PARTNERS = 6
# shares of the first of two compositions in a mixture of them
WEIGHTS = (0.25, 0.5, 0.75)
# digits of an amount in a table of alloys, and the least amount that is kept
DIGITS, LEAST = 4, 5e-4
TRIES = 30

Content = dict[str, float]


def pool_rows(sealed_rows: int) -> int:
    """How large a pool the gate asks for beside so many sealed rows."""
    return min(POOL_ROWS, POOL_ROWS_PER_SEALED * sealed_rows)


def read_pool(path: Path, known: pd.DataFrame, unusable: Unusable | None = None) -> pd.DataFrame:
    """The compositions of a person's list, each once, that are not in the table `known`.

    Both have `formula` and the same further columns. What the features have no numbers for is left
    out like text that cannot be read.

    Raises:
        UsageError: it is no table, lacks a column, or holds no other composition that can be read.
    """
    table = read_raw(path, None, OF_A_LIST)
    further = [name for name in known if name != FORMULA]
    require_further(table, further)
    cells = table.cells[formula_column(table, None, None)]
    read = read_formulas(cells, unusable)
    rows = table.cells[further].assign(**{FORMULA: read.spelt})[[FORMULA, *further]]
    rows = _distinct(rows[[text is not None for text in read.spelt]], known)
    if rows.empty:
        raise UsageError(
            f"{table.name} has no readable composition beside those of the labelled table: name "
            "another list with --pool, or leave the option out.",
            code="intake.no-pool",
        )
    return rows


def neighbourhood(known: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Compositions near those of a table, of its elements alone, and none of them in it.

    Each begins with a row of the table, whose further columns it keeps, and of whose composition an
    element is replaced by one that is near it in Pettifor's table (by the Mendeleev number), an
    amount is changed, or, where most amounts are no whole numbers, as in alloys, which is mixed
    with another one. The same table and seed give the same compositions.

    Args:
        known: `formula` and further columns (n rows).
        rows: how many are wanted; of a small chemistry there may be fewer.
        seed: of what is drawn.
    """
    contents = [_content(formula) for formula in known[FORMULA]]
    present = sorted({symbol for content in contents for symbol in content})
    rng = np.random.default_rng(seed)
    ways: list[Callable[[Content], Content | None]] = [
        lambda content: _replaced(content, present, rng),
        lambda content: _changed(content, rng),
    ]
    if _is_of_alloys(contents):
        ways.append(lambda content: _mixed(content, contents[rng.integers(len(contents))], rng))
    found: dict[str, tuple[int, str]] = {}
    names = set(map(identity, known[FORMULA]))
    for _ in range(TRIES * rows):
        if len(found) == rows:
            break
        at = int(rng.integers(len(contents)))
        made = ways[rng.integers(len(ways))](contents[at])
        spelt = "" if made is None else _spelt(made)
        if spelt and problem(spelt) is None and (name := identity(spelt)) not in names:
            found.setdefault(name, (at, reduced_formula(spelt)))
    taken = known.iloc[[at for at, _ in found.values()]]
    return taken.assign(**{FORMULA: [spelt for _, spelt in found.values()]})


def _distinct(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    seen = set(keys(amounts(list(known[FORMULA]))))
    names = keys(amounts(list(rows[FORMULA])))
    return rows[[not (name in seen or seen.add(name)) for name in names]]  # type: ignore[func-returns-value]


def _content(formula: str) -> Content:
    return {element.symbol: float(amount) for element, amount in parse(formula).items()}


def _is_of_alloys(contents: Sequence[Content]) -> bool:
    broken = sum(any(not n.is_integer() for n in content.values()) for content in contents)
    return 2 * broken > len(contents)


def _replaced(content: Content, present: Sequence[str], rng: np.random.Generator) -> Content | None:
    out = str(rng.choice(list(content)))
    near = [one for one in _order() if one in present and (one == out or one not in content)]
    at = near.index(out)
    around = near[max(at - PARTNERS // 2, 0) : at + PARTNERS // 2 + 1]
    beside = [one for one in around if one != out]
    if not beside:
        return None
    new = str(rng.choice(beside))
    return {new if symbol == out else symbol: amount for symbol, amount in content.items()}


def _changed(content: Content, rng: np.random.Generator) -> Content:
    symbol = str(rng.choice(list(content)))
    whole = all(amount.is_integer() for amount in content.values())
    amount = content[symbol]
    new = float(rng.integers(1, 7)) if whole else amount * float(rng.uniform(0.5, 1.5))
    return {**content, symbol: new}


def _mixed(first: Content, second: Content, rng: np.random.Generator) -> Content:
    weight = float(rng.choice(WEIGHTS))
    parts = ((first, weight), (second, 1 - weight))
    return {
        symbol: sum(share * one.get(symbol, 0) / sum(one.values()) for one, share in parts)
        for symbol in {**first, **second}
    }


def _spelt(content: Content) -> str:
    amounts = {symbol: round(amount, DIGITS) for symbol, amount in content.items()}
    return "".join(
        symbol + ("" if amount == 1 else f"{amount:.{DIGITS}f}".rstrip("0").rstrip("."))
        for symbol, amount in amounts.items()
        if amount >= LEAST
    )


@lru_cache(maxsize=1)
def _order() -> list[str]:
    """All elements by their Mendeleev number (Pettifor's order, as pymatgen has it)."""
    from pymatgen.core import Element

    with warnings.catch_warnings():  # the heaviest elements have no such number
        warnings.simplefilter("ignore")
        numbered = [element for element in Element if element.mendeleev_no is not None]
    ordered = sorted(numbered, key=lambda element: (element.mendeleev_no, element.Z))
    rest = sorted(set(Element) - set(numbered), key=lambda element: element.Z)
    return list(dict.fromkeys(element.symbol for element in (*ordered, *rest)))
