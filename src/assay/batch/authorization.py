"""Which bundle may predict, and where: the lock that only a certificate opens."""

import os
from dataclasses import dataclass
from pathlib import Path

from assay.errors import RefusedError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, policy_digest, verify
from assay.ledger.continuity import require_continuity
from assay.ledger.record import Ledger, read_ledger_at_hand
from assay.model.bundle import digest_bundle
from assay.settings import Settings

MAIN_REF = "refs/heads/main"


@dataclass(frozen=True)
class Authorization:
    """A bundle that may predict, and the certificate that says so (None: uncertified, marked)."""

    bundle: Path
    digest: str
    certificate: Certificate | None
    certificate_digest: str | None
    certificate_file: Path | None = None


def authorize(root: Path, settings: Settings, bundle: Path, certificate: Path) -> Authorization:
    """Let a bundle predict only if a valid certificate names its digest.

    Raises:
        RefusedError: wrong branch, no or a forged certificate, a certificate of another bundle or
            of an older policy, or a revoked model; the message says what to do.
        NotCarriedOutError: the ledger is not at hand or was altered.
    """
    require_main()
    statement = verify(certificate, Layout(root).public_key)
    digest = digest_bundle(bundle)
    if statement.bundle_digest != digest:
        raise RefusedError(
            f"the certificate is for bundle {statement.bundle_digest[:12]}, but {bundle} is "
            f"{digest[:12]}: the bundle was altered or is another one; fetch both again."
        )
    if Layout(root).sealed_labels.exists() and not statement.predicate.sealed:
        raise RefusedError(
            "the model was certified before the held-out labels were sealed: merge a commit that "
            "passes on the sealed set."
        )
    if statement.predicate.policy_digest != policy_digest(settings):
        raise RefusedError(
            "the gate's policy in assay.toml changed after this model was certified: merge a "
            "commit that passes under the new policy."
        )
    require_standing(read_ledger_at_hand(root), statement)
    return Authorization(bundle, digest, statement, digest_file(certificate), certificate)


def require_standing(ledger: Ledger, statement: Certificate) -> None:
    """Insist that a certified model was not revoked since.

    Raises:
        RefusedError: it was; the message says when and why.
        NotCarriedOutError: the ledger is not at hand, or not the one that the certificate names.
    """
    require_continuity(ledger, statement)
    revoked = ledger.revocation(statement.bundle_digest, statement.predicate.predictions_digest)
    if revoked is not None:
        raise RefusedError(
            f"the model {statement.bundle_digest[:12]} was revoked at {revoked.time}: "
            f"{revoked.reason.rstrip('.')}; predict with another certified model."
        )


def require_main(what: str = "predictions start") -> None:
    """Refuse, in Actions, to do something from anywhere but main."""
    ref = os.environ.get("GITHUB_REF", "")
    if os.environ.get("GITHUB_ACTIONS") and ref != MAIN_REF:
        raise RefusedError(
            f"{what} from {MAIN_REF} only, not from {ref or 'an unknown ref'}: "
            "dispatch the workflow again and choose the branch main."
        )


def without_certificate(bundle: Path) -> Authorization:
    """For a laptop only: predict without a certificate; every row and the table's name say so.

    Raises:
        RefusedError: in Actions, where nothing uncertified ever predicts.
    """
    if os.environ.get("GITHUB_ACTIONS"):
        raise RefusedError("--uncertified does not exist in Actions: merge a model that passes.")
    return Authorization(bundle, digest_bundle(bundle), None, None)
