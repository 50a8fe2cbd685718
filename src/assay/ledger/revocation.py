"""The end of a certified model: a signed line after which it neither predicts nor passes."""

import datetime as dt
import re
from pathlib import Path

from assay import provenance
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.ledger.entries import DecisionEntry, Revocation
from assay.ledger.record import ATTEMPTS, Ledger, LedgerMovedError, read_ledger, writer
from assay.texts import on_one_line

SHORTEST, LONGEST_REASON = 12, 500


def revoke(root: Path, digest: str, reason: str, remote: str | None) -> Revocation:
    """Revoke a certified model, named by its bundle's digest or at least 12 digits of it.

    A whole digest may also be of a model that this ledger does not know.

    Raises:
        UsageError: the digest or the reason is not as it must be.
        RefusedError: no certified model is so named, or it is revoked already.
        NotCarriedOutError: the signing key is not here, or the ledger cannot be written.
    """
    told = _reason(reason)
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", digest):
        raise UsageError(
            f"{digest[:64]!r} is no digest: give {SHORTEST} to 64 of its digits, as `assay ledger "
            "show` prints them.",
            code="usage.bad-digest",
        )
    if writer(root) is None:
        raise RefusedError(
            "nothing is certified before `assay init`, so nothing can be revoked.",
            code="ledger.not-set-up",
        )
    for _ in range(ATTEMPTS):
        ledger = read_ledger(root, remote)
        try:
            entry = _revocation(root, ledger, digest, told)
            ledger.append(entry)
        except LedgerMovedError:
            continue
        return entry
    raise NotCarriedOutError(
        "others wrote to the ledger at the same time: run `assay revoke` again.",
        code="ledger.moving",
    )


def _reason(text: str) -> str:
    # whoever dispatches a workflow may paste anything
    told = " ".join(on_one_line(text).split())
    if not told or len(told) > LONGEST_REASON:
        raise UsageError(
            f"--reason must say why in 1 to {LONGEST_REASON} characters.", code="usage.bad-reason"
        )
    return told


def _revocation(root: Path, ledger: Ledger, digest: str, reason: str) -> Revocation:
    known = {
        entry.bundle_digest: entry.predictions_digest
        for entry in ledger.proven
        if isinstance(entry, DecisionEntry) and entry.certified
    }
    found = [name for name in known if name.startswith(digest)]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} certified models begin with {digest}: write more digits.",
            code="usage.ambiguous-digest",
        )
    if not found and len(digest) < 64:  # noqa: PLR2004 (a whole SHA-256)
        raise RefusedError(
            f"no certified model begins with {digest}: look at `assay ledger show`, or give all 64 "
            "digits of a model that this ledger does not know.",
            code="model.not-certified",
        )
    name = found[0] if found else digest
    if any(isinstance(e, Revocation) and e.bundle_digest == name for e in ledger.proven):
        raise RefusedError(
            f"the model {name[:SHORTEST]} is revoked already.", code="model.already-revoked"
        )
    return Revocation(
        bundle_digest=name,
        predictions_digest=known.get(name),
        reason=reason,
        commit=provenance.git(root, "rev-parse", "HEAD") or provenance.NO_COMMIT,
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        run=provenance.run_url() or "local",
    )
