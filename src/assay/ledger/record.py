"""The append-only record of verdicts and sealed uses, on an orphan branch of git.

Each append is one commit that is moved in by compare-and-swap (`branches`): whoever loses the race
reads again and decides again.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import commits
from assay.errors import NotCarriedOutError
from assay.gate.decision import Budget
from assay.layout import Layout
from assay.ledger import branches
from assay.ledger.certificate import read_public_key, read_signer
from assay.ledger.entries import (
    RECORDS,
    DecisionEntry,
    Entry,
    Intent,
    Question,
    Retirement,
    Revocation,
    State,
    chained,
    line_of,
    read_lines,
    sound_lines,
    state_of,
)
from assay.sealing.encryption import SEALING, SIGNING

# How often a lost race is run again: as many runs may write at once, twice each.
ATTEMPTS = 20


def reference_file(bundle_digest: str) -> str:
    """Where the ledger's branch keeps the predictions of a certified improvement."""
    return f"references/{bundle_digest}.csv"


def reference_train_file(bundle_digest: str) -> str:
    """Where the ledger's branch keeps the train set of a certified improvement."""
    return f"references/{bundle_digest}.train.csv"


class LedgerMovedError(Exception):
    """Somebody else appended in the meantime: read the ledger again."""


@dataclass(frozen=True)
class Ledger:
    """A snapshot of the ledger: its entries and the commit they were read from.

    Where `signed` is set, a line without a signature proves nothing: it counts as a use of the
    sealed labels, and as nothing else.
    """

    root: Path
    remote: str | None = None
    head: str | None = None
    entries: Sequence[Entry] = field(default_factory=tuple)
    signed: bool = False

    @property
    def state(self) -> State:
        """What a certificate that is issued now names."""
        return state_of(self.entries)

    def lacks(self, state: State) -> bool:
        """Whether the ledger never was in this state: lines that it had are gone or others."""
        return state_of(self.entries[: state.lines]) != state

    @property
    def proven(self) -> list[Entry]:
        """The entries that count as certified, reference or recorded answer."""
        return [entry for entry in self.entries if self.proves(entry)]

    def proves(self, entry: Entry) -> bool:
        """Whether a line counts as more than a use that was spent."""
        return entry.signature is not None or not self.signed

    def budget(self, sealed_digest: str) -> Budget:
        """Uses and non-confirmations of a sealed set; an intent without its decision is both."""
        uses = [_use(entry) for entry in self.intents(sealed_digest)]
        confirmed = {
            _use(entry)
            for entry in self.entries
            if isinstance(entry, DecisionEntry)
            and entry.bit
            and entry.sealed_digest == sealed_digest
        }
        return Budget(len(uses), sum(use not in confirmed for use in uses))

    def intents(self, sealed_digest: str, *, proven: bool = False) -> list[Intent]:
        """The uses of a sealed set: every one, or those that are proven."""
        return [
            entry
            for entry in (self.proven if proven else self.entries)
            if isinstance(entry, Intent) and entry.sealed_digest == sealed_digest
        ]

    def champion(self) -> DecisionEntry | None:
        """The last certified decision on a model that is not revoked."""
        return next(self._certified(), None)

    def reference(self, sealed_digest: str) -> DecisionEntry | None:
        """The last model certified on a declared improvement on this sealed set, if not revoked.

        New models are compared with it; comparing with the last *certified* one instead would
        let many small losses add up.
        """
        improved = (entry for entry in self._certified() if entry.claim == "improvement")
        last = next(improved, None)
        return last if last and last.sealed_digest == sealed_digest else None

    def _certified(self) -> Iterator[DecisionEntry]:
        for entry in reversed(self.proven):
            if not isinstance(entry, DecisionEntry) or not entry.certified:
                continue
            if self.revocation(entry.bundle_digest, entry.predictions_digest) is None:
                yield entry

    def revocation(self, bundle_digest: str, predictions_digest: str) -> Revocation | None:
        """The entry that revokes a model: this bundle, or another with the same predictions."""
        for entry in self.proven:
            if isinstance(entry, Revocation) and (
                entry.bundle_digest == bundle_digest
                or entry.predictions_digest == predictions_digest
            ):
                return entry
        return None

    def retirement(self, sealed_digest: str) -> Retirement | None:
        """The entry that retires a sealed set."""
        for entry in self.proven:
            if isinstance(entry, Retirement) and entry.sealed_digest == sealed_digest:
                return entry
        return None

    def sealed_answer(self, question: Question) -> DecisionEntry | None:
        """The earlier sealed decision on the very same question, if there is one."""
        for entry in reversed(self.proven):
            if isinstance(entry, DecisionEntry) and entry.bit is not None and entry.same(question):
                return entry
        return None

    def unanswered(self, question: Question) -> Intent | None:
        """The use that was spent on this very question and whose decision was never written."""
        if self.sealed_answer(question):
            return None
        asked = (e for e in reversed(self.proven) if isinstance(e, Intent) and e.same(question))
        return next(asked, None)

    def read_file(self, path: str) -> bytes:
        """The content of a file on the ledger's branch.

        Raises:
            NotCarriedOutError: there is no such file.
        """
        return commits.read_file(self.root, self.head, path)

    def files(self, folder: str = "") -> dict[str, bytes]:
        """Every file on the ledger's branch, or in a folder of it, by path."""
        return commits.read_files(self.root, self.head, folder) if self.head else {}

    def append(self, entry: Entry, files: Mapping[str, bytes] | None = None) -> "Ledger":
        """Add one entry, and files beside it, in one commit; returns the new snapshot.

        The line is signed wherever the repository has a `certificate.pub`.

        Raises:
            LedgerMovedError: the branch moved since this snapshot was read.
            NotCarriedOutError: there is no signing key, or git cannot write or push.
        """
        last = self.entries[-1] if self.entries else None
        entries = (*self.entries, chained(entry, last, writer(self.root)))
        lines = b"".join(line_of(one) + b"\n" for one in entries)
        contents = {**(files or {}), RECORDS: lines}
        commit = commits.commit(self.root, self.head, contents, _title(entry))
        if not branches.move(self.root, self.remote, self.head, commit):
            raise LedgerMovedError
        return Ledger(self.root, self.remote, commit, entries, self.signed)


def _use(entry: Intent | DecisionEntry) -> tuple[int | None, bool]:
    # An unsigned line cannot confirm a signed use: anybody can have written it.
    return entry.use, entry.signature is not None


def _title(entry: Entry) -> str:
    told = entry.outcome if isinstance(entry, DecisionEntry) else ""
    subject = entry.sealed_digest if isinstance(entry, Retirement) else entry.bundle_digest
    return f"{entry.kind}: {f'{told} ' if told else ''}for {subject[:12]}"


def writer(root: Path) -> Any | None:
    """Whoever signs new lines, or None where lines are not signed: before `assay init`.

    Raises:
        NotCarriedOutError: lines must be signed and the key is not here, or is another one.
    """
    layout = Layout(root)
    if not layout.public_key.exists():
        return None
    signer = read_signer(layout)
    if signer is None and os.environ.get("GITHUB_ACTIONS"):
        secrets = " and ".join(key.variable for key in (SIGNING, SEALING))
        raise NotCarriedOutError(
            "the data are sealed, and this workflow has no keys, so nothing can be scored or "
            "certified yet: in Settings, Environments, `heldout` of the repository on GitHub add "
            f"the secrets {secrets}, which `assay init` wrote to .assay/keys, and run it again.",
            code="key.no-secrets",
        )
    if signer is None:
        raise NotCarriedOutError(
            "the ledger is signed, and the signing key is not here: the workflow Score, or whoever "
            "holds the key, must do this; `assay check` is for everybody.",
            code="key.no-signing-key",
        )
    return signer


def read_ledger(root: Path, remote: str | None = None) -> Ledger:
    """Read the ledger of the repository at `root`, from `remote` if one is named.

    Otherwise it is what this clone knows: its own branch or what it last fetched, whichever is
    further.

    Raises:
        DamagedLedgerError: a line is not an entry, not signed as it must be, or out of its place.
        ShortenedError: the branch once held sound lines that it lacks now.
        NotCarriedOutError: git fails, or the two branches of this clone have parted.
    """
    return _read(root, branches.head(root, remote), remote)


def read_ledger_at_hand(root: Path) -> Ledger:
    """Read the ledger to look something up: from GitHub in Actions, else what this clone knows.

    Raises:
        NotCarriedOutError: as `read_ledger`.
    """
    return read_ledger(root, branches.ORIGIN if os.environ.get("GITHUB_ACTIONS") else None)


def _read(root: Path, head: str | None, remote: str | None) -> Ledger:
    path = Layout(root).public_key
    signed = path.exists()
    if head is None:
        return Ledger(root, remote, signed=signed)
    content = commits.read_file(root, head, RECORDS)
    key = read_public_key(path) if signed else None
    entries = read_lines(content, key)
    for version in branches.other_versions(root, head, RECORDS, content):
        _require_growth(entries, sound_lines(version, key))
    return Ledger(root, remote, head, entries, signed)


def _require_growth(entries: Sequence[Entry], held: Sequence[Entry]) -> None:
    """Insist that a ledger begins with the sound lines that its branch held at another commit."""
    if tuple(entries[: len(held)]) == tuple(held):
        return
    same = [one == other for one, other in zip(entries, held, strict=False)]
    line = same.index(False) + 1 if False in same else len(same) + 1
    raise branches.ShortenedError(
        f"{RECORDS} on the branch {branches.BRANCH} lacks line {line}, which it held before: undo "
        "the commit that took it out, by `git revert` and an ordinary push, and see who may push "
        "there.",
        code="ledger.shortened",
    )
