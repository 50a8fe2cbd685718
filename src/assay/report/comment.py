"""The comment on a pull request and the job summary, in GitHub's Markdown."""

from collections.abc import Sequence

from assay.github import MARKER
from assay.markdown import LONG, SHORT, code, folded, plain, table, with_unit, worded
from assay.provenance import short_commit
from assay.report.advice import Told, counted_warnings, meaning, of_evidence, told
from assay.report.changes import reference_name
from assay.report.figures import (
    PublicNumber,
    State,
    gate_line,
    headline,
    next_step,
    public_numbers,
    scored,
)
from assay.report.figures import table as checks
from assay.report.images import Exhibit
from assay.report.inputs import ReportInputs
from assay.report.sections import changed_labels, sections, worse_families
from assay.texts import plural

MAXIMUM_LENGTH = 60_000
SHOWN = 10

_SYMBOLS: dict[State, str] = {"ok": "✅", "failed": "❌", "undecided": "🟡", "missing": "⚪"}
_NOTE = "- *{} more not shown here: {} and the JSON records have them.*"


def render_comment(
    inputs: ReportInputs, limit: int = MAXIMUM_LENGTH, exhibits: Sequence[Exhibit] = ()
) -> str:
    """The comment, shorter than `limit` characters; its first line is the hidden marker.

    It shows `exhibits`, or where there are none what is drawn in characters.
    """
    return f"{MARKER}\n{render_summary(inputs, limit - len(MARKER) - 1, exhibits)}"


def render_summary(
    inputs: ReportInputs, limit: int = MAXIMUM_LENGTH, exhibits: Sequence[Exhibit] = ()
) -> str:
    """The same content for `$GITHUB_STEP_SUMMARY`, shorter than `limit` characters."""
    head = [
        *changed_labels(inputs, limit // 3),
        _headline(inputs),
        _checks(inputs),
        *_gate(inputs),
        *_numbers(inputs),
        *worse_families(inputs, limit // 6),
    ]
    tail = [*_seal(inputs), _provenance(inputs)]
    more = sections(inputs, exhibits)
    room = limit - len("\n\n".join([*head, *tail])) - 4
    wanted = sum(len(section) + 2 for section in more)
    found = _findings(inputs, room - wanted if room > 2 * wanted else room)
    left = room - len("\n\n".join(found)) - 4
    kept: list[str] = []
    for section in more:
        if len(section) + 2 <= left:
            kept.append(section)
            left -= len(section) + 2
    return "\n\n".join([*head, *found, *kept, *tail]) + "\n"


def _headline(inputs: ReportInputs) -> str:
    line, todo, verdict = headline(inputs), next_step(inputs), scored(inputs)
    said = [f"### {_SYMBOLS[line.state]} {plain(str(line))}"]
    if inputs.out_of_date:
        said.append(f"**Out of date:** {code(inputs.out_of_date, LONG)}")
    if verdict and line.state == "undecided":
        said.append(f"**This means:** {worded(meaning(verdict))}.")
    if todo:
        said.append(f"**Next:** {worded(todo)}.")
    return "\n".join(said)


def _checks(inputs: ReportInputs) -> str:
    cells, said = [], next_step(inputs)
    for row in checks(inputs):
        name = f"{code(row.name, 80, cell=True)}, " if row.name else ""
        name += code(row.quoted, LONG, cell=True)
        todo = f"; **next:** {worded(row.todo)}" if row.todo not in {"", said} else ""
        state = f"{_SYMBOLS[row.state]} {plain(row.said)}"
        details = f" · {code(row.details, SHORT, cell=True)}" if row.details else ""
        cells.append([f"**{row.part}**", state, f"{name}{plain(row.what)}{details}{todo}"])
    return table(["", "state", "what"], cells)


def _gate(inputs: ReportInputs) -> list[str]:
    verdict = scored(inputs)
    if verdict is None:
        return []
    rows = [f"Rows are {plain(verdict.grouping)}."] if verdict.grouping else []
    return [code(gate_line(verdict), LONG), *rows]


def _numbers(inputs: ReportInputs) -> list[str]:
    rows = public_numbers(inputs)
    if not rows:
        return []
    verdict = scored(inputs)
    header = ["public, out-of-fold on the train set", "candidate"]
    header += [f"reference: {code(reference_name(verdict), 40, cell=True)}"] if verdict else []
    cells = [[_named(row), row.candidate, row.reference][: len(header)] for row in rows]
    return [table(header, cells, len(header) - 1)]


def _named(row: PublicNumber) -> str:
    note = f": {plain(row.note)}" if row.note else ""
    return f"{with_unit(row.name, row.unit)}{note}"


def _findings(inputs: ReportInputs, room: int) -> list[str]:
    """Ten failures, of as many rules as they can be; in a fold the rest, and all warnings.

    Warnings that main has as well come last, below a line that says so.
    """
    found = told(inputs)
    if not found:
        return []
    failures = sum(one.finding.severity == "failure" for one in found)
    shown = min(failures, SHOWN)
    warnings = counted_warnings(found)
    brought = [_finding(one, SHORT) for one in found[shown:] if not one.standing]
    standing = [_finding(one, SHORT) for one in found[shown:] if one.standing]
    more = [*brought, "", "**Main has these, too**", "", *standing] if standing else brought
    if not failures:
        return [_fitted([], more, f"Findings: no failure, {warnings}", room, inputs.link)]
    first = [_finding(one, LONG) for one in found[:shown]]
    title = f"{plural(failures - shown, 'more failure')}, {warnings}"
    title = title if failures > shown else warnings
    return [_fitted(["**Findings**", "", *first], more, title, room, inputs.link)]


def _finding(one: Told, length: int) -> str:
    """One item of a list; a failed property has its command in an item of its own, to be copied."""
    finding = one.finding
    place = finding.file or ""
    if place and finding.line:
        place = f"{place}:{finding.line}"
    formula = code(finding.formula or "", 80)
    if finding.node and finding.value:
        formula = f"{formula} value {code(finding.value, 80)}".strip()
    rule = code(finding.rule)
    if one.more:
        rule += f" and {one.more:,} more of this rule"
    parts = [code(place), formula, code(finding.message, length), rule]
    also = ", as on main" if finding.on_main and not one.standing else ""
    line = f"- **{finding.severity}**{also} " + " · ".join(part for part in parts if part)
    return f"{line}\n  - {_run(one)}" if finding.node else line


def _run(one: Told) -> str:
    shown = code(one.command or one.finding.node or "", LONG)
    note = f" ({plain(one.note)})" if one.note else ""
    run = f"run {shown}{note}" if one.command else f"{shown}: {plain(one.note)}"
    example = code(one.example, LONG)
    return f"{run}; to see exactly this example, decorate it with {example}" if example else run


def _fitted(first: list[str], more: list[str], title: str, room: int, link: str | None) -> str:
    """Join lines up to `room` characters, `more` in a fold; what is left out is counted."""
    page = f"[the report page]({link})" if link else "the report page"
    left = room - len(folded(title, "")) - len(_NOTE.format(len(more), page)) - 30
    kept = 0
    lines = [*first, *more]
    while kept < len(lines) and left > len(lines[kept]):
        left -= len(lines[kept]) + 1
        kept += 1
    dropped = sum(line.startswith("- ") for line in lines[kept:])
    note = [_NOTE.format(dropped, page)] if dropped else []
    own, rest = lines[: min(kept, len(first))], lines[len(first) : kept]
    if not rest:
        return "\n".join([*own, *note])
    fold = folded(title, "\n".join([*rest, *note]))
    return "\n".join([*own, "", fold]) if own else fold


def _seal(inputs: ReportInputs) -> list[str]:
    title, said = of_evidence(inputs.verdict)
    return [f"> **{title}** {said}"] if said else []


def _provenance(inputs: ReportInputs) -> str:
    card = inputs.candidate
    parts = [f"[Run and report page]({inputs.link})"] if inputs.link else []
    if card:
        parts += [
            f"correlation id {code(card.correlation_id, 80)}",
            f"commit {code(short_commit(card.commit))}",
            f"bundle {code(card.bundle_digest[:12])}",
        ]
    parts.append(
        "the checks are as the pull request's own run reports them; main computed the benchmark"
    )
    return f"<sub>{' · '.join(parts)}</sub>"
