"""The report as one self-contained HTML page: nothing is loaded from elsewhere.

Its one script sorts tables and is allowed by its digest; without it the page reads the same.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from assay.provenance import short_commit
from assay.report.advice import counted_warnings, meaning, of_evidence, told
from assay.report.changes import largest_changes, largest_residuals, reference_name
from assay.report.figures import (
    gate_line,
    headline,
    in_unit,
    next_step,
    number,
    public_numbers,
    scored,
    signed,
    table,
)
from assay.report.images import pictures
from assay.report.inputs import ReportInputs

LISTED = 50


def render_page(inputs: ReportInputs) -> str:
    """The page as HTML; where predictions or tables cannot be read it says so and has no plots."""
    contents = {**_verdict(inputs), **_changes(inputs), **_script()}
    return _template().render(
        contents,
        project=inputs.settings.project.name,
        target=inputs.settings.target.column,
        unit=inputs.settings.target.unit,
        in_unit=in_unit(inputs.settings.target.unit),
        card=inputs.candidate,
        link=inputs.link,
        out_of_date=inputs.out_of_date,
        data_docs=inputs.data_docs,
        commit=short_commit(inputs.candidate.commit) if inputs.candidate else "",
        pictures=pictures(inputs),
        no_pictures=inputs.no_evidence or "There is no public row with a prediction.",
        history=inputs.history,
        provenance=_provenance(inputs),
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "signed": signed, "in_unit": in_unit}
    environment.filters["worded"] = _worded
    return environment.from_string(_text("page.html"))


def _text(name: str) -> str:
    return files("assay.report").joinpath(name).read_text(encoding="utf-8")


def _script() -> dict[str, Any]:
    script = _text("sorting.js")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return {"script": Markup(script), "script_digest": digest}  # noqa: S704 (our own file)


def _worded(text: str) -> Markup:
    """A sentence of our own in which commands stand in backticks: these become code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _verdict(inputs: ReportInputs) -> dict[str, Any]:
    verdict, found, line = scored(inputs), told(inputs), headline(inputs)
    return {
        "line": line,
        "meaning": meaning(verdict) if verdict and line.state == "undecided" else "",
        "todo": next_step(inputs),
        "gate": gate_line(verdict) if verdict else "",
        "grouping": verdict.grouping if verdict else None,
        "evidence": of_evidence(verdict),
        "rows": table(inputs),
        "findings": [one for one in found if not one.standing],
        "standing": [one for one in found if one.standing],
        "warnings": counted_warnings(found),
        "numbers": public_numbers(inputs),
        "reference": reference_name(verdict) if verdict else "",
    }


def _changes(inputs: ReportInputs) -> dict[str, Any]:
    found = inputs.evidence
    changes = inputs.data_changes
    compared = found is not None and len(found.pool.compared) > 0
    return {
        "facts": inputs.model_changes,
        "data_changes": changes,
        "changed_rows": changes.rows[: 4 * LISTED] if changes else [],
        "families": inputs.families,
        "metric": found.metric.name if found else "",
        "metric_unit": "" if not found or found.metric.bounded else inputs.settings.target.unit,
        "covered": inputs.interval is not None,
        "classes": inputs.classes,
        "level": inputs.settings.model.interval_level,
        "residuals": list(largest_residuals(found.train, LISTED)) if found else [],
        "moved": [
            ("train rows, out of fold", list(largest_changes(found.train, LISTED // 2))),
            ("pool", list(largest_changes(found.pool, LISTED // 2))),
        ]
        if found and compared
        else [],
    }


def _provenance(inputs: ReportInputs) -> list[tuple[str, str]]:
    card, verdict, public = inputs.candidate, inputs.verdict, inputs.settings.public
    rows = []
    if card:
        rows += [
            ("Correlation id", card.correlation_id),
            ("Commit", card.commit),
            ("Model bundle", card.bundle_digest),
            ("Predictions file", card.predictions_digest),
            ("Train set", card.train_digest),
            *([] if public else [("Sealed inputs", card.sealed_inputs_digest)]),
            ("Pool", card.pool_digest),
            ("Environment lock", card.lock_digest),
            (
                "Machinery",
                f"{card.machinery_version or ''} {card.machinery or 'not named'}".strip(),
            ),
        ]
    if verdict:
        held = ("Evidence", "public") if public else ("Sealed labels", verdict.sealed_digest)
        rows.append(held)
    return rows
