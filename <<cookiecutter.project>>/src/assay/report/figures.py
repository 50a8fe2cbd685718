"""Figures in words: the gate's one line, public errors, numbers with their units."""

from assay.records import PublicFigure, VerdictRecord
from assay.report.inputs import ReportInputs
from assay.report.summary import scored

_METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "brier": "Brier score",
    "error_rate": "Error rate",
}


def gate_line(verdict: VerdictRecord) -> str:
    """The fixed template of docs/gate.md; nothing in it but fields of the verdict."""
    level = "" if verdict.level is None else f", level {verdict.level:.1e}"
    seal = "sealed set" if verdict.sealed else "open set (NOT SEALED)"
    rows = f"n={verdict.sealed_rows}, {verdict.sealed_groups} groups"
    uses = f"sealed use {verdict.use}/{verdict.uses}"
    wrong = f"disagreements {verdict.disagreements}/{verdict.maximum_disagreements}"
    errors = f"{number(verdict.candidate_error)} vs {number(verdict.reference_error)}"
    parts = [
        f"Gate: {verdict.outcome} ({verdict.explanation})",
        f"claim {verdict.claim}, margin {number(verdict.margin, verdict.unit)}",
        f"{seal} {verdict.sealed_digest[:8]} {rows}",
        f"{uses}, {wrong}{level}",
        f"train {verdict.metric} {errors} (public)",
    ]
    return " | ".join(parts)


def public_numbers(inputs: ReportInputs) -> list[tuple[str, str, str]]:
    """Rows (name, candidate, reference) of public figures: out-of-fold errors, change on pool.

    The scorer's own figures where there is a verdict, else what the training run claims.
    """
    verdict, card = scored(inputs), inputs.candidate
    rows = []
    figures = verdict.figures if verdict else []
    rows += [_figure_row(figure) for figure in figures]
    told = {figure.name for figure in figures}
    for key, name in _METRICS.items():
        if card and key in card.metrics and name not in told:
            unit = in_unit(inputs.settings.target.unit) if key in {"mae", "rmse"} else ""
            other = number(inputs.reference_metrics[key]) if key in inputs.reference_metrics else ""
            rows.append((f"{name}{unit}", number(card.metrics[key]), other))
    if verdict:
        change = f"Mean change of predictions on the pool{in_unit(verdict.unit)}"
        rows.append((change, number(verdict.change_on_pool), ""))
    return rows


def _figure_row(figure: PublicFigure) -> tuple[str, str, str]:
    name = f"{figure.name}{in_unit(figure.unit)}"
    if not figure.required:
        name += f": {figure.groups:.0f} effective groups, too few to decide"
    candidate, reference = (
        "" if error is None else number(error) for error in (figure.candidate, figure.reference)
    )
    return name, candidate, reference


def in_unit(unit: str) -> str:
    """The unit in brackets, if there is one."""
    return "" if unit in {"", "1"} else f" ({unit})"


def number(value: float, unit: str = "1") -> str:
    """Four significant digits and the unit, if there is one."""
    text = f"{value:.4g}"
    return text if unit in {"", "1"} else f"{text} {unit}"


def signed(value: float) -> str:
    """Three significant digits with their sign; zero has none."""
    return f"{value:+.3g}" if value else "0"


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun: `1 row`, `2 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
