"""What a report is made of: the records of a run, public tables, and what was decided before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assay.errors import AssayError, NotCarriedOutError
from assay.files import digest_bytes, digest_file
from assay.layout import Handover, Part
from assay.locks import PackageChange, package_changes
from assay.machinery import installed_version, machinery_digest
from assay.records import (
    MAXIMUM_BYTES,
    CandidateCard,
    CheckReport,
    Finding,
    IntervalCoverage,
    Record,
    Refusal,
    VerdictRecord,
    read_record,
)
from assay.report.changes import DataChanges, Fact, Machinery, data_changes, model_changes
from assay.report.family_coverage import family_findings
from assay.report.public_rows import Evidence, FamilyError, family_errors, gathered
from assay.repository import Repository
from assay.settings import Settings
from assay.staleness import told
from assay.tables import harmless_rounding

if TYPE_CHECKING:
    from assay.model.intervals import Interval
    from assay.report.classes import ClassFigures

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&+,;=%-]+")

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class ReportInputs:
    """Everything a report is made of; any record may be missing.

    `root` is the repository whose public tables the plots need (no plots without it),
    `reference_predictions` the reference model's predictions by row id (rows that it lacks are
    left out of the comparison), `url` the address of the run or page to link to, `history` the
    ledger's last lines as `ledger.listing` shows them, `data_docs` where the Data Docs are,
    `changed` what is not any more as the checks read it. Sealed labels are not among the inputs,
    and are never read.
    """

    handover: Handover
    settings: Settings
    root: Path | None = None
    reference_predictions: Mapping[str, float] | None = None
    url: str | None = None
    history: Sequence[tuple[str, ...]] = ()
    data_docs: str | None = None
    changed: Sequence[str] = ()

    @cached_property
    def repository(self) -> Repository | None:
        """The repository at `root`, or None without one."""
        return None if self.root is None else Repository(self.root, self.settings)

    @cached_property
    def schema(self) -> CheckReport | None:
        """The data checks, or None where they left no readable record."""
        return None if self.refusal("schema") else _checks("schema", self.handover.schema)

    @cached_property
    def sanity(self) -> CheckReport | None:
        """The property-based tests, or None where they left no readable record."""
        return None if self.refusal("sanity") else _checks("sanity", self.handover.sanity)

    @cached_property
    def candidate(self) -> CandidateCard | None:
        """What the training says of its model, or None."""
        refused = self.refusal("candidate")
        return None if refused else _record(CandidateCard, self.handover.candidate)

    @cached_property
    def verdict(self) -> VerdictRecord | None:
        """The verdict, or None."""
        return None if self.refusal("score") else _record(VerdictRecord, self.handover.verdict)

    def refusal(self, part: Part) -> str:
        """What a part that was not carried out said of it; empty if it left nothing to read.

        Its record, if there is one, is of an earlier time then, and not read.
        """
        record = _record(Refusal, self.handover.refusal(part))
        return record.said if record else ""

    @property
    def out_of_date(self) -> str:
        """What changed since the checks, in words, which are text of the author; or empty."""
        return f"{told(list(self.changed))} since the checks ran" if self.changed else ""

    @property
    def link(self) -> str | None:
        """`url`, if it is a web address that needs no escaping."""
        return self.url if self.url and _ADDRESS.fullmatch(self.url) else None

    @property
    def evidence(self) -> Evidence | None:
        """Public rows with predictions, or None where these cannot be read."""
        return self._evidence[0]

    @property
    def no_evidence(self) -> str:
        """Why there is none: one sentence."""
        return self._evidence[1]

    @cached_property
    def _evidence(self) -> tuple[Evidence | None, str]:
        if self.repository is None:
            return None, "Without the repository's tables there is nothing to draw."
        reference = self.reference_predictions or {}
        try:
            return gathered(self.repository, self.handover, reference), ""
        except AssayError as error:
            return None, f"Not drawn: {error}"

    @cached_property
    def interval(self) -> "Interval | None":
        """The prediction intervals of the public rows, for a number."""
        if self.evidence is None or not len(rows := self.evidence.train):
            return None
        return self._interval_of(rows.candidate)

    def _interval_of(self, predicted: np.ndarray) -> "Interval | None":
        """Those of other predictions (n,) of the same rows; None unless all are predicted."""
        if self.evidence is None or self.settings.target.kind == "class":
            return None
        from assay.model.domain import out_of_fold_difficulty
        from assay.model.intervals import fit_interval

        rows = self.evidence.train
        if not np.isfinite(sizes := np.abs(predicted - rows.target)).all():
            return None
        difficulty = out_of_fold_difficulty(rows.formulas, self.evidence.folds, sizes)
        return fit_interval(sizes, difficulty, self.settings.model.interval_level)

    @cached_property
    def coverage(self) -> IntervalCoverage | None:
        """How many public rows the interval holds; without them what the card claims."""
        if self.evidence is None:
            return self.candidate.interval_coverage if self.candidate else None
        if self.interval is None:
            return None
        return self.interval.coverage(self.evidence.train.group_names)

    @cached_property
    def classes(self) -> "ClassFigures | None":
        """What the public rows say of the two classes; None for a number or without such rows."""
        names = self.settings.target.class_names
        if names is None or self.evidence is None or not len(self.evidence.train):
            return None
        from assay.report.classes import class_figures

        return class_figures(names, self.evidence.train)

    @cached_property
    def uncovered(self) -> list[Finding]:
        """The families of elements whose rows the interval holds too few of."""
        if self.evidence is None or self.interval is None:
            return []
        rows = self.evidence.train
        before = self._interval_of(rows.reference)
        return family_findings(rows.formulas, self.interval, before)

    @cached_property
    def reference_metrics(self) -> dict[str, float]:
        """Public metrics of the reference as the candidate's card has them; empty without one."""
        if self.evidence is None or not len(rows := self.evidence.train.compared):
            return {}
        from assay.model.metrics import public_metrics

        return public_metrics(self.settings.target.kind, rows.target, rows.reference)

    @cached_property
    def families(self) -> list[FamilyError]:
        """Errors by family of elements; empty without public rows."""
        found = self.evidence
        inside = self.interval.inside if self.interval else None
        return family_errors(found.train, found.metric, inside) if found else []

    @cached_property
    def data_changes(self) -> DataChanges | None:
        """The candidate's train set against main's, or None where one of them is not at hand."""
        from assay.scoring.acceptance import LARGER, candidate_train
        from assay.tables import parse_table

        mains = self._on_main("train")
        if mains is None or self.repository is None:
            return None
        target = self.settings.target.column
        # a pull request may rename the column
        own = self.candidate.target if self.candidate else target
        columns = ["row_id", "formula"]
        try:
            before = parse_table(mains, [*columns, target], self.repository.layout.train)
            after = candidate_train(self.handover.train, [*columns, own], LARGER * len(mains))
        except AssayError:
            return None
        after = after[[*columns, own]].rename(columns={own: target})
        return data_changes(before, after, target, harmless_rounding(self.settings))

    @cached_property
    def package_changes(self) -> list[PackageChange] | None:
        """What the candidate's lock changes, or None where one of both locks is not at hand.

        The candidate's is read only if it is the one that its card names.
        """
        mains, card, path = self._on_main("lock"), self.candidate, self.handover.lock
        if mains is None or card is None or path.is_symlink() or not path.is_file():
            return None
        if path.stat().st_size > MAXIMUM_BYTES or digest_file(path) != card.lock_digest:
            return None
        own = path.read_bytes()
        return package_changes(*(one.decode(errors="replace") for one in (mains, own)))

    @cached_property
    def model_changes(self) -> list[Fact]:
        """Public facts of the model; empty without its card."""
        if self.candidate is None:
            return []
        digests = (self._on_main(name) for name in ("lock", "train"))
        lock, train = (None if one is None else digest_bytes(one) for one in digests)
        own = Machinery(machinery_digest(), installed_version())
        return model_changes(self.candidate, self.verdict, lock, train, own)

    def _on_main(self, name: str) -> bytes | None:
        if self.repository is None:
            return None
        layout = self.repository.layout
        paths = {"train": layout.train, "lock": layout.root / "requirements.lock"}
        return self.repository.base.content(paths[name])


def _checks(check: str, path: Path) -> CheckReport | None:
    report = _record(CheckReport, path)
    return report if report and report.check == check else None


def _record(kind: type[R], path: Path) -> R | None:
    try:
        return read_record(kind, path)
    except NotCarriedOutError:
        return None
