"""What GitHub's attestation of a certified bundle is about.

The attestation says the same of the same digest as the certificate does, signed by the workflow's
own identity instead of by the repository's key.
"""

from pathlib import Path

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, manifest_of, write_bytes
from assay.layout import Handover
from assay.ledger.certificate import verify
from assay.runner import set_output


def offer(handover: Handover, public_key: Path) -> None:
    """Write subject and predicate of an attestation, and tell the workflow that they are there.

    The subject is the bundle's manifest: its SHA-256 is the bundle's digest.

    Raises:
        RefusedError: there is no valid certificate.
        NotCarriedOutError: the bundle is not the one that was certified.
    """
    certificate = verify(handover.certificate, public_key)
    manifest = manifest_of(handover.bundle)
    if digest_bytes(manifest) != certificate.bundle_digest:
        raise NotCarriedOutError(f"{handover.bundle} changed after it was certified: score again.")
    write_bytes(handover.manifest, manifest)
    certificate.predicate.write(handover.predicate)
    set_output("certified", "true")
