"""Whether model and predictions stay the same when the machinery is exchanged.

A commit is cloned into a temporary folder, in which verbs are run with a machinery of its own.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import wheels
from assay.commits import local_head, run_git
from assay.errors import AssayError
from assay.layout import Handover, Layout
from assay.ledger.branches import BRANCH, REF
from assay.ledger.record import read_ledger_at_hand
from assay.locks import versions
from assay.progress import Doing
from assay.update.last_commit import LastCommit

# what a verb would take for a workflow's run, or send results to
FOREIGN = ("GITHUB_", "MLFLOW_", "PYTHONPATH", "GIT_")
ASK = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)
SHORT = 12
ROWS = 500  # of the pool, that the certified model predicts
NAMED = 3
CODE = re.compile(r" \[[a-z]+\.[a-z-]+\]$")  # of the error, behind the sentence


@dataclass(frozen=True)
class Done:
    """How a verb ended: its exit code, and the sentence that it ended with."""

    code: int
    sentence: str


@dataclass(frozen=True)
class Side:
    """A clone at `root`, and the folder that holds the package `assay` it is run with."""

    root: Path
    machinery: Path
    python: Path

    def run(self, *words: str) -> Done:
        """Run a verb in the clone, with nothing of the folder that the person stands in."""
        done = subprocess.run(
            [str(self.python), "-P", "-m", "assay", *words],
            cwd=self.root,
            env=environment() | {"PYTHONPATH": str(self.machinery)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return Done(done.returncode, sentence_of(done.stderr))


def sentence_of(printed: str) -> str:
    """The sentence that a verb ended with on standard error, or the error where it crashed."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    told = [number for number, line in enumerate(lines) if line.startswith("assay")]
    if not told:
        return lines[-1] if lines else "no message"
    if any(line.startswith("Traceback (") for line in lines) and told[-1]:
        return lines[told[-1] - 1]
    return CODE.sub("", lines[told[-1]].partition(": ")[2])


def environment() -> dict[str, str]:
    """The person's environment without what would make a verb act beyond its clone."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}


def python_of(root: Path) -> Path:
    """The repository's own Python, or this one where `make setup` was not run."""
    own = root / ".venv" / "bin" / "python"
    return own if own.is_file() else Path(sys.executable)


def clone(root: Path, commit: str, ledger: str | None, folder: Path) -> Path:
    """Check out a commit of the repository in a clone that shares its objects, with the ledger."""
    run_git(root, "clone", "--quiet", "--shared", "--no-checkout", "--", str(root), str(folder))
    quiet = ("-c", "core.hooksPath=", "-c", "advice.detachedHead=false")
    run_git(folder, *quiet, "checkout", "--quiet", "--detach", commit)
    if ledger is not None:
        run_git(folder, "update-ref", REF, ledger)
    return folder


def unpack(wheel: Path, folder: Path) -> Path:
    """The package that a wheel holds, in a folder of its own."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def give_model(side: Side, root: Path, digest: str) -> None:
    """Put a certified model of the repository where the side's verbs look for it."""
    place = Layout(side.root).models / digest
    shutil.copytree(Layout(root).models / digest, place)


def installed(python: Path) -> Mapping[str, str]:
    """The versions of the packages that a Python has, by their names in small letters."""
    done = subprocess.run(
        [str(python), "-I", "-c", ASK], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return {name.lower().replace("_", "-"): version for name, version in found.items() if name}


@dataclass
class MachineryComparison:
    """What was found, a sentence each; what was not looked at; and what could not be found out.

    The last two begin with "whether".
    """

    found: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def compare(last: LastCommit, commit: str, wheel: Path, doing: Doing) -> MachineryComparison:
    """Train and predict before and after the update, each with its own machinery.

    Both sides use the packages that are installed; where the new lock has others, that is said.

    Args:
        last: the repository as its last commit has it.
        commit: the update's.
        wheel: the new machinery.
        doing: told what is being done.
    """
    made = MachineryComparison()
    head = local_head(last.root, REF)
    ledger = head or local_head(last.root, f"refs/remotes/origin/{BRANCH}")
    python = python_of(last.root)
    with tempfile.TemporaryDirectory(prefix="assay-update-") as name:
        doing("checking out both versions")
        folders = [Path(name, side) for side in ("before", "after")]
        roots = [
            clone(last.root, one, ledger, folder / "repository")
            for one, folder in zip((last.head, commit), folders, strict=True)
        ]
        before = Side(roots[0], _old_machinery(roots[0], last, folders[0]), python)
        after = Side(roots[1], unpack(wheel, folders[1] / "machinery"), python)
        _packages(made, after)
        _compare_trainings(made, before, after, doing)
        _compare_champion(made, last, before, after, doing)
    return made


def _old_machinery(root: Path, last: LastCommit, folder: Path) -> Path:
    if last.wheel is None:
        return root / "src"
    return unpack(root / last.wheel, folder / "machinery")


def _packages(made: MachineryComparison, after: Side) -> None:
    """Say where the new lock has other versions than those that are installed."""
    locked = versions((after.root / wheels.LOCK).read_text(encoding="utf-8"))
    present = installed(after.python)
    others = [
        f"{name} {present[name]} (the lock: {' or '.join(sorted(locked[name]))})"
        for name in sorted(locked)
        if name in present and present[name] not in locked[name]
    ]
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        made.unchecked.append(
            f"whether the same holds with the packages of the new lock. Both sides were run with "
            f"those installed: {', '.join(others[:NAMED])}{more}"
        )


def _compare_trainings(made: MachineryComparison, before: Side, after: Side, doing: Doing) -> None:
    cards = []
    for side, which in ((after, "new"), (before, "present")):
        doing(f"training the model with the {which} machinery")
        done = side.run("train")
        if done.code:
            made.unknown.append(
                f"whether the model stays the same, since `assay train` with the {which} machinery "
                f"ended with {done.code} ({done.sentence.rstrip('.')})"
            )
            return
        cards.append(_card(side))
    new, old = cards
    digests = [str(card["bundle_digest"])[:SHORT] for card in (old, new)]
    tables = [_predictions(Handover(Layout(side.root).out).predictions) for side in (before, after)]
    predictions = difference(tables[0], tables[1], str(new["unit"]))
    if old["bundle_digest"] == new["bundle_digest"]:
        made.found.append(f"The model keeps its digest ({digests[0]}); {predictions}.")
    else:
        made.found.append(
            f"The model that src/ trains has another digest ({digests[1]} instead of "
            f"{digests[0]}); {predictions}."
        )


def _card(side: Side) -> dict[str, Any]:
    path = Handover(Layout(side.root).out).candidate
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _compare_champion(
    made: MachineryComparison, last: LastCommit, before: Side, after: Side, doing: Doing
) -> None:
    """Have the certified model predict with both machineries."""
    try:
        champion = read_ledger_at_hand(last.root).champion()
    except AssayError as error:
        made.unknown.append(f"whether the certified model predicts: {str(error).rstrip('.')}")
        return
    if champion is None:
        made.found.append("No model is certified, so none could stop predicting.")
        return
    short = champion.bundle_digest[:SHORT]
    if not (Layout(last.root).models / champion.bundle_digest).is_dir():
        made.unchecked.append(f"whether the certified model {short} predicts: it is not in .assay/")
        return
    tables = []
    for side, which in ((before, "present"), (after, "new")):
        doing(f"predicting with the certified model and the {which} machinery")
        give_model(side, last.root, champion.bundle_digest)
        listed = _list(side)
        done = side.run("predict", str(listed), "--csv")
        if done.code:
            made.found.append(
                f"The certified model {short} does not predict with the {which} machinery: "
                f"{done.sentence}"
            )
            if side is before:
                return
            continue
        (table,) = (side.root / "out" / "batches").glob("*/predictions.csv")
        tables.append(_predictions(table, "formula"))
    if len(tables) > 1:
        said = difference(tables[0], tables[1])
        made.found.append(f"The certified model {short} goes on predicting; {said}.")


def _list(side: Side) -> Path:
    """A list of some of the pool's formulas, the same on both sides."""
    with Layout(side.root).pool.open(encoding="utf-8", newline="") as stream:
        formulas = [row["formula"] for row, _ in zip(csv.DictReader(stream), range(ROWS))]  # noqa: B905
    path = side.root.with_name("list.csv")
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["formula"], *([one] for one in dict.fromkeys(formulas))])
    return path


def _predictions(path: Path, key: str = "row_id") -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row[key]: row["prediction"] for row in csv.DictReader(stream)}


def difference(before: Mapping[str, str], after: Mapping[str, str], unit: str = "") -> str:
    """How the predictions of two tables differ, by their texts of nine significant digits."""
    shared = [row for row in before if row in after]
    changed = [row for row in shared if before[row] != after[row]]
    rows = len(set(before) | set(after))
    if not changed and len(shared) == rows:
        return f"all {rows:,} predictions are the same"
    if not changed:
        return f"{rows - len(shared):,} of {rows:,} rows are predicted on one side only"
    largest = max(changed, key=lambda row: abs(float(after[row]) - float(before[row])))
    by = abs(float(after[largest]) - float(before[largest]))
    return (
        f"{len(changed):,} of {rows:,} predictions change, most that of {largest}, by {by:.3g}"
        f"{f' {unit}' if unit not in {'', '1'} else ''}"
    )
