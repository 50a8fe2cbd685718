"""GitHub's Markdown, in which text that others wrote stays text, and plain-text drawings.

Findings, names and formulas come from the pull request. They are shown in code spans alone,
where GitHub reads no HTML, link, image, mention or reference, whatever they hold.
"""

import html
import re
from collections.abc import Sequence
from urllib.parse import quote

import numpy as np

from assay.report.public_rows import FamilyError, Predicted
from assay.texts import visible

LONG, SHORT = 600, 200

_PLAIN = re.compile(r"[^\w .,:;()%+=<^°²·⁻±→−'/-]")
# what GitHub makes links and pictures of in running text: www., GH-1, commits, :emoji:
_ACTED_ON = re.compile(r"(?<=\bwww)\.|(?<=\bgh)-(?=\d)|:(?=[a-z+-][\w+-]*:)", re.IGNORECASE)
_COMMIT = re.compile(r"\b(?=\d*[a-f])(?=[a-f]*\d)([0-9a-f]{6})[0-9a-f]+\b", re.IGNORECASE)
# GitHub's parser takes a fence of more than 80 backticks for text, and all between two for live
_FENCES = re.compile("`{10,}")
WIDTH, BINS = 24, 41
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = " ▁▂▃▄▅▆▇█"
_MARK = "┃"


def code(text: str, length: int = SHORT, *, cell: bool = False) -> str:
    """Untrusted text as a code span on one line, cut to `length` characters.

    The fence is longer than any run of backticks within (CommonMark 6.1). In a table `|` becomes
    a look-alike, since GitHub splits cells before it sees code.
    """
    line = " ".join(visible(text[: 4 * length]).split())
    line = line.replace("|", "¦" if cell else "|").replace("<!--", "<! --")
    line = _FENCES.sub("`````````…", line)
    if len(line) > length:
        line = line[: length - 1] + "…"
    if not line:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def plain(text: str) -> str:
    """A sentence of our own without any character that Markdown or GitHub could act on."""
    line = _PLAIN.sub(" ", visible(text.replace("`", "'")[:LONG]))
    line = _COMMIT.sub(r"\1…", _ACTED_ON.sub(" ", line))
    line = re.sub(r"/{2,}", "/", line).replace("_", " ").replace("<", "&lt;")
    return " ".join(line.split())


def with_unit(text: str, unit: str) -> str:
    """A sentence of our own and a unit in brackets, if there is one; it may hold any character."""
    return plain(text) if unit in {"", "1"} else f"{plain(text)} ({code(unit, 80, cell=True)})"


def worded(text: str) -> str:
    """A sentence of our own in which commands stand in backticks: these become code."""
    parts = text.split("`")
    dressed = [code(part) if number % 2 else plain(part) for number, part in enumerate(parts)]
    spaced = " ".join(part for part in dressed if part)
    return re.sub(r" (?=[.,:;)])|(?<=\() ", "", spaced)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], figures: int = 0) -> str:
    """A table of cells that are Markdown already; the last `figures` columns stand to the right."""
    rule = ["---"] * (len(header) - figures) + ["--:"] * figures
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def folded(title: str, content: str) -> str:
    """Content that opens on a click; the title is a sentence of our own."""
    return f"<details><summary>{plain(title)}</summary>\n\n{content}\n\n</details>"


def block(text: str) -> str:
    """A block of fixed width, for text of our own."""
    return f"```text\n{text}\n```"


def picture(address: str, words: str, width: int) -> str:
    """A picture `width` CSS pixels wide; the words are a sentence of our own."""
    source = html.escape(quote(address, safe="/:?=&"))
    return f'<img src="{source}" alt="{plain(words)}" width="{width}">'


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
