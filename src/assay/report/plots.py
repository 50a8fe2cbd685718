"""The plots of the report page: predictions, errors, calibration, changes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.drawing import ACCENT, CONTRAST, PLOT, SOFT, Drawing, label, label_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from assay.model.intervals import Interval

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# Beyond this many points a plot is drawn as a picture inside the SVG, in a colour for both themes
MANY = 3000
_BOTH_THEMES = "#3987e5"
BINS = 10  # of the reliability curve
_PLAIN: Any = {"linewidth": 1.0, "color": SOFT}
_OUTLINE: Any = {"histtype": "step", "color": CONTRAST, "linewidth": 1.4}


@dataclass(frozen=True)
class Coverage:
    """Share of rows within an interval of a nominal `level`: over all rows, and by fold."""

    level: float
    share: float
    lowest: float
    highest: float


def coverages(scores: np.ndarray, folds: np.ndarray) -> list[Coverage]:
    """How often intervals made from other folds' scores hold a fold's own rows.

    For each level and fold it is the conformal quantile of the scores of all other folds (see
    `model.intervals`). Folds share no chemical system. The models behind the scores were trained on
    one another's folds, so this is an estimate and no proof.

    Args:
        scores: absolute out-of-fold errors in multiples of the difficulty, (n,).
        folds: number of each row's fold, (n,).
    """
    from assay.model.intervals import conformal_quantile

    found = []
    for level in LEVELS:
        held = np.empty(len(scores), dtype=bool)
        for fold in np.unique(folds):
            own, others = folds == fold, scores[folds != fold]
            if not len(others):
                return []
            held[own] = scores[own] <= conformal_quantile(others, level)
        shares = [float(held[folds == fold].mean()) for fold in np.unique(folds)]
        found.append(Coverage(level, float(held.mean()), min(shares), max(shares)))
    return found


def parity(
    target: np.ndarray,
    prediction: np.ndarray,
    name: str,
    unit: str,
    interval: "Interval | None" = None,
) -> Drawing:
    """Out-of-fold predictions (n,) against targets (n,) called `name`, both in `unit`.

    Rows outside their prediction `interval` are marked.
    """

    def draw(axes: "Axes") -> None:
        _diagonal(axes, target, prediction)
        _points(axes, target, prediction)
        if interval is not None:
            out = ~interval.inside
            said = f"outside their {interval.level:.0%} interval"
            axes.scatter(target[out], prediction[out], s=12, color=CONTRAST, marker="x", label=said)
            axes.legend(loc="upper left")
        label_axes(axes, label(f"measured {name}", unit), label("predicted", unit))

    return Drawing("parity", PLOT, draw)


def interval_widths(interval: "Interval", unit: str) -> Drawing:
    """Absolute out-of-fold errors against half widths of the intervals, in `unit`."""
    half, sizes = interval.half_widths, interval.scores * interval.difficulty
    ends = np.array([0.0, float(half.max())])

    def draw(axes: "Axes") -> None:
        axes.fill_between(ends, 0, ends, color=SOFT, alpha=0.2, linewidth=0, label="inside")
        _points(axes, half, sizes)
        axes.legend(loc="upper left")
        label_axes(axes, label("half width of the interval", unit), label("absolute error", unit))

    return Drawing("interval-widths", PLOT, draw)


def residuals(residual: np.ndarray, reference: np.ndarray | None, unit: str) -> Drawing:
    """Histogram of predicted minus measured (n,), in `unit`; the outermost 0.5 % are cut off.

    `reference` (m,) are the reference's residuals, drawn as an outline.
    """
    reach = max(float(np.quantile(np.abs(residual), 0.995)), 1e-12)
    edges = [*np.linspace(-reach, reach, 62)]

    def draw(axes: "Axes") -> None:
        named = f"candidate {np.median(residual):+.2g}"
        axes.hist(residual, bins=edges, color=ACCENT, alpha=0.75, label=named)
        if reference is not None:
            named = f"reference {np.median(reference):+.2g}"
            axes.hist(reference, bins=edges, label=named, **_OUTLINE)
        axes.axvline(0, **_PLAIN)
        axes.legend(loc="upper right", title="medians", alignment="left")
        label_axes(axes, label("predicted minus measured", unit), "train rows")

    return Drawing("residuals", PLOT, draw)


def calibration(coverages: list[Coverage]) -> Drawing:
    """Observed against nominal coverage of prediction intervals, with the range over folds."""
    levels = [coverage.level for coverage in coverages]
    shares = [coverage.share for coverage in coverages]
    lowest = [coverage.lowest for coverage in coverages]
    highest = [coverage.highest for coverage in coverages]

    def draw(axes: "Axes") -> None:
        axes.plot([0.45, 1], [0.45, 1], **_PLAIN)
        axes.vlines(levels, lowest, highest, color=ACCENT, alpha=0.4, linewidth=4, label="folds")
        axes.plot(levels, shares, "o-", color=ACCENT, linewidth=1.5, markersize=5, label="all rows")
        axes.legend(loc="upper left")
        label_axes(axes, "nominal level", "share of rows inside")

    return Drawing("calibration", PLOT, draw)


def reliability(target: np.ndarray, probability: np.ndarray, names: tuple[str, str]) -> Drawing:
    """Observed frequency of class 1 against predicted probability (n,) in ten equal bins.

    `names` are what the classes 0 and 1 are called.
    """
    from sklearn.calibration import calibration_curve

    actual, clipped = target >= 0.5, np.clip(probability, 0, 1)  # noqa: PLR2004 (even odds)
    seen, said = calibration_curve(actual.astype(int), clipped, n_bins=BINS, pos_label=1)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    counts = np.bincount(np.searchsorted(inner, clipped))
    counts = counts[counts > 0]

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], **_PLAIN)
        axes.plot(said, seen, color=ACCENT, linewidth=1.5)
        axes.scatter(said, seen, s=15 + 150 * counts / counts.max(), color=ACCENT, linewidths=0)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        predicted = label(f"predicted probability of {names[1]}", "1")
        label_axes(axes, predicted, label(f"observed frequency of {names[1]}", "1"))

    return Drawing("reliability", PLOT, draw)


def scores(target: np.ndarray, probability: np.ndarray, names: tuple[str, str]) -> Drawing:
    """Histogram of predicted probabilities (n,) of class 1 for rows of either class, by `names`."""
    edges = [*np.linspace(0, 1, 31)]

    def draw(axes: "Axes") -> None:
        for value, colour in ((1, ACCENT), (0, CONTRAST)):
            chosen = probability[(target >= 0.5) == bool(value)]  # noqa: PLR2004 (even odds)
            axes.hist(chosen, bins=edges, color=colour, histtype="step", linewidth=1.6)
        shown = [label(names[value], "1") for value in (1, 0)]
        for text in axes.legend(shown, loc="best").get_texts():
            text.set_parse_math(False)
        label_axes(axes, label(f"predicted probability of {names[1]}", "1"), "train rows")

    return Drawing("scores", PLOT, draw)


def change(candidate: np.ndarray, reference: np.ndarray, unit: str) -> Drawing:
    """Histogram of candidate minus reference (n,) on the pool, in `unit`, on a log scale."""
    difference = candidate - reference
    reach = max(float(np.abs(difference).max()), 1e-12)

    def draw(axes: "Axes") -> None:
        axes.hist(difference, bins=[*np.linspace(-reach, reach, 62)], color=ACCENT, log=True)
        axes.axvline(0, **_PLAIN)
        label_axes(axes, label("candidate minus reference", unit), "pool rows (log)")

    return Drawing("change", PLOT, draw)


def agreement(candidate: np.ndarray, reference: np.ndarray, unit: str) -> Drawing:
    """Predictions (n,) of candidate against reference on the pool, in `unit`."""

    def draw(axes: "Axes") -> None:
        _diagonal(axes, reference, candidate)
        _points(axes, reference, candidate)
        label_axes(axes, label("reference", unit), label("candidate", unit))

    return Drawing("agreement", PLOT, draw)


def _diagonal(axes: "Axes", x: np.ndarray, y: np.ndarray) -> np.ndarray:
    ends = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
    axes.plot(ends, ends, zorder=1, **_PLAIN)
    axes.set_aspect("equal", adjustable="datalim")
    return ends


def _points(axes: "Axes", x: np.ndarray, y: np.ndarray) -> None:
    many = len(x) > MANY
    axes.scatter(
        x,
        y,
        s=9,
        color=_BOTH_THEMES if many else ACCENT,
        alpha=0.45,
        linewidths=0,
        rasterized=many,
        zorder=2,
    )
