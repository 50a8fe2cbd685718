"""What is scored: one run's candidate before one state of the ledger."""

import datetime as dt
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assay import provenance
from assay.certificate import policy_digest
from assay.errors import NotCarriedOutError
from assay.gate import Budget, Comparison
from assay.layout import Layout
from assay.ledger import Entry, Ledger
from assay.records import CandidateCard, Claim
from assay.references import baseline, compare, recorded, reference_file
from assay.sealing import sealed_digest
from assay.settings import Settings
from assay.training import Dataset

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
        NotCarriedOutError: a workflow that was not started by `workflow_run`.
    """
    if not os.environ.get("GITHUB_ACTIONS"):
        return Run(card.commit, "local", provenance.branch_of(root) == MAIN)
    try:
        event = _event()["workflow_run"]
        # a fork that was deleted since has no head_repository, and calls its branches as it likes
        own = (event["head_repository"] or {}).get("full_name") == os.environ["GITHUB_REPOSITORY"]
        certifies = event["event"] == "push" and event["head_branch"] == MAIN and own
        return Run(str(event["head_sha"]), provenance.run_url() or "", certifies)
    except (KeyError, TypeError, AttributeError):
        raise NotCarriedOutError(
            "in Actions score runs only in a workflow started by workflow_run: the event names no "
            "such run."
        ) from None


def _event() -> Any:
    try:
        return json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotCarriedOutError("the file at GITHUB_EVENT_PATH cannot be read as JSON.") from None


@dataclass(frozen=True)
class Case:
    """One candidate before one state of the ledger."""

    layout: Layout
    settings: Settings
    card: CandidateCard
    data: Dataset
    predictions: dict[str, float]
    ledger: Ledger
    run: Run

    @cached_property
    def reference(self) -> Entry | None:
        """The model to compare with, or None for the stated baseline."""
        return self.ledger.reference(sealed_digest(self.layout))

    @cached_property
    def comparison(self) -> Comparison:
        """Candidate against reference; the first model must show an improvement."""
        claim: Claim = "improvement"
        if self.reference is None:
            values = baseline(self.data, self.settings)
        else:
            name = self.reference.bundle_digest
            values = recorded(self.ledger.read_file(reference_file(name)), name)
            claim = self.card.claim
        return compare(self.predictions, values, self.data, self.settings, claim)

    @cached_property
    def question(self) -> Entry:
        """The ledger's entry for this case, before it is answered."""
        baseline_name = f"baseline {self.settings.gate.baseline}"
        return Entry(
            kind="decision",
            predictions_digest=self.card.predictions_digest,
            bundle_digest=self.card.bundle_digest,
            reference=self.reference.bundle_digest if self.reference else baseline_name,
            claim=self.comparison.claim,
            sealed_digest=sealed_digest(self.layout),
            policy_digest=policy_digest(self.settings),
            commit=self.run.commit,
            time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            run=self.run.url,
        )

    @cached_property
    def budget(self) -> Budget:
        """What is spent of the sealed set."""
        return self.ledger.budget(self.question.sealed_digest)
