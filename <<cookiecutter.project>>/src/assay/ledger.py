"""The append-only record of verdicts and sealed uses, on an orphan branch of git.

Each append is one commit made without touching the work tree, and moved in with
compare-and-swap: locally by `git update-ref` with the old value, on a remote by a push that is
never forced. Whoever loses the race reads again and decides again.
"""

import json
import os
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from assay.errors import NotCarriedOutError
from assay.gate import Budget
from assay.records import Claim, Digest, Outcome, Record, Text

BRANCH = "assay-ledger"
REF = f"refs/heads/{BRANCH}"
RECORDS = "ledger.jsonl"


class LedgerMovedError(Exception):
    """Somebody else appended in the meantime: read the ledger again."""


class Entry(Record):
    """One line of the ledger.

    An `intent` is written before sealed labels are opened, so that a crash cannot hide a use; a
    `decision` of the same `use` follows it, or stands alone when no label was needed. `use`,
    `disagreements` (before this use) and `level` are k, j and a(k, j) of docs/gate.md; `bit` is
    whether the sealed labels confirmed the claim.
    """

    kind: Literal["intent", "decision"]
    predictions_digest: Digest
    bundle_digest: Digest
    reference: Text
    claim: Claim
    sealed_digest: Digest
    policy_digest: Digest
    use: Annotated[int, Field(ge=1)] | None = None
    disagreements: int | None = None
    level: float | None = None
    stage: Text | None = None
    outcome: Outcome | None = None
    bit: bool | None = None
    certified: bool = False
    commit: Text
    time: Text
    run: Text


@dataclass(frozen=True)
class Ledger:
    """A snapshot of the ledger: its entries and the commit they were read from."""

    root: Path
    remote: str | None = None
    head: str | None = None
    entries: Sequence[Entry] = field(default_factory=tuple)

    def budget(self, sealed_digest: str) -> Budget:
        """Uses and non-confirmations of a sealed set; an intent without its decision is both."""
        own = [entry for entry in self.entries if entry.sealed_digest == sealed_digest]
        uses = [entry.use for entry in own if entry.kind == "intent"]
        confirmed = {entry.use for entry in own if entry.bit is True}
        return Budget(len(uses), sum(use not in confirmed for use in uses))

    def champion(self) -> Entry | None:
        """The last certified decision."""
        certified = [entry for entry in self.entries if entry.certified]
        return certified[-1] if certified else None

    def reference(self, sealed_digest: str) -> Entry | None:
        """The last model certified on a declared improvement on this sealed set.

        New models are compared with it; comparing with the last *certified* one instead would
        let many small losses add up.
        """
        for entry in reversed(self.entries):
            if entry.certified and entry.claim == "improvement":
                return entry if entry.sealed_digest == sealed_digest else None
        return None

    def sealed_answer(self, question: Entry) -> Entry | None:
        """The earlier sealed decision on the very same question, if there is one."""
        same = ("predictions_digest", "reference", "claim", "sealed_digest", "policy_digest")
        for entry in reversed(self.entries):
            if entry.bit is not None and all(
                getattr(entry, name) == getattr(question, name) for name in same
            ):
                return entry
        return None

    def read_file(self, path: str) -> bytes:
        """The content of a file on the ledger's branch.

        Raises:
            NotCarriedOutError: there is no such file.
        """
        return _git(self.root, "cat-file", "blob", f"{self.head}:{path}")

    def append(self, entry: Entry, files: Mapping[str, bytes] | None = None) -> "Ledger":
        """Add one entry, and files beside it, in one commit; returns the new snapshot.

        Raises:
            LedgerMovedError: the branch moved since this snapshot was read.
            NotCarriedOutError: git cannot write or push.
        """
        entries = (*self.entries, entry)
        lines = "".join(e.model_dump_json(exclude_none=True) + "\n" for e in entries)
        contents = {**(files or {}), RECORDS: lines.encode()}
        message = f"{entry.kind}: {entry.outcome or 'sealed use'} for {entry.bundle_digest[:12]}"
        commit = _commit(self.root, self.head, contents, message)
        _move(self, commit)
        return Ledger(self.root, self.remote, commit, entries)


def read_ledger(root: Path, remote: str | None = None) -> Ledger:
    """Read the ledger of the repository at `root`, from `remote` if one is named.

    Raises:
        NotCarriedOutError: git fails, or a line is not an entry.
    """
    head = _fetch(root, remote) if remote else _local_head(root)
    if head is None:
        return Ledger(root, remote)
    text = _git(root, "cat-file", "blob", f"{head}:{RECORDS}").decode()
    try:
        entries = tuple(Entry.model_validate(json.loads(line)) for line in text.splitlines())
    except ValueError as error:
        raise NotCarriedOutError(
            f"{RECORDS} on the branch {BRANCH} is damaged ({error}): restore the branch."
        ) from None
    return Ledger(root, remote, head, entries)


def _local_head(root: Path) -> str | None:
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", REF).decode().strip()
    except NotCarriedOutError:
        return None


def _fetch(root: Path, remote: str) -> str | None:
    # git lists every branch whose name ends like the one asked for
    listed = _git(root, "ls-remote", "--", remote, REF).decode().splitlines()
    heads = [line.split("\t")[0] for line in listed if line.split("\t")[1:] == [REF]]
    if not heads:
        return None
    # whole, since a limited depth would make a developer's clone a shallow one
    _git(root, "fetch", "--quiet", "--no-tags", "--", remote, REF)
    return heads[0]


def _commit(root: Path, parent: str | None, files: Mapping[str, bytes], message: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            _git(root, "read-tree", parent, environment=index)
        for path, content in files.items():
            blob = _git(root, "hash-object", "-w", "--stdin", content=content).decode().strip()
            info = f"100644,{blob},{path}"
            _git(root, "update-index", "--add", "--cacheinfo", info, environment=index)
        tree = _git(root, "write-tree", environment=index).decode().strip()
    parents = ("-p", parent) if parent else ()
    return _git(root, "commit-tree", tree, *parents, "-m", message).decode().strip()


def _move(ledger: Ledger, commit: str) -> None:
    try:
        if ledger.remote:
            _git(ledger.root, "push", "--quiet", "--", ledger.remote, f"{commit}:{REF}")
        else:
            # an empty old value: the branch must not exist yet
            _git(ledger.root, "update-ref", REF, commit, ledger.head or "")
    except NotCarriedOutError:
        now = read_ledger(ledger.root, ledger.remote).head
        if now == commit:
            return  # it arrived, only the answer was lost
        if now != ledger.head:
            raise LedgerMovedError from None
        raise


def _git(
    root: Path,
    *arguments: str,
    content: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    process = subprocess.run(
        ["git", "-C", str(root), *arguments],
        input=content,
        capture_output=True,
        env={**os.environ, **_IDENTITY, **_authorization(), **(environment or {})},
        check=False,
    )
    if process.returncode:
        last = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NotCarriedOutError(
            f"git {arguments[0]} failed for the ledger: {' '.join(last) or 'no message'}."
        )
    return process.stdout


_IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "assay"), ("EMAIL", "assay@users.noreply.invalid"))
}


def _authorization() -> dict[str, str]:
    # The workflow checks out without credentials; the token is given to git here and only here,
    # through the environment, so that it is neither on a command line nor in a file.
    token, server = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_SERVER_URL")
    if not token or not server:
        return {}
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }
