"""Anti-rollback: whoever holds a certificate sees that lines of the ledger are gone."""

import dataclasses
from pathlib import Path

import pytest

from assay.batch.authorization import authorize
from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.ledger import branches
from assay.ledger.certificate import new_signing_key, verify
from assay.ledger.entries import NOTHING, State, state_of
from assay.ledger.record import read_ledger
from assay.ledger.replay import require_continuity, require_own_continuity, state_named
from assay.repository import read_repository
from assay.scoring.score import score
from ledger_samples import chain, decision, of
from toy import git

pytestmark = pytest.mark.usefixtures("laptop")


def certificate_of(root: Path):
    """The certificate that `score` left."""
    return verify(Handover(Layout(root).out).certificate, Layout(root).public_key)


def test_certificate_names_the_lines_before_its_own(certified):
    """The intent stood when it was issued, and its own decision did not."""
    first, _ = read_ledger(certified).entries
    assert (
        state_named(certificate_of(certified))
        == state_of([first])
        == State(1, state_of([first])[1])
    )


def test_ledger_that_went_on_is_the_same_ledger(certified):
    """More lines, or a certificate of the first line, are no contradiction."""
    read_ledger(certified).append(decision("later"))
    require_own_continuity(read_ledger(certified))
    require_continuity(read_ledger(certified), certificate_of(certified))


def test_ledger_put_back_by_one_line_lacks_the_certifying_one(certified):
    """The certificate cannot name its own line, but that line must be there, too."""
    ledger = read_ledger(certified)
    shorter = dataclasses.replace(ledger, entries=ledger.entries[:1])
    assert not shorter.lacks(state_named(certificate_of(certified)))
    with pytest.raises(NotCarriedOutError, match="lacks the line that certified"):
        require_continuity(shorter, certificate_of(certified))


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_state_is_lacked_by_shorter_and_other_ledgers(lines):
    """Fewer lines, or another history of the same length, lack a state; a longer one has it."""
    whole = chain(*(decision(f"m{number}") for number in range(4)))
    state = state_of(whole[:lines])
    assert not of(*whole).lacks(state)
    assert not of(*whole[:lines]).lacks(state)
    assert of(*whole[: lines - 1]).lacks(state) == (lines > 0)
    other = chain(*(decision(f"n{number}") for number in range(4)))
    assert of(*other).lacks(state) == (lines > 0)
    assert state_of([]) == (0, NOTHING)


def put_back(root: Path) -> None:
    """Make the branch anew without its lines, as somebody can who may push by force."""
    git(root, "update-ref", "-d", branches.REF)
    read_ledger(root).append(decision("a fresh start"))


def test_deleted_ledger_stops_scoring_where_its_model_is_known(certified):
    """A fresh budget is not to be had by deleting the branch, as long as a certificate is left."""
    put_back(certified)
    with pytest.raises(NotCarriedOutError, match="lacks the line that certified"):
        score(read_repository(certified), Handover(Layout(certified).out), None)
    assert len(read_ledger(certified).entries) == 1


def test_deleted_ledger_stops_predicting(certified):
    """Neither does a model predict on a ledger that does not know of its certificate."""
    handover = Handover(Layout(certified).out)
    put_back(certified)
    with pytest.raises(NotCarriedOutError, match="put back"):
        authorize(read_repository(certified), handover.bundle, handover.certificate)
    git(certified, "update-ref", "-d", branches.REF)
    with pytest.raises(NotCarriedOutError, match="is not at hand: run `git fetch origin`"):
        authorize(read_repository(certified), handover.bundle, handover.certificate)


def test_certificate_on_the_branch_is_enough(certified):
    """Where no model was ever fetched, the certificates on the branch still tell."""
    import shutil

    shutil.rmtree(Layout(certified).models)
    ledger = read_ledger(certified)
    (name,) = ledger.files("certificates")
    content = {name: ledger.files()[name]}
    git(certified, "update-ref", "-d", branches.REF)
    read_ledger(certified).append(decision("a fresh start"), content)
    with pytest.raises(NotCarriedOutError, match="lacks the line that certified"):
        require_own_continuity(read_ledger(certified))


def test_certificates_of_another_key_say_nothing(certified):
    """After a new signing key the old certificates are no evidence, and no hindrance."""
    layout = Layout(certified)
    (layout.keys / "signing.key").rename(layout.keys / "old.key")
    new_signing_key(layout)
    git(certified, "update-ref", "-d", branches.REF)
    read_ledger(certified).append(decision("a fresh start"))
    require_own_continuity(read_ledger(certified))
