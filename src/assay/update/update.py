"""`assay update`: the order of events, and what it says at its end.

The machinery that the repository has now fetches the template and builds the new machinery; that
one does all the rest, so that merging and migrating are always of the version updated to.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from assay import wheels
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.files import write_text
from assay.progress import stages
from assay.texts import on_one_line, plural
from assay.update import comparison, merging, rendering, writing
from assay.update.comparison import MachineryComparison
from assay.update.last_commit import (
    LastCommit,
    Origin,
    blob_id,
    ids_of,
    read_last_commit,
    version_of,
)
from assay.update.merging import MACHINERY, MergePlan

SHOWN = 12


@dataclass(frozen=True)
class Report:
    """An update that is made: its plan, its branch, and what training before and after showed."""

    last: LastCommit
    made: MergePlan
    branch: str
    version: str
    compared: MachineryComparison | None
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
    before = report.last.version
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
        ("removed, since the template no longer has them", made.removed),
        ("kept, since you changed them; the template no longer has them", made.kept),
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
    yield "Your checkout is unchanged. Next:"
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


@dataclass(frozen=True)
class Order:
    """What the present machinery asks of the new one; all paths are whole ones.

    An older machinery may leave out what came later, so every new field needs a default.
    """

    root: str
    template: str
    wheel: str
    address: str | None = None
    commit: str | None = None
    history: str | None = None
    notes: tuple[str, ...] = ()
    train: bool = True
    keep_conflicts: bool = False


def begin(root: Path, named: str | None, revision: str | None, order: Order) -> int:
    """Fetch the template, build its machinery, and have that update the repository.

    Gives the exit code of the new machinery, which prints what it did.

    Args:
        root: the repository.
        named: folder or address of the template; by default the one it was made from.
        revision: a tag, branch or commit of it.
        order: what was asked for; what is found out here is added.

    Raises:
        AssayError: as `read_last_commit`, `templates.fetched` and `templates.require_newer`.
    """
    last = read_last_commit(root)
    named = named or last.origin.address
    if named is None:
        raise UsageError(
            "the template of this repository was a folder, which is not recorded: name it with "
            "`assay update --template FOLDER_OR_ADDRESS`.",
            code="template.no-address",
        )
    with _temporary() as folder, ExitStack() as kept:
        with stages("update") as doing:
            doing(f"fetching the template {on_one_line(named)[:200]}")
            template = kept.enter_context(rendering.fetched(named, revision))
            note = rendering.require_newer(template, last)
            doing("building its machinery")
            wheel = rendering.build(template.folder, folder)
        told = replace(
            order,
            template=str(template.folder),
            wheel=str(wheel),
            address=template.address or last.origin.address,
            commit=template.commit,
            history=str(template.history) if template.history else None,
            notes=(note,) if note else (),
        )
        return _hand_over(root, told, folder)


@contextmanager
def _temporary() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="assay-update-") as name:
            yield Path(name)
    except FileNotFoundError as error:
        if "temporary" not in str(error):
            raise
        raise NotCarriedOutError(
            "no temporary folder can be written: make room, or name one with TMPDIR.",
            code="file.no-temporary-folder",
        ) from None


def _hand_over(root: Path, order: Order, folder: Path) -> int:
    machinery = comparison.unpack(Path(order.wheel), folder / "machinery")
    path = folder / "order.json"
    write_text(path, json.dumps(asdict(order)))
    words = [sys.executable, "-P", "-m", "assay", "update-with", str(path)]
    environment = dict(os.environ) | {"PYTHONPATH": str(machinery)}
    return subprocess.run(words, cwd=root, env=environment, check=False).returncode


def read_order(path: Path) -> Order:
    """Read what an older machinery wrote; fields that are not known any more are left out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Order(**{key: content[key] for key in Order.__dataclass_fields__ if key in content})


def carry_out(order: Order) -> Report | None:
    """Update the repository, with this machinery as the new one; None if there is nothing to do.

    Raises:
        CheckFailedError: files conflict, and nothing was written.
        RefusedError: the branch exists.
        NotCarriedOutError: the template does not render, or git cannot write.
    """
    last, wheel = read_last_commit(Path(order.root)), Path(order.wheel)
    version = version_of(wheel.name)
    branch = f"assay-update-{version.replace('+', '-')}"
    with stages("update") as doing:
        doing("rendering the template for your answers")
        rendered = rendering.render(Path(order.template), last.origin.answers, wheel)
        doing("comparing your files with it")
        made = merging.plan(last, rendered, wheel.name, _bases(last, order))
        if not made.written and not made.removed and not made.conflicts:
            return None
        writing.require_free(last.root, branch)
        if made.conflicts and not order.keep_conflicts:
            raise CheckFailedError(_conflict(made), code="update.conflict")
        _require_removable(made)
        new = {name: one.content for name, one in rendered.items()}
        files = writing.recorded_files(last.origin.files, ids_of(new, last.root))
        origin = Origin(order.address, order.commit, last.origin.answers, files)
        message = f"Update from the Assay template to {version}"
        commit = writing.write_commit(last, made, origin, message)
        compared = None
        if order.train and not made.conflicts:
            compared = comparison.compare(last, commit, wheel, doing)
        writing.open_branch(last.root, branch, commit)
    return Report(last, made, branch, version, compared, order.notes)


def _bases(last: LastCommit, order: Order) -> merging.Base:
    """Contents as they were first rendered: from the history, else from the template's."""
    rendered: dict[str, bytes] | None = None

    def base(name: str, blob: str) -> bytes | None:
        nonlocal rendered
        found = last.blob(blob)
        if found is not None:
            return found
        if rendered is None:
            rendered = _rendered_once(last, order)
        content = rendered.get(name)
        # the id shows that it is the same to the byte
        same = content is not None and blob_id(last.root, content) == blob
        return content if same else None

    return base


def _rendered_once(last: LastCommit, order: Order) -> dict[str, bytes]:
    """What the template's commit of the record renders; nothing where that cannot be had."""
    commit = last.origin.commit
    if commit is None or order.history is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="assay-template-") as name:
        folder = Path(name) / "template"
        if not writing.copy_commit(Path(order.history), commit.partition("+")[0], folder):
            return {}
        try:
            wheel = rendering.build(folder, Path(name) / wheels.FOLDER)
            found = rendering.render(folder, last.origin.answers, wheel)
        except NotCarriedOutError:
            return {}
    return {name: one.content for name, one in found.items()}


def _conflict(made: merging.MergePlan) -> str:
    listed = "; ".join(f"{name} {reason}" for name, reason in made.conflicts.items())
    if hidden := _hiding(made):
        return (
            f"nothing was updated: {listed}: keep what you need in another place, run "
            f"`git rm {' '.join(hidden)}`, commit, and update again."
        )
    return (
        f"nothing was updated: {listed}; run `assay update --keep-conflicts` with the same options "
        "for a branch in which both sides are marked, and decide there."
    )


def _hiding(made: merging.MergePlan) -> list[str]:
    return [name for name in made.conflicts if name.startswith(merging.MACHINERY)]


def _require_removable(made: merging.MergePlan) -> None:
    if _hiding(made):
        raise RefusedError(_conflict(made), code="update.conflict")
