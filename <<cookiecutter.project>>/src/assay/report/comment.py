"""The comment on a pull request and the job summary, in GitHub's Markdown.

Findings, names and formulas come from the pull request. They are shown in code spans alone,
where GitHub reads no HTML, link, image, mention or reference, whatever they hold.
"""

import re

from assay.provenance import short_commit
from assay.records import Finding
from assay.report.summary import (
    HOW_TO_SEAL,
    ReportInputs,
    Row,
    State,
    commit_status,
    gate_line,
    headline,
    public_numbers,
    reference_name,
    reproduction,
    scored,
    table,
)

__all__ = ["MARKER", "ReportInputs", "commit_status", "render_comment", "render_summary"]

MARKER = "<!-- assay-report -->"
MAXIMUM_LENGTH = 60_000
SHOWN = 10
LONG, SHORT = 600, 200

_SYMBOLS: dict[State, str] = {"ok": "✅", "failed": "❌", "undecided": "🟡", "missing": "⚪"}
_PLAIN = re.compile(r"[^\w .,:;()%+=<²·⁻'/-]")


def render_comment(inputs: ReportInputs, limit: int = MAXIMUM_LENGTH) -> str:
    """The comment, shorter than `limit` characters; its first line is the hidden marker."""
    return f"{MARKER}\n{render_summary(inputs, limit - len(MARKER) - 1)}"


def render_summary(inputs: ReportInputs, limit: int = MAXIMUM_LENGTH) -> str:
    """The same content for `$GITHUB_STEP_SUMMARY`, shorter than `limit` characters."""
    line = headline(inputs)
    head = [
        f"### {_SYMBOLS[line.state]} {plain(str(line))}",
        _table(table(inputs)),
        *_gate(inputs),
        *_numbers(inputs),
    ]
    tail = [*_seal(inputs), _provenance(inputs)]
    room = limit - len("\n\n".join([*head, *tail])) - 4
    return "\n\n".join([*head, *_findings(inputs, room), *tail]) + "\n"


def code(text: str, length: int = SHORT, *, cell: bool = False) -> str:
    """Untrusted text as a code span on one line, cut to `length` characters.

    The fence is longer than any run of backticks within (CommonMark 6.1). In a table `|` becomes
    a look-alike, since GitHub splits cells before it sees code.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    line = line.replace("|", "¦" if cell else "|").replace("<!--", "<! --")
    if len(line) > length:
        line = line[: length - 1] + "…"
    if not line:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def plain(text: str) -> str:
    """A sentence of our own without any character that Markdown or GitHub could act on."""
    line = _PLAIN.sub(" ", text.replace("`", "'")[:LONG])
    line = re.sub(r"/{2,}", "/", line).replace("_", " ").replace("<", "&lt;")
    return " ".join(line.split())


def _table(rows: list[Row]) -> str:
    lines = ["| | state | what |", "|---|---|---|"]
    for row in rows:
        name = f"{code(row.name, 80, cell=True)}, " if row.name else ""
        state = f"{_SYMBOLS[row.state]} {plain(row.said)}"
        lines.append(f"| **{row.part}** | {state} | {name}{plain(row.what)} |")
    return "\n".join(lines)


def _gate(inputs: ReportInputs) -> list[str]:
    verdict = scored(inputs)
    return [code(gate_line(verdict), LONG)] if verdict else []


def _numbers(inputs: ReportInputs) -> list[str]:
    rows = public_numbers(inputs)
    if not rows:
        return []
    verdict = scored(inputs)
    header = ["public, out-of-fold on the train set", "candidate"]
    header += [f"reference: {plain(reference_name(verdict))}"] if verdict else []
    cells = [[plain(row[0]), *row[1:]][: len(header)] for row in rows]
    table_rows = [header, ["---"] * len(header), *cells]
    return ["\n".join(f"| {' | '.join(row)} |" for row in table_rows)]


def _findings(inputs: ReportInputs, room: int) -> list[str]:
    """Ten failures and what falsified them; in a fold the rest, and all warnings."""
    found = inputs.findings
    if not found:
        return []
    failures = sum(finding.severity == "failure" for finding in found)
    shown = min(failures, SHOWN)
    count = f"**Findings**: {failures} failures, {len(found) - failures} warnings"
    blocks = [count, "", *(_finding(f, LONG) for f in found[:shown])]
    falsified = [_falsified(finding) for finding in inputs.falsified[:3]]
    if falsified:
        blocks += ["", "**Falsified by**", "", *falsified]
    return [_fitted(blocks, [_finding(f, SHORT) for f in found[shown:]], room)]


def _finding(finding: Finding, length: int) -> str:
    place = finding.file or ""
    if place and finding.line:
        place = f"{place}:{finding.line}"
    said = reproduction(finding)[0]
    parts = [code(place), code(finding.formula or "", 80), code(said, length)]
    return f"- **{finding.severity}** " + " · ".join(part for part in parts if part)


def _falsified(finding: Finding) -> str:
    said, command = reproduction(finding)
    value = f" (value {code(finding.value)})" if finding.value else ""
    run = f"; run {code(command, LONG)}" if command else ""
    return f"- {code(finding.formula or '')}{value} breaks {code(said, LONG)}{run}"


def _fitted(first: list[str], more: list[str], room: int) -> str:
    """Join lines up to `room` characters; the findings that are left out are counted."""
    kind = "more" if first[-1] else "warnings"
    opening = ["", f"<details><summary>{len(more)} {kind}</summary>", ""] if more else []
    closing = ["", "</details>"] if more else []
    note = "- *{} more not shown here: the report page and the JSON records have them.*"
    lines = [*first, *opening, *more]
    left = room - len("\n".join([*closing, note])) - 20
    kept = 0
    while kept < len(lines) and left > len(lines[kept]):
        left -= len(lines[kept]) + 1
        kept += 1
    dropped = sum(line.startswith("- ") for line in lines[kept:])
    notes = [note.format(dropped)] if dropped else []
    return "\n".join([*lines[:kept], *notes, *(closing if kept > len(first) + 1 else [])])


def _seal(inputs: ReportInputs) -> list[str]:
    verdict = inputs.verdict
    return [f"> **Not sealed.** {HOW_TO_SEAL}"] if verdict and not verdict.sealed else []


def _provenance(inputs: ReportInputs) -> str:
    card = inputs.candidate
    parts = [f"[Run and report page]({inputs.link})"] if inputs.link else []
    if card:
        parts += [
            f"correlation id {code(card.correlation_id, 80)}",
            f"commit {code(short_commit(card.commit))}",
            f"bundle {code(card.bundle_digest[:12])}",
        ]
    parts.append("checks as the run under test reports them, benchmark by the scorer")
    return f"<sub>{' · '.join(parts)}</sub>"
