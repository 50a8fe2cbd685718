"""Pictures of page and comment with their words, and the branch that the comment links to.

That branch is not the ledger's: a commit there has every scoring that runs at the time ask again,
and what lies there is fetched whole by each of them. Here a commit holds one run's pictures alone,
with the former one as its parent: only the last is ever fetched, and all stay where comments link
to them.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from markupsafe import Markup

from assay import drawing
from assay.commits import Branch, commit, run_git
from assay.drawing import Drawing
from assay.errors import NotCarriedOutError
from assay.report import plots
from assay.report.figures import number
from assay.report.inputs import ReportInputs
from assay.report.plots import coverages
from assay.report.public_rows import Evidence, mean_error

BRANCH = "assay-pictures"
ATTEMPTS = 5
_MESSAGE = "Pictures of a comment"


@dataclass(frozen=True)
class Picture:
    """A plot and the words above it."""

    title: str
    caption: str
    svg: Markup
    wide: bool = False


def pictures(inputs: ReportInputs) -> list[Picture]:
    """All that can be drawn; none without public rows."""
    found = inputs.evidence
    if found is None or not len(found.train):
        return []
    from assay.progress import counted

    errors = _class_errors if inputs.settings.target.kind == "class" else _number_errors
    drawn = chain(errors(inputs, found), _change_pictures(inputs, found), _elements(inputs, found))
    return list(counted(drawn, "pictures"))


def parity(inputs: ReportInputs, found: Evidence) -> Drawing:
    """Predictions of a number against its measured values; marked are rows outside the interval."""
    target, rows = inputs.settings.target, found.train
    name = target.column.replace("_", " ")
    return plots.parity(rows.target, rows.candidate, name, target.unit, inputs.interval)


def residuals(inputs: ReportInputs, found: Evidence) -> Drawing:
    """How the errors of a number are distributed, beside the reference's."""
    rows, compared = found.train, found.train.compared
    reference = compared.reference - compared.target if len(compared) else None
    return plots.residuals(rows.candidate - rows.target, reference, inputs.settings.target.unit)


def _number_errors(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows = found.train
    yield _picture("Parity", _out_of_fold(len(rows)), parity(inputs, found))
    cut = "The same rows; the outermost 0.5 % are cut off."
    yield _picture("Residuals", cut, residuals(inputs, found))
    if (interval := inputs.interval) is None:
        return
    if measured := coverages(interval.scores, found.folds):
        yield _picture(
            "Calibration of the interval",
            "Each fold's rows, against intervals made from the errors of all other folds. One "
            "quantile serves all rows, so the middle is nearly right by construction: look at the "
            f"spread over folds, and at the families below. {_measured(inputs)}"
            "An estimate, not a guarantee.",
            plots.calibration(measured),
        )
    yield _picture(
        "Width of the interval",
        "The same rows. A wide interval says that errors were large among alike compositions, or "
        "that the train set is far; above the shade a row lies outside its interval.",
        plots.interval_widths(interval, inputs.settings.target.unit),
    )


def _measured(inputs: ReportInputs) -> str:
    if (found := inputs.coverage) is None:
        return ""
    return (
        f"At {found.level:.0%}, intervals made from half of the groups hold "
        f"{found.grouped:.1%} of all other systems' rows, and with the rows divided at random "
        f"{found.random:.1%}. "
    )


def _class_errors(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows, names = found.train, _names(inputs)
    yield _picture(
        "Reliability",
        f"Of the rows given a probability, the share that is {names[1]}; area tells how many.",
        plots.reliability(rows.target, rows.candidate, names),
    )
    drawn = plots.scores(rows.target, rows.candidate, names)
    yield _picture("Scores", _out_of_fold(len(rows)), drawn)


def _names(inputs: ReportInputs) -> tuple[str, str]:
    """What the classes 0 and 1 are called in words and pictures."""
    return inputs.settings.target.classes or ("class 0", "class 1")


def _out_of_fold(rows: int) -> str:
    return f"{rows:,} train rows, out of fold: no row's system was seen in training."


def _change_pictures(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows = found.pool.compared
    if not len(rows):
        return
    unit = "1" if inputs.settings.target.kind == "class" else inputs.settings.target.unit
    caption = f"{len(rows):,} unlabelled compositions of the pool."
    both = (rows.candidate, rows.reference)
    yield _picture("Candidate and reference", caption, plots.agreement(*both, unit))
    yield _picture("Change of predictions", "The same rows.", plots.change(*both, unit))


def _elements(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    from assay.compositions import elements

    rows, metric = found.train, found.metric
    held = [elements(formula) for formula in rows.formulas]
    losses = drawing.losses_by_element(held, metric.loss(rows.target, rows.candidate))
    unit = inputs.settings.target.unit
    name = metric.name if metric.bounded or unit == "1" else f"{metric.name} ({unit})"
    yield _picture(
        "Error by element",
        "Over the train rows that hold the element; pale frames have no rows.",
        drawing.errors(losses, metric, name),
        wide=True,
    )
    yield _picture(
        "Coverage by element",
        "How many train rows hold the element: where there are few, an error above is a rumour.",
        drawing.coverage(losses),
        wide=True,
    )


def _picture(title: str, caption: str, drawing: Drawing, *, wide: bool = False) -> Picture:
    # the SVG is matplotlib's, which escapes every label it is given
    return Picture(title, caption, Markup(drawing.svg()), wide)  # noqa: S704


@dataclass(frozen=True)
class Image:
    """A PNG, its name as a file, and what it shows for those who do not see it."""

    name: str
    words: str
    content: bytes


def images(inputs: ReportInputs) -> list[Image]:
    """Errors on the public train rows, out of fold; none without such rows."""
    found = inputs.evidence
    if found is None or not len(found.train):
        return []
    drawn = _of_a_class if inputs.settings.target.kind == "class" else _of_a_number
    return [Image(f"{one.name}.png", words, one.png()) for one, words in drawn(inputs, found)]


def _of_a_number(inputs: ReportInputs, found: Evidence) -> Iterator[tuple[Drawing, str]]:
    target, rows = inputs.settings.target, found.train
    within = ""
    if (interval := inputs.interval) is not None:
        half = number(interval.mean_half_width, target.unit)
        within = f"; {interval.inside.mean():.0%} lie within their interval, on average ±{half}"
    said = f"Predicted against measured {target.column}, {_errors(inputs, found)}{within}."
    yield parity(inputs, found), said
    middle = _middle(rows.candidate - rows.target, target.unit)
    said = f"Predicted minus measured: half of the candidate's errors are below {middle}"
    if len(compared := rows.compared):
        said += f", half of the reference's below {_middle(compared.reference - compared.target)}"
    yield residuals(inputs, found), f"{said}."


def _of_a_class(inputs: ReportInputs, found: Evidence) -> Iterator[tuple[Drawing, str]]:
    rows = found.train
    names = _names(inputs)
    said = f"Observed frequency of {names[1]} against predicted probability"
    said = f"{said}, {_errors(inputs, found)}."
    yield plots.reliability(rows.target, rows.candidate, names), said
    means = [
        f"{float(rows.candidate[rows.target == value].mean()):.2g} for rows of {names[value]}"
        for value in (1, 0)
        if (rows.target == value).any()
    ]
    said = f"Predicted probabilities of {names[1]}, on average {' and '.join(means)}."
    yield plots.scores(rows.target, rows.candidate, names), said


def _errors(inputs: ReportInputs, found: Evidence) -> str:
    """How many rows, and both models' errors on those that both know."""
    rows, metric = found.train.compared, found.metric
    compared = rows if len(rows) else found.train
    unit = "1" if metric.bounded else inputs.settings.target.unit
    own = number(mean_error(metric, compared.target, compared.candidate), unit)
    said = f"{len(found.train):,} train rows out of fold: {metric.name} {own}"
    if not len(rows):
        return said
    other = number(mean_error(metric, rows.target, rows.reference), unit)
    return f"{said}, of the reference {other}"


def _middle(residual: np.ndarray, unit: str = "1") -> str:
    return number(float(np.median(np.abs(residual))), unit)


@dataclass(frozen=True)
class Exhibit:
    """Where a picture can be seen, and what it shows in words."""

    address: str
    words: str


def exhibit(
    root: Path, images: Sequence[Image], address: str, remote: str = "origin"
) -> list[Exhibit]:
    """Commit pictures to the branch on a remote of the repository at `root`.

    Whoever may read the repository at `address` sees them, in a private one, too. A link names
    the commit, so nobody can put another picture in the place of one that was linked to.

    Raises:
        NotCarriedOutError: the remote refuses, or others write to the branch again and again.
    """
    made = _put(root, remote, {image.name: image.content for image in images})
    return [Exhibit(f"{address}/blob/{made}/{one.name}?raw=true", one.words) for one in images]


def _put(root: Path, remote: str, files: Mapping[str, bytes]) -> str:
    url = run_git(root, "remote", "get-url", remote).decode().strip()
    # a repository of its own: fetching the last commit alone would make the clone a shallow one
    with tempfile.TemporaryDirectory() as folder:
        run_git(Path(folder), "init", "--quiet", "--bare")
        branch = Branch(Path(folder), BRANCH, url, depth=1)
        for _ in range(ATTEMPTS):
            old = branch.head()
            new = commit(branch.root, old, files, _MESSAGE, alone=True)
            if branch.move(old, new):
                return new
    raise NotCarriedOutError(
        f"others wrote to the branch {BRANCH} at each of {ATTEMPTS} attempts: run the job again.",
        code="report.branch-busy",
    )
