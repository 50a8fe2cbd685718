"""Inline SVG by matplotlib, in the page's light or dark colours."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# matplotlib cannot write CSS variables, so these colours stand in and are replaced in the SVG
INK, SOFT, ACCENT, CONTRAST = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {INK: "--ink", SOFT: "--soft", ACCENT: "--accent", CONTRAST: "--contrast"}

PLOT, TABLE = (4.8, 3.9), (9.4, 4.9)

_STYLE: Any = {  # matplotlib types the keys one by one
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
}


def drawn(name: str, size: tuple[float, float], draw: Callable[["Axes"], None]) -> str:
    """What `draw` paints, in the page's style; no window system and no global state are touched."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # names of shapes within an SVG are hashes with this salt: no two pictures share one
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        return _svg(figure)


def _svg(figure: "Figure") -> str:
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, dpi=200)
    text = stream.getvalue().decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="[A-Za-z]+(\.[a-z]+)?_\d+"', "", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)


def label(name: str, unit: str) -> str:
    """A name and its unit, both cut to a length that fits an axis."""
    return name[:40] if unit in {"", "1"} else f"{name[:40]} ({unit[:20]})"


def label_axes(axes: "Axes", x: str, y: str) -> None:
    """Name both axes; a dollar sign in a unit is money, not mathematics."""
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)
