"""Drawings in plain characters, for where no picture is shown: job summary, e-mail, a comment."""

from collections.abc import Sequence

import numpy as np

from assay.report.evidence import Predicted
from assay.report.families import FamilyError

WIDTH, BINS = 24, 41
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = " ▁▂▃▄▅▆▇█"
_MARK = "┃"


def bar(value: float, top: float, width: int = WIDTH) -> str:
    """A bar of `width` characters at most, to an eighth of a character."""
    eighths = round(8 * width * min(max(value / top, 0.0), 1.0)) if top > 0 else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def marked_bar(value: float, mark: float | None, top: float, width: int = WIDTH) -> str:
    """A bar for `value` with a stroke at `mark`."""
    drawn = bar(value, top, width).ljust(width + 1)
    if mark is None or not top > 0:
        return drawn.rstrip()
    place = round(width * min(max(mark / top, 0.0), 1.0))
    return (drawn[:place] + _MARK + drawn[place + 1 :]).rstrip()


def family_chart(errors: Sequence[FamilyError]) -> str:
    """One line a family: rows, both errors, a bar for the candidate, a stroke for the reference."""
    top = max((max(error.candidate, error.reference or 0.0) for error in errors), default=0.0)
    compared = any(error.reference is not None for error in errors)
    titles = f"{'family':<21}  {'rows':>6}  {'candidate':>9}" + (
        f"  {'reference':>9}   █ candidate  {_MARK} reference" if compared else ""
    )
    return "\n".join([titles.rstrip(), *(_family(error, top, compared) for error in errors)])


def _family(error: FamilyError, top: float, compared: bool) -> str:  # noqa: FBT001
    text = f"{error.family:<21}  {error.rows:>6,}  {error.candidate:>9.3g}"
    if compared:
        text += f"  {'' if error.reference is None else f'{error.reference:.3g}':>9}"
    return f"{text}   {marked_bar(error.candidate, error.reference, top)}".rstrip()


def residual_chart(rows: Predicted) -> str:
    """Histograms of predicted minus measured on one axis, for candidate and reference.

    The axis holds 98 % of the candidate's residuals; what is beyond stands in the outermost bins.
    """
    compared = rows.compared
    shown = {"candidate": rows.candidate - rows.target}
    if len(compared):
        shown["reference"] = compared.reference - compared.target
    reach = max(float(np.quantile(np.abs(shown["candidate"]), 0.98)), 1e-12)
    edges = np.linspace(-reach, reach, BINS + 1)
    counts = {
        name: np.histogram(np.clip(values, -reach, reach), edges)[0] / len(values)
        for name, values in shown.items()
    }
    # what is beyond the axis must not flatten what is on it
    top = max(float(share[1:-1].max()) for share in counts.values())
    lines = [f"{name:<9}  {spark(share, top)}".rstrip() for name, share in counts.items()]
    left, right = f"-{reach:.2g}", f"+{reach:.2g}"
    gap = (BINS - 1) // 2
    axis = left.ljust(gap) + "0" + right.rjust(BINS - gap - 1)
    return "\n".join([*lines, f"{'':<9}  {axis}"])


def spark(values: np.ndarray, top: float) -> str:
    """One character a value, its height up to `top`; whatever is not zero can be seen."""
    heights = np.ceil(8 * np.clip(values / top, 0, 1)).astype(int) if top > 0 else [0] * len(values)
    return "".join(_HEIGHTS[height] for height in heights)
