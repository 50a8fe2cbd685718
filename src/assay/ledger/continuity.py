"""Whether the ledger at hand is the one that was there before, and not put back to an earlier one.

Every certificate names the state of the ledger that it was issued on. Whoever holds one can tell
that lines are gone, although the lines that are left are all genuine.
"""

from collections.abc import Iterator

from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Layout
from assay.ledger.certificate import Certificate, read_public_key, verify_content
from assay.ledger.entries import Decision, Entry, State
from assay.ledger.record import Ledger

CERTIFICATES = "certificates"


def certificate_file(bundle_digest: str) -> str:
    """Where the ledger's branch keeps the certificate of a bundle."""
    return f"{CERTIFICATES}/{bundle_digest}.json"


def require_continuity(ledger: Ledger, certificate: Certificate) -> None:
    """Insist that the ledger holds the lines before a certificate's own, and that one.

    Raises:
        NotCarriedOutError: it does not, or it is not at hand.
    """
    named, model = state_named(certificate), certificate.bundle_digest
    if ledger.head is None:
        raise NotCarriedOutError(
            f"the ledger that the certificate of {model[:12]} names is not at hand: fetch the "
            "branch assay-ledger with `git fetch origin`."
        )
    later = ledger.entries[named.lines :]
    if ledger.lacks(named) or not any(_certifies(entry, certificate) for entry in later):
        raise NotCarriedOutError(
            f"the ledger at hand lacks the line that certified {model[:12]}, or one of the "
            f"{named.lines} before it: fetch the branch assay-ledger, or name its remote; if it "
            "stays so, the branch was put back to an earlier state."
        )


def _certifies(entry: Entry, certificate: Certificate) -> bool:
    return (
        isinstance(entry, Decision)
        and entry.certified
        and entry.signature is not None
        and entry.bundle_digest == certificate.bundle_digest
    )


def require_own_continuity(ledger: Ledger) -> None:
    """Compare the ledger with every certificate at hand, on its branch and in `.assay/models`.

    Raises:
        NotCarriedOutError: it lacks lines that one of them names.
    """
    for certificate in _at_hand(ledger):
        require_continuity(ledger, certificate)


def state_named(certificate: Certificate) -> State:
    """The state of the ledger that a certificate was issued on."""
    return State(certificate.predicate.ledger_lines, certificate.predicate.ledger_digest)


def _at_hand(ledger: Ledger) -> Iterator[Certificate]:
    layout = Layout(ledger.root)
    if not layout.public_key.exists():
        return
    key = read_public_key(layout.public_key)
    contents = ledger.files(CERTIFICATES)
    paths = sorted(layout.models.glob("*/certificate.json"))
    contents |= {str(path): path.read_bytes() for path in paths}
    for name, content in contents.items():
        try:
            yield verify_content(content, name, key)
        except RefusedError:
            continue  # of another key, or no certificate: it says nothing about this ledger
