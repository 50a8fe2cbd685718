"""The picture of a plan: how likely each verdict is, against the true difference."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from assay.gate.metrics import METRICS
from assay.planning.records import Plan, Point
from assay.report.drawing import ACCENT, CONTRAST, INK, SOFT, Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (8.4, 4.6)
# the page of a report defines these colours; a picture of its own brings them along
_STYLE = """<style>
svg { --paper: #ffffff; --ink: #1c2024; --soft: #737a82; --accent: #1f66ad; --contrast: #b4530a;
  background: var(--paper); max-width: 60rem; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14171a; --ink: #e6e8ea; --soft: #949ca5; --accent: #6cb0f5; --contrast: #f0a35e; }
}
</style>"""
_CURVES = (
    ("passed", "no-regression", "PASS", ACCENT, "-"),
    ("passed", "improvement", "PASS as an improvement", ACCENT, "--"),
    ("undecided", "no-regression", "INCONCLUSIVE", SOFT, "-"),
    ("failed", "no-regression", "FAIL", CONTRAST, "-"),
)


def power_curve(plan: Plan) -> str:
    """An SVG that stands by itself, in light or dark; bands are two standard errors wide."""

    def draw(axes: "Axes") -> None:
        _mark(axes, 0.0, "equally good ", "right")
        _mark(axes, plan.margin, " worse by the margin", "left")
        for share, claim, label, colour, line in _CURVES:
            points = [point for point in plan.points if point.claim == claim]
            _curve(axes, points, share, (label, colour, line))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        _scales(axes, plan)

    picture = Drawing("power", _SIZE, draw).svg()
    end = picture.index(">") + 1
    return picture[:end] + _STYLE + picture[end:] + "\n"


def _curve(axes: "Axes", points: Sequence[Point], share: str, look: tuple[str, str, str]) -> None:
    label, colour, line = look
    x = [point.difference for point in points]
    y = np.array([getattr(point, share) for point in points])
    around = 2 * np.array([point.error(value) for point, value in zip(points, y, strict=True)])
    axes.fill_between(x, (y - around).clip(0), (y + around).clip(None, 1), color=colour, alpha=0.15)
    axes.plot(x, y, line, color=colour, linewidth=1.8, marker="o", markersize=3.5, label=label)


def _mark(axes: "Axes", place: float, name: str, side: Literal["left", "right"]) -> None:
    axes.axvline(place, color=SOFT, linewidth=1, linestyle=":")
    over = axes.get_xaxis_transform()
    axes.text(place, 1.02, name, transform=over, ha=side, va="bottom", fontsize=9, color=INK)


def _scales(axes: "Axes", plan: Plan) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    unit = "" if plan.unit in {"", "1"} else f" ({plan.unit[:20]})"
    name = METRICS[plan.metric].name
    axes.set_xlabel(f"true {name} of candidate minus champion{unit}", parse_math=False)
    axes.set_ylabel(f"chance of the verdict, {plan.sealed.rows:,} sealed rows")
    share = 1 / plan.error
    functions = (lambda x: np.multiply(x, share), lambda x: np.divide(x, share))
    relative = axes.secondary_xaxis(-0.2, functions=functions)
    relative.xaxis.set_major_locator(MaxNLocator(5))
    relative.xaxis.set_major_formatter(PercentFormatter(1.0))
    relative.spines["bottom"].set_visible(False)
    relative.set_xlabel(f"the same in per cent of the champion's {name}")
