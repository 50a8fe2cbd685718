"""Figures in words: the gate's one line, public errors, numbers with their units."""

from typing import NamedTuple

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


class PublicNumber(NamedTuple):
    """A public figure of both models; `note` is what to say of it behind its name and unit."""

    name: str
    unit: str
    candidate: str
    reference: str = ""
    note: str = ""


def gate_line(verdict: VerdictRecord) -> str:
    """One line from a fixed template; nothing in it but fields of the verdict."""
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


def public_numbers(inputs: ReportInputs) -> list[PublicNumber]:
    """Out-of-fold errors, how many rows the interval holds, and the change on the pool.

    The scorer's own figures where there is a verdict, else what the training run claims.
    """
    verdict, card = scored(inputs), inputs.candidate
    figures = verdict.figures if verdict else []
    rows = [_figure_row(figure) for figure in figures]
    told = {figure.name for figure in figures}
    for key, name in _METRICS.items():
        if card and key in card.metrics and name not in told:
            unit = inputs.settings.target.unit if key in {"mae", "rmse"} else ""
            other = number(inputs.reference_metrics[key]) if key in inputs.reference_metrics else ""
            rows.append(PublicNumber(name, unit, number(card.metrics[key]), other))
    rows += _coverages(inputs)
    if verdict:
        change = "Mean change of predictions on the pool"
        rows.append(PublicNumber(change, verdict.unit, number(verdict.change_on_pool)))
    return rows


def _coverages(inputs: ReportInputs) -> list[PublicNumber]:
    found = inputs.coverage
    if found is None:
        return []
    name = f"Coverage of the {found.level:.0%} interval"
    return [
        PublicNumber(f"{name}, {which}", "", f"{share:.1%}")
        for which, share in (
            ("new chemical systems", found.grouped),
            ("rows at random", found.random),
        )
    ]


def _figure_row(figure: PublicFigure) -> PublicNumber:
    few = f"{figure.groups:.0f} effective groups, too few to decide"
    undecided = "advisory, decides nothing" if figure.advisory else few
    candidate, reference = (
        "" if error is None else number(error) for error in (figure.candidate, figure.reference)
    )
    note = "" if figure.required else undecided
    return PublicNumber(figure.name, figure.unit, candidate, reference, note)


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
