"""Drawings by matplotlib: as inline SVG in the page's light or dark colours, or as PNG."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

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
