"""Takes from each count in turn what a check left: without it, emptied, one less; all are refused.

The records are those of a real run, so that a rule or property that is new takes part by itself.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.datasets import read_tables
from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.records import CandidateCard, CheckReport, Record, Tally, read_record
from assay.repository import read_repository
from assay.sanity.suites import KIT
from assay.scoring.acceptance import sound_predictions
from gauntlet.base import assay, git
from gauntlet.cases import Case

CHANGED = "more-data"  # its train set is not main's, so that the rules of history are evaluated
TRAINING = ("rows", "out_of_fold", "folds", "predicted")
UNCOUNTED = ("elements",)  # a table of main's elements, whose rows nothing demands
MUTATIONS = ("dropped", "emptied", "shortened")
REFUSED, PASSED, NONE = "refused", "passed", "–"


@dataclass(frozen=True)
class Counted:
    """A rule or property, or a figure of the training, and what became of each mutation."""

    check: str
    where: str
    name: str
    dropped: str
    emptied: str
    shortened: str


def counted(case: Case, base: Path, folder: Path) -> list[Counted]:
    """Run the checks of a case once; then score its records with each count mutated in turn."""
    pull, main = folder / "pull", folder / "main"
    git(base, "clone", "--quiet", str(base), str(pull))
    shutil.copy(base / ".git" / "held_back.csv", pull / ".git")
    git(pull, "switch", "--quiet", "--create", "idea")
    case.change(pull)
    git(pull, "commit", "--quiet", "--all", "--message", case.message)
    done = assay(pull, "check")
    if done.returncode:
        raise RuntimeError(f"the checks of {case.name} ended with {done.returncode}: {done.stderr}")
    shutil.copytree(base, main, symlinks=True)
    return list(_counted(Layout(main), Handover(pull / "out")))


def _counted(layout: Layout, handover: Handover) -> Iterator[Counted]:
    if _fate(layout, handover) != PASSED:
        raise RuntimeError("the records are refused as they are, so no mutation would show")
    for check, path in (("schema", handover.schema), ("sanity", handover.sanity)):
        record = read_record(CheckReport, path)
        for place, one in enumerate(record.tallies):
            if _is_demanded(check, one):
                fates = [
                    _written(layout, handover, path, mutated) for mutated in _tallies(record, place)
                ]
                record.write(path)
                where = one.where.removeprefix(KIT)
                yield Counted(check, where, one.name, fates[0], fates[1], fates[2])
    card = read_record(CandidateCard, handover.candidate)
    for name in TRAINING:
        count: int = getattr(card, name)
        fates = [
            _written(layout, handover, handover.candidate, card.model_copy(update={name: less}))
            for less in (None if name != "rows" else 0, 0, count - 1)
        ]
        card.write(handover.candidate)
        yield Counted("train", "candidate", name, fates[0], fates[1], fates[2])


def _is_demanded(check: str, one: Tally) -> bool:
    if check == "sanity":
        return one.where.startswith(KIT) and one.name not in LEFT_TO_THE_MODEL
    return one.where in {"train", "sealed_inputs", "pool", "main", "elements"}


LEFT_TO_THE_MODEL = {"test_elements_without_properties_are_refused"}


def _tallies(record: CheckReport, place: int) -> Iterator[CheckReport | None]:
    """The record without a count, with zero in its place, and with one less; None: none is kept."""
    before, one, rest = record.tallies[:place], record.tallies[place], record.tallies[place + 1 :]
    field = "examples" if record.check == "sanity" else "rows"
    count = getattr(one, field)
    yield record.model_copy(update={"tallies": [*before, *rest]})
    for less in (0, (count or 0) - 1):
        if count is None or one.where in UNCOUNTED:
            yield None
            continue
        mutated = one.model_copy(update={field: less, "exhausted": False})
        yield record.model_copy(update={"tallies": [*before, mutated, *rest]})


def _written(layout: Layout, handover: Handover, path: Path, record: Record | None) -> str:
    if record is None:
        return NONE
    record.write(path)
    return _fate(layout, handover)


def _fate(layout: Layout, handover: Handover) -> str:
    repository = read_repository(layout.root)
    card = read_record(CandidateCard, handover.candidate)
    data = read_tables(repository)
    try:
        sound_predictions(repository, handover, card, data)
    except NotCarriedOutError:
        return REFUSED
    return PASSED


def as_json(found: list[Counted]) -> list[dict[str, Any]]:
    """For the record."""
    return [vars(one) for one in found]
