"""What `assay update` says at its end: what changed, what was found, and the next commands."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay import wheels
from assay.texts import plural
from assay.update.comparison import Comparison
from assay.update.merging import MACHINERY, Plan
from assay.update.repository import Repository

SHOWN = 12


@dataclass(frozen=True)
class Report:
    """An update that is made: its plan, its branch, and what training before and after showed."""

    repository: Repository
    made: Plan
    branch: str
    version: str
    compared: Comparison | None
    notes: tuple[str, ...]

    @property
    def unchecked(self) -> str | None:
        """What was to be found out and could not be, in one sentence."""
        if self.compared is None or not self.compared.unknown:
            return None
        unknown = "; and not ".join(self.compared.unknown)
        return f"the branch {self.branch} is made, but it is not known {unknown}"


def summary(report: Report) -> str:
    """The text for a person."""
    before = report.repository.version
    head = (
        f"Updated from {before} to {report.version}, in one commit on the branch {report.branch}."
    )
    return "\n".join([head, *_files(report), *_findings(report), "", *_next(report)])


def _files(report: Report) -> Iterator[str]:
    made = report.made
    for words, names in (
        ("merged with your changes", made.merged),
        ("replaced, since you had not changed them", made.replaced),
        ("added", made.added),
        ("removed, since the template has them no more", made.removed),
        ("kept, since you changed them; the template has them no more", made.kept),
        ("not brought back, since you removed them; the template changed them", made.missing),
    ):
        if names := [name for name in names if not name.startswith(f"{wheels.FOLDER}/")]:
            yield f"  {words}: {_some(names)}"
    for name, reason in made.conflicts.items():
        yield f"  to be decided: {name} {reason}"


def _some(names: Sequence[str]) -> str:
    """The names on one line, a copy of the machinery as one of them."""
    shown = [name for name in names if not name.startswith(MACHINERY)]
    if copied := len(names) - len(shown):
        shown.append(f"{MACHINERY} ({plural(copied, 'file')})")
    more = len(shown) - SHOWN
    return ", ".join(shown[:SHOWN]) + (f" and {plural(more, 'file')} more" if more > 0 else "")


def _findings(report: Report) -> Iterator[str]:
    for note in report.notes:
        yield f"Not checked: {note}"
    if report.compared is None:
        why = "while files are to be decided" if report.made.conflicts else "with --no-train"
        yield f"Not checked: whether the model and its predictions stay the same ({why})."
        return
    yield from report.compared.found
    for what in report.compared.unchecked:
        yield f"Not checked: {what}."


def _next(report: Report) -> Iterator[str]:
    branch = shlex.quote(report.branch)
    yield "Nothing of your checkout was touched. Next:"
    yield f"  git switch {branch}"
    if report.made.conflicts:
        names = " ".join(shlex.quote(name) for name in report.made.conflicts)
        yield f"  # in {names}: keep what is right between <<<<<<< and >>>>>>>"
        if wheels.LOCK in report.made.conflicts:
            yield "  make lock                  # needs uv; it starts from the template's versions"
        yield f"  git add {names} && git commit --amend --no-edit"
    yield "  make setup check           # installs the new lock, then checks as a pull request does"
    yield f"  git push -u origin {branch}    # and open a pull request"
    yield "After it is merged, on main: git pull && make setup"
