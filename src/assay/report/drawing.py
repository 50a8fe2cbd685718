"""Drawings by matplotlib as inline SVG or PNG, and periodic tables coloured by numbers."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.gate.metrics import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# the first colours of matplotlib's cycle, whatever these are where the drawing is shown
INK, SOFT, ACCENT, CONTRAST = "C0", "C1", "C2", "C3"

# matplotlib cannot write CSS variables, so stand-ins are drawn and replaced in the SVG
_VARIABLES = {
    "#010203": "--ink",
    "#040506": "--soft",
    "#070809": "--accent",
    "#0a0b0c": "--contrast",
}
# the page's light theme: a PNG has a white ground in a dark theme, too
_LIGHT = ("#1c2024", "#5c646c", "#1f66ad", "#b4530a")
_DENSITY, _SHADES = 162, 96
# in inches around a drawing: what is white may lie on a dark page
_NARROW, _BORDER = 0.04, 0.1

PLOT, TABLE = (4.8, 3.9), (9.4, 4.9)
_LANTHANUM, _LUTETIUM, _ACTINIUM, _LAWRENCIUM = 57, 71, 89, 103
_MIDDLE: Any = {"ha": "center", "va": "center"}


@dataclass(frozen=True)
class Drawing:
    """What `paint` paints, `size` inches wide and high.

    No window system and no global state are touched; equal drawings give equal bytes.
    """

    name: str
    size: tuple[float, float]
    paint: Callable[["Axes"], None]

    def svg(self) -> str:
        """An element `svg` to stand in a page, in its style and free of identifiers."""
        from matplotlib import rc_context

        # names of shapes within an SVG are hashes with this salt: no two pictures share one
        with rc_context({**_style([*_VARIABLES], "none"), "svg.hashsalt": self.name}):
            return _svg(self._figure(_NARROW))

    def png(self) -> bytes:
        """A PNG with a white ground, some 780 pixels wide for a plot, in 96 colours: a small file.

        To be shown at half its width, as screens are.
        """
        from matplotlib import rc_context

        with rc_context(_style(_LIGHT, "white")):
            return _png(self._figure(_BORDER))

    def _figure(self, border: float) -> "Figure":
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        layout = ConstrainedLayoutEngine(w_pad=border, h_pad=border)
        figure = Figure(figsize=self.size, layout=layout)
        self.paint(figure.add_subplot())
        return figure


def _style(colours: Sequence[str], ground: str) -> Any:
    from matplotlib import rcParamsDefault
    from matplotlib.rcsetup import cycler

    ink, soft, *_ = colours
    # a matplotlibrc of the repository changes no picture
    return dict(rcParamsDefault) | {  # matplotlib types the keys one by one
        "axes.edgecolor": soft,
        "axes.labelcolor": ink,
        "axes.prop_cycle": cycler(color=colours),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.facecolor": ground,
        "axes.facecolor": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "text.color": ink,
        "xtick.color": soft,
        "xtick.labelcolor": ink,
        "ytick.color": soft,
        "ytick.labelcolor": ink,
    }


def _svg(figure: "Figure") -> str:
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, dpi=200)
    text = stream.getvalue().decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="[A-Za-z]+(\.[a-z]+)?_\d+"', "", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)


def _png(figure: "Figure") -> bytes:
    from PIL import Image

    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=_DENSITY)
    image = Image.open(drawn).convert("RGB")
    reduced = image.quantize(_SHADES, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(small, format="png", optimize=True)
    return small.getvalue()


def label(name: str, unit: str) -> str:
    """A name and its unit, both cut to a length that fits an axis."""
    return name[:40] if unit in {"", "1"} else f"{name[:40]} ({unit[:20]})"


def label_axes(axes: "Axes", x: str, y: str) -> None:
    """Name both axes; a dollar sign in a unit is money, not mathematics."""
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)


@dataclass(frozen=True)
class Cell:
    """What is shown of an element: how strong its colour is, 0 to 1, and a figure."""

    strength: float
    figure: str


@dataclass(frozen=True)
class Legend:
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
    return _table("errors", cells, Legend(name, "0", f"≥ {_short(top)}"))


def coverage(losses: Mapping[str, np.ndarray]) -> Drawing:
    """Number of train rows by element, on a logarithmic scale."""
    counts = {symbol: len(own) for symbol, own in losses.items()}
    top = max(counts.values())
    cells = {
        symbol: Cell(float(np.log(count) / np.log(top)) if top > 1 else 1.0, f"{count}")
        for symbol, count in counts.items()
    }
    return _table("coverage", cells, Legend("train rows (log)", "1", f"{top:,}"))


def _table(name: str, cells: Mapping[str, Cell], scale: Legend) -> Drawing:
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


def _legend(axes: "Axes", scale: Legend) -> None:
    from matplotlib.patches import Rectangle

    for step in range(24):
        box = Rectangle((4.2 + 0.3 * step, 1.75), 0.3, 0.35, linewidth=0, facecolor=ACCENT)
        box.set_alpha(_opacity(step / 23))
        axes.add_patch(box)
    axes.text(4.2, 1.45, scale.name, ha="left", va="center", fontsize=9, parse_math=False)
    axes.text(4.2, 2.45, scale.low, ha="left", va="center", fontsize=8)
    axes.text(11.4, 2.45, scale.high, ha="right", va="center", fontsize=8)
