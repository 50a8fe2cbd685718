"""The audit of a ledger: what holds is counted, what does not is named, the rest is admitted."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay import commits
from assay.errors import CheckFailedError, NotCarriedOutError
from assay.layout import Handover, Layout
from assay.ledger import branches
from assay.ledger.audit import Audit, audit
from assay.ledger.certificate import read_signer
from assay.ledger.entries import RECORDS, chained, line_of
from assay.ledger.record import read_ledger
from assay.repository import read_repository
from assay.scoring import score as scoring
from assay.sealing.encryption import SIGNING
from assay.sealing.labels import open_sealed, sealed_digest
from assay.sealing.releases import LABELS, write_release
from ledger_samples import decision, retirement
from toy import assay, git, perturbed, rewrite_predictions

pytestmark = pytest.mark.usefixtures("laptop")


def audited(root: Path, labels: Path | None = None) -> Audit:
    """The audit of the local ledger."""
    return audit(read_repository(root), None, labels)


def rewrite(root: Path, change, files=None) -> None:
    """Put other lines on the branch by force, signed again, as somebody can who has the key."""
    ledger = read_ledger(root)
    signer, lines = read_signer(Layout(root)), []
    for entry in change(list(ledger.entries)):
        lines.append(chained(entry, lines[-1] if lines else None, signer))
    content = b"".join(line_of(line) + b"\n" for line in lines)
    kept = {**ledger.files(), **(files or {}), RECORDS: content}
    made = commits.commit(root, None, kept, "by hand")
    git(root, "update-ref", branches.REF, made)


def release(root: Path) -> Path:
    """Publish the labels, as `assay seal retire` does."""
    layout = Layout(root)
    return write_release(layout, sealed_digest(layout), open_sealed(layout)[0], "") / LABELS


def worse_on_sealed(values: dict[str, float]) -> dict[str, float]:
    """Good in public, and worse than a constant on the sealed rows."""
    constant = float(np.mean([value for row, value in values.items() if row[0] == "t"]))
    flat = {row: constant if row[0] == "s" else value for row, value in values.items()}
    return perturbed(0.5, only="s")(flat)


def test_ledger_of_a_certified_model_holds(certified):
    """Chain, uses and certificate are verified; that the bits are not is said."""
    found = audited(certified)
    assert found.faults == []
    assert (found.lines, found.unsigned, found.uses, found.bits) == (2, 0, 1, 0)
    assert (found.certificates, found.unanswered) == (1, 0)
    assert any("1 bit, for their labels of" in line for line in found.unverified)


def test_published_labels_prove_every_bit(certified, tmp_path):
    """Once labels are published, or given, the bits are recomputed, confirmed or not."""
    given = tmp_path / "labels.csv"
    labels = open_sealed(Layout(certified))[0].labels
    given.write_bytes(labels)
    rewrite_predictions(Handover(Layout(certified).out), perturbed(1e-6))
    assert audited(certified, given).bits == 1
    release(certified)
    found = audited(certified)
    assert (found.faults, found.bits, found.unverified) == ([], 1, [])


def test_bit_that_was_not_confirmed_is_proven_too(toy):
    """An INCONCLUSIVE is recomputed like a PASS."""
    from sealed import seal_labels

    seal_labels(Layout(toy))
    rewrite_predictions(Handover(Layout(toy).out), worse_on_sealed)
    verdict = scoring.score(read_repository(toy), Handover(Layout(toy).out), None)
    assert (verdict.outcome, verdict.stage) == ("INCONCLUSIVE", "sealed")
    release(toy)
    assert (audited(toy).faults, audited(toy).bits) == ([], 1)


def test_bit_against_the_labels_is_found(certified):
    """Whoever holds the key and writes another answer is found out when labels are published."""
    release(certified)
    flipped = {"bit": False, "outcome": "INCONCLUSIVE", "certified": False}
    rewrite(certified, lambda lines: [lines[0], lines[1].model_copy(update=flipped)])
    found = audited(certified)
    assert any("its decision is another" in fault.reason for fault in found.faults)


def test_other_labels_than_those_committed_to_are_found(certified, tmp_path):
    """Labels that were exchanged before they were published do not match the intent."""
    path = release(certified)
    record = path.with_name("commitment.json")
    content = json.loads(record.read_text())
    lines = path.read_text().splitlines()
    lines[1:] = [",".join([*line.split(",")[:-1], "0.5"]) for line in lines[1:]]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(CheckFailedError, match="does not hold the labels"):
        audited(certified)
    from assay.sealing.encryption import commit_to

    salt = bytes.fromhex(content["salt"])
    record.write_text(json.dumps({**content, "commitment": commit_to(salt, path.read_bytes())}))
    found = audited(certified)
    assert (found.faults, found.bits) == ([], 0), "they are not the labels that were asked"
    assert any("1 bit," in line for line in found.unverified)
    kept = sealed_digest(Layout(certified))
    entry = retirement(kept).model_copy(update={"commitment": content["commitment"]})
    read_ledger(certified).append(entry)
    found = audited(certified)
    assert [(f.line, "committed to otherwise" in f.reason) for f in found.faults] == [(3, True)]


def test_line_that_does_not_follow_is_named(certified):
    """A level of one's own choice is found by replaying, though it is signed."""
    rewrite(
        certified, lambda lines: [lines[0].model_copy(update={"level": 0.0123456789}), lines[1]]
    )
    assert [fault.line for fault in audited(certified).faults][:2] == [1, 1]


def test_changed_line_ends_with_the_line(certified):
    """Without the key a line cannot be changed: it is named, and nothing else is said."""
    (Layout(certified).keys / SIGNING.file).rename(Layout(certified).keys / "elsewhere")
    ledger = read_ledger(certified)
    changed = ledger.entries[1].model_copy(update={"outcome": "FAIL"})
    content = b"".join(line_of(line) + b"\n" for line in (ledger.entries[0], changed))
    made = commits.commit(certified, ledger.head, {RECORDS: content}, "by hand")
    git(certified, "update-ref", branches.REF, made)
    with pytest.raises(CheckFailedError, match="line 2: it is not signed by the key"):
        audited(certified)


def test_lines_cut_off_are_found_in_the_branch_or_by_the_certificate(certified):
    """Cut off by a commit, the branch tells; cut off by force, the certificate beside it."""
    read_ledger(certified).append(decision("later"))
    files = read_ledger(certified).files("certificates")
    ledger = read_ledger(certified)
    first = line_of(ledger.entries[0]) + b"\n"
    made = commits.commit(certified, ledger.head, {RECORDS: first}, "by hand")
    git(certified, "update-ref", branches.REF, made)
    with pytest.raises(CheckFailedError, match="lacks line 2, which it held before"):
        audited(certified)
    made = commits.commit(certified, None, {RECORDS: first, **files}, "by force")
    git(certified, "update-ref", branches.REF, made)
    assert any(
        "no line certifies that bundle" in fault.reason for fault in audited(certified).faults
    )


CERTIFICATES = {
    "missing": (lambda _: None, "is missing"),
    "another's": (lambda content: content.replace(b"a", b"b", 1), "certificate"),
    "no certificate": (lambda _: b"{}", "is not a certificate"),
}


@pytest.mark.parametrize(("change", "told"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_certificate_that_does_not_match_its_line_is_found(certified, change, told):
    """The branch must hold, for every certified line, the certificate that says the same."""
    ledger = read_ledger(certified)
    files = ledger.files()
    (name,) = (file for file in files if file.startswith("certificates/"))
    files[name] = change(files[name])
    kept = {file: content for file, content in files.items() if content is not None}
    made = commits.commit(certified, None, kept, "by hand")
    git(certified, "update-ref", branches.REF, made)
    found = audited(certified)
    assert any(fault.line == 2 and told in fault.reason for fault in found.faults), found.faults


@pytest.mark.parametrize("field", ["claim", "commit", "policy_digest"])
def test_certificate_that_says_otherwise_is_found(certified, field):
    """A line whose certificate names another claim, commit or policy does not hold."""
    values = {"claim": "no-regression", "commit": "f" * 40, "policy_digest": "e" * 64}
    rewrite(certified, lambda lines: [lines[0], lines[1].model_copy(update={field: values[field]})])
    found = audited(certified)
    assert any(f"says otherwise about {field}" in fault.reason for fault in found.faults)


def test_nothing_to_audit_is_no_success(toy):
    """Where no ledger is at hand nothing was verified, and the exit code says so."""
    with pytest.raises(NotCarriedOutError, match="there is no ledger here"):
        audited(toy)


def test_verify_and_show_from_the_command_line(certified):
    """A few lines for people, JSON for machines; 1 and the line when it does not hold."""
    told = assay(certified, "ledger", "verify")
    assert told.returncode == 0, told.stderr
    assert "ledger: verified: 1 certificate\n" in told.stdout
    assert "ledger: not verified: 1 bit," in told.stdout
    assert json.loads(assay(certified, "ledger", "verify", "--json").stdout)["uses"] == 1
    header, row = assay(certified, "ledger", "show").stdout.splitlines()
    assert header.split()[:4] == ["line", "time", "outcome", "claim"]
    assert "PASS, certified" in row
    assert " 1/100 " in row
    assert len(json.loads(assay(certified, "ledger", "show", "--json").stdout)) == 2
    rewrite(
        certified, lambda lines: [lines[0].model_copy(update={"level": 0.0123456789}), lines[1]]
    )
    broken = assay(certified, "ledger", "verify")
    assert (broken.returncode, "first line 1" in broken.stderr) == (1, True)
