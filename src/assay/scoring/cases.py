"""What is scored: one run's candidate before one state of the ledger."""

import datetime as dt
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from assay import provenance
from assay.datasets import Dataset
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.gate.comparisons import Comparison
from assay.gate.decision import Budget
from assay.gate.policy import Gate
from assay.gate.public_evidence import of_public_rows
from assay.ledger.certificate import (
    Predicate,
    policy_digest,
    read_public_key,
    verify_content,
)
from assay.ledger.entries import DecisionEntry, Question
from assay.ledger.record import Ledger, reference_file, reference_train_file
from assay.ledger.replay import certificate_file
from assay.records import CandidateCard, Claim
from assay.repository import Repository
from assay.scoring.references import baseline, compare, of_same_rows, recorded
from assay.sealing.labels import commitment, sealed_digest
from assay.settings import Settings
from assay.splits import fold_rule
from assay.tables import parse_table

MAIN = "main"


@dataclass(frozen=True)
class Run:
    """Which run is scored: its commit, an address to look it up, and whether it may certify."""

    commit: str
    url: str
    certifies: bool


def current_run(root: Path, card: CandidateCard) -> Run:
    """Tell main's own run from everything else.

    In Actions the payload of `workflow_run` decides, which GitHub writes; on a laptop the branch
    that is checked out.

    Raises:
        NotCarriedOutError: a workflow that was not started by `workflow_run`, or a candidate of
            another commit than is checked out on a laptop.
    """
    if not os.environ.get("GITHUB_ACTIONS"):
        return _local_run(root, card)
    run = provenance.triggering_run()
    # a fork that was deleted since has no head_repository, and calls its branches as it likes
    origin = (run.get("head_repository") or {}).get("full_name")
    # The name alone is not enough: a tag may be called main, too, and an older run of main may be
    # scored after a newer one. What is checked out here is main as it is now.
    certifies = (
        run.get("event") == "push"
        and run["head_sha"] == provenance.git(root, "rev-parse", "HEAD")
        and run.get("head_branch") == MAIN
        and origin is not None
        and origin == os.environ.get("GITHUB_REPOSITORY")
    )
    return Run(run["head_sha"], provenance.run_url() or "", certifies)


def _local_run(root: Path, card: CandidateCard) -> Run:
    """A laptop's run: the claim stands in the commit, so the candidate must be that commit's."""
    commit, _, changes = card.commit.partition("+")
    head = provenance.git(root, "rev-parse", "HEAD")
    if head not in (None, commit):
        raise NotCarriedOutError(
            f"the candidate was trained at commit {commit[:12]}, but {head[:12]} is checked out: "
            "run `assay check` again.",
            code="handover.other-commit",
        )
    if changes:
        raise NotCarriedOutError(
            "the candidate was trained on files that are changed but not committed, so its sealed "
            "use would be spent on a model that nobody can have again: commit, and run `assay "
            "check` again.",
            code="handover.not-committed",
        )
    return Run(card.commit, "local", provenance.branch_of(root) == MAIN)


@dataclass(frozen=True)
class Case:
    """One candidate before one state of the ledger."""

    repository: Repository
    card: CandidateCard
    data: Dataset
    predictions: dict[str, float]
    ledger: Ledger
    run: Run

    @property
    def settings(self) -> Settings:
        """Those of main, by which the candidate is judged."""
        return self.repository.settings

    @cached_property
    def evidence_digest(self) -> str:
        """The name of the sealed set; of public evidence, whose rows grow, what is predicted."""
        if not self.settings.public:
            return sealed_digest(self.repository.layout)
        target = self.settings.target
        return digest_bytes(f"public evidence: a {target.kind} in {target.unit}\n".encode())

    @cached_property
    def reference(self) -> DecisionEntry | None:
        """The model to compare with, or None for the stated baseline."""
        return self.ledger.reference(self.evidence_digest)

    @cached_property
    def reference_predictions(self) -> dict[str, float]:
        """The reference's predictions by row id, of rows that are what they were; all public."""
        if self.reference is None:
            return baseline(self.data, self.settings)
        name = self.reference.bundle_digest
        content = self.ledger.read_file(reference_file(name))
        if digest_bytes(content) != self.reference.predictions_digest:
            raise NotCarriedOutError(
                f"the recorded predictions of {name[:12]} are not those that were certified: "
                "restore the branch of the ledger.",
                code="ledger.altered-file",
            )
        values = recorded(content, name)
        return of_same_rows(values, self._reference_formulas(name), self.data.train)

    def _certified(self, name: str) -> Predicate:
        """What the reference's certificate says of it."""
        place, key = certificate_file(name), read_public_key(self.repository.layout.public_key)
        return verify_content(self.ledger.read_file(place), place, key).predicate

    def _reference_formulas(self, name: str) -> dict[str, str]:
        """The formulas, by row id, that the reference was certified on, as its certificate says."""
        place, file = certificate_file(name), reference_train_file(name)
        content = self.ledger.read_file(file)
        if digest_bytes(content) != self._certified(name).train_digest:
            raise NotCarriedOutError(
                f"{file} is not the train set that {place} names: restore the branch "
                "of the ledger.",
                code="ledger.altered-file",
            )
        rows = parse_table(content, ["row_id", "formula"], Path(file))
        return dict(zip(rows["row_id"], rows["formula"], strict=True))

    @property
    def paired(self) -> bool:
        """Whether the out-of-fold predictions of candidate and reference are from the same folds.

        A reference of an older version of assay, or of another `[split]`, has other folds, so that
        the two models of a row were trained on different rows.
        """
        if self.reference is None:
            split = self.settings.split
            return self.card.fold_rule == fold_rule(self.data.systems, split.folds, split.seed)
        return self.card.fold_rule == self._certified(self.reference.bundle_digest).fold_rule

    @property
    def is_reference(self) -> bool:
        """Whether the candidate predicts just what the reference predicts."""
        entry = self.reference
        return entry is not None and entry.predictions_digest == self.card.predictions_digest

    @cached_property
    def comparison(self) -> Comparison:
        """Candidate against reference; the first model must show an improvement."""
        claim: Claim = "improvement" if self.reference is None else self.card.claim
        if self.is_reference:
            claim = "no-regression"  # nothing is an improvement on itself
        values = self.reference_predictions
        compared = compare(self.predictions, values, self.data, self.settings, claim)
        return replace(compared, paired=self.paired)

    @cached_property
    def question(self) -> Question:
        """What is asked of the gate, before it is answered."""
        baseline_name = f"baseline {self.settings.gate.baseline}"
        return Question(
            predictions_digest=self.card.predictions_digest,
            bundle_digest=self.card.bundle_digest,
            reference=self.reference.bundle_digest if self.reference else baseline_name,
            claim=self.comparison.claim,
            sealed_digest=self.evidence_digest,
            commitment=None if self.settings.public else commitment(self.repository.layout),
            evidence=self.settings.gate.evidence,
            policy_digest=policy_digest(self.settings),
            commit=self.run.commit,
            time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            run=self.run.url,
        )

    @property
    def policy(self) -> Gate:
        """The policy in force for the evidence that is asked for."""
        policy = self.settings.gate
        return of_public_rows(policy) if self.settings.public else policy

    @cached_property
    def budget(self) -> Budget:
        """What is spent of the sealed set."""
        return self.ledger.budget(self.question.sealed_digest)
