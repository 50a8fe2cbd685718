"""Periodic tables coloured by what a model knows of each element, and how well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.gate.metrics import Metric
from assay.report.drawing import ACCENT, SOFT, TABLE, Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LANTHANUM, _LUTETIUM, _ACTINIUM, _LAWRENCIUM = 57, 71, 89, 103
_MIDDLE: Any = {"ha": "center", "va": "center"}


@dataclass(frozen=True)
class Cell:
    """What is shown of an element: how strong its colour is, 0 to 1, and a figure."""

    strength: float
    figure: str


@dataclass(frozen=True)
class Scale:
    """The legend: what is shown, and the figures at both ends of the colours."""

    name: str
    low: str
    high: str


def losses_by_element(
    elements: Sequence[frozenset[str]], losses: np.ndarray
) -> dict[str, np.ndarray]:
    """The losses (n,) of the rows that hold an element, for each element that any row holds."""
    collected: dict[str, list[float]] = {}
    for symbols, loss in zip(elements, losses, strict=True):
        for symbol in symbols:
            collected.setdefault(symbol, []).append(float(loss))
    return {symbol: np.array(values) for symbol, values in collected.items()}


def errors(losses: Mapping[str, np.ndarray], metric: Metric, name: str) -> Drawing:
    """Mean error by element, in the metric's own unit: the stronger the colour, the larger.

    The scale ends at the 95th percentile, so that one rare element does not bleach the rest.
    """
    means = {symbol: metric.shown(float(own.mean())) for symbol, own in losses.items()}
    top = max(float(np.quantile([*means.values()], 0.95)), 1e-12)
    cells = {symbol: Cell(min(mean / top, 1.0), _short(mean)) for symbol, mean in means.items()}
    return _table("errors", cells, Scale(name, "0", f"≥ {_short(top)}"))


def coverage(losses: Mapping[str, np.ndarray]) -> Drawing:
    """Number of train rows by element, on a logarithmic scale."""
    counts = {symbol: len(own) for symbol, own in losses.items()}
    top = max(counts.values())
    cells = {
        symbol: Cell(float(np.log(count) / np.log(top)) if top > 1 else 1.0, f"{count}")
        for symbol, count in counts.items()
    }
    return _table("coverage", cells, Scale("train rows (log)", "1", f"{top:,}"))


def _table(name: str, cells: Mapping[str, Cell], scale: Scale) -> Drawing:
    def draw(axes: "Axes") -> None:
        for symbol, row, column in _places():
            _cell(axes, (row, column), symbol, cells.get(symbol))
        _legend(axes, scale)
        axes.set(xlim=(0.9, 19.05), ylim=(10.6, 0.9))
        axes.set_axis_off()

    return Drawing(name, TABLE, draw)


def _places() -> Iterator[tuple[str, float, int]]:
    from pymatgen.core import Element

    for number in range(1, _LAWRENCIUM + 1):
        element = Element.from_Z(number)
        if _LANTHANUM <= number <= _LUTETIUM:
            yield element.symbol, 8.4, number - _LANTHANUM + 3
        elif _ACTINIUM <= number <= _LAWRENCIUM:
            yield element.symbol, 9.4, number - _ACTINIUM + 3
        else:
            yield element.symbol, float(element.row), element.group


def _cell(axes: "Axes", place: tuple[float, int], symbol: str, cell: Cell | None) -> None:
    from matplotlib.patches import Rectangle

    row, column = place
    box = Rectangle((column, row), 0.94, 0.94, linewidth=0, facecolor=ACCENT)
    if cell:
        box.set_alpha(_opacity(cell.strength))
        axes.text(column + 0.47, row + 0.32, symbol, weight="bold", **_MIDDLE)
        axes.text(column + 0.47, row + 0.7, cell.figure, fontsize=7, **_MIDDLE)
    else:
        box.set(facecolor="none", edgecolor=SOFT, linewidth=0.6, alpha=0.35)
        axes.text(column + 0.47, row + 0.5, symbol, color=SOFT, alpha=0.7, **_MIDDLE)
    axes.add_patch(box)


def _opacity(strength: float) -> float:
    return 0.08 + 0.67 * strength


def _short(value: float) -> str:
    return f"{value:#.2g}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004


def _legend(axes: "Axes", scale: Scale) -> None:
    from matplotlib.patches import Rectangle

    for step in range(24):
        box = Rectangle((4.2 + 0.3 * step, 1.75), 0.3, 0.35, linewidth=0, facecolor=ACCENT)
        box.set_alpha(_opacity(step / 23))
        axes.add_patch(box)
    axes.text(4.2, 1.45, scale.name, ha="left", va="center", fontsize=9, parse_math=False)
    axes.text(4.2, 2.45, scale.low, ha="left", va="center", fontsize=8)
    axes.text(11.4, 2.45, scale.high, ha="right", va="center", fontsize=8)
