"""What is scored: one run's candidate before one state of the ledger."""

import datetime as dt
import math
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from assay import provenance
from assay.claims import claimed_since
from assay.datasets import Dataset
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.gate.comparisons import Comparison
from assay.gate.decision import Budget
from assay.gate.policy import Gate
from assay.gate.public_evidence import of_public_rows
from assay.groups import told
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
# the shares of a sealed set's uses and non-confirmations that pull requests cannot spend
KEPT_USES, KEPT_DISAGREEMENTS = Fraction(1, 10), Fraction(2, 5)


@dataclass(frozen=True)
class Run:
    """Which run is scored: its commit, an address to look it up, and whether it may certify.

    Attributes:
        commit: what was trained.
        url: where the run is.
        why_not: why it certifies nothing; None for a run of main's own.
        later: the commits of main that came after it.
        is_fork: whether it came from another repository.
    """

    commit: str
    url: str
    why_not: str | None = None
    later: frozenset[str] = frozenset()
    is_fork: bool = False

    @property
    def certifies(self) -> bool:
        """Whether it is one of main's own."""
        return self.why_not is None


def current_run(root: Path, card: CandidateCard) -> Run:
    """Tell main's own run from everything else.

    In Actions the payload of `workflow_run` decides, which GitHub writes; on a laptop the branch
    that is checked out.

    Raises:
        NotCarriedOutError: a workflow that was not started by `workflow_run`, or a candidate of
            another commit than that of the run, or than is checked out on a laptop.
    """
    if not os.environ.get("GITHUB_ACTIONS"):
        return _local_run(root, card)
    run = provenance.triggering_run()
    commit, url = run["head_sha"], provenance.run_url() or ""
    # a fork that was deleted since has no head_repository, and calls its branches as it likes
    origin = (run.get("head_repository") or {}).get("full_name")
    own = origin is not None and origin == os.environ.get("GITHUB_REPOSITORY")
    if not own or run.get("event") != "push" or run.get("head_branch") != MAIN:
        why_not = f"only a commit that was pushed to {MAIN} is"
        return Run(commit, url, why_not, is_fork=not own)
    # The name alone is not enough: a tag may be called main, too. What is checked out here is main
    # as it is now, which may have gone on since.
    history = (provenance.git(root, "rev-list", "--first-parent", "HEAD") or "").split()
    if commit not in history:
        return Run(commit, url, f"the commit is not on {MAIN} (any more)")
    if card.commit != commit:
        raise NotCarriedOutError(
            f"the candidate was trained at commit {card.commit[:12]}, and the run that handed it "
            f"over is that of {commit[:12]}: push to {MAIN} again.",
            code="handover.other-commit",
        )
    return Run(commit, url, later=frozenset(history[: history.index(commit)]))


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
            "the candidate was trained on files that are changed but not committed, so nobody "
            "could make this model again: commit, and run `assay check` and `assay score` again.",
            code="handover.not-committed",
        )
    branch = provenance.branch_of(root)
    why_not = f"only {MAIN} is, and this is {branch or 'no branch'}" if branch != MAIN else None
    return Run(card.commit, "local", why_not)


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

    @property
    def grouping(self) -> str:
        """Which rows go together and what that promises, in one line."""
        split, gate = self.settings.split, self.settings.gate
        return told(split.group, split.extent, gate.rows_per_group)

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
                f"the recorded predictions of {name[:12]} are not those that were certified: undo "
                "the commit that changed them on the branch assay-ledger, by `git revert` and an "
                "ordinary push.",
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
                f"{file} is not the train set that {place} names: undo the commit that changed it "
                "on the branch assay-ledger, by `git revert` and an ordinary push.",
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
            rule = fold_rule(self.data.groups, split.folds, split.seed, split.group)
            return self.card.fold_rule == rule
        return self.card.fold_rule == self._certified(self.reference.bundle_digest).fold_rule

    @property
    def is_reference(self) -> bool:
        """Whether the candidate predicts just what the reference predicts."""
        entry = self.reference
        return entry is not None and entry.predictions_digest == self.card.predictions_digest

    @cached_property
    def claim(self) -> Claim:
        """What is asked: the first model must show an improvement, and main loses no claim.

        A merge button may change the message that a pull request claimed by, and a run may be
        displaced by a later one before it was scored.
        """
        if self.reference is None:
            return "improvement"
        if self.is_reference:
            return "no-regression"  # nothing is an improvement on itself
        if self.run.certifies and (self._confirmed or self._undecided == "improvement"):
            return "improvement"
        return self.card.claim

    @property
    def _confirmed(self) -> bool:
        """Whether these predictions passed as an improvement on this reference before."""
        return any(
            isinstance(entry, DecisionEntry)
            and (entry.outcome, entry.claim) == ("PASS", "improvement")
            and entry.predictions_digest == self.card.predictions_digest
            and entry.reference == self._reference_name
            and entry.sealed_digest == self.evidence_digest
            for entry in self.ledger.proven
        )

    @property
    def _undecided(self) -> Claim | None:
        """What main's commits claim since the last of them that was decided on."""
        root, commit = self.repository.root, self.run.commit
        history = (provenance.git(root, "rev-list", "--first-parent", commit) or "").split()
        lines = (e for e in self.ledger.proven if isinstance(e, DecisionEntry))
        # a merge queue, or a branch that main is moved on to, has main's commits decided before
        decided = {e.commit for e in lines if e.of_main}
        last = next((one for one in history if one in decided and one != commit), None)
        return claimed_since(root, last, commit).claim if last else None

    @property
    def overtaken(self) -> str | None:
        """The commit of main that came after this one and is certified, if one is."""
        certified = (e for e in self.ledger.proven if isinstance(e, DecisionEntry) and e.certified)
        return next((entry.commit for entry in certified if entry.commit in self.run.later), None)

    @property
    def shut(self) -> str | None:
        """Why this run may not open the sealed labels, if it may not.

        What a pull request hands over can be forged, so that it looks worth a use and does not
        confirm. So a part of the budget is main's alone, and forks have none.
        """
        if self.run.certifies:
            return None
        if self.run.is_fork:
            return (
                "a pull request from a fork opens no sealed labels: push its branch to this "
                "repository to have it asked"
            )
        policy, spent = self.settings.gate, self.budget
        spare = policy.disagreements - spent.disagreements, policy.uses - spent.uses
        kept = KEPT_DISAGREEMENTS * policy.disagreements, KEPT_USES * policy.uses
        if any(left <= math.ceil(most) for left, most in zip(spare, kept, strict=True)):
            return (
                "what is left of the sealed set's budget is kept for main: merge it, and main's "
                "own run asks"
            )
        return None

    @property
    def _reference_name(self) -> str:
        baseline_name = f"baseline {self.settings.gate.baseline}"
        return self.reference.bundle_digest if self.reference else baseline_name

    @cached_property
    def comparison(self) -> Comparison:
        """Candidate against reference."""
        values = self.reference_predictions
        compared = compare(self.predictions, values, self.data, self.settings, self.claim)
        return replace(compared, paired=self.paired)

    @cached_property
    def question(self) -> Question:
        """What is asked of the gate, before it is answered."""
        return Question(
            predictions_digest=self.card.predictions_digest,
            bundle_digest=self.card.bundle_digest,
            reference=self._reference_name,
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
