"""`assay seal retire`: labels and scores become public, and nothing passes on the set any more."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.batch.verification import verify_path
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError
from assay.files import digest_bytes
from assay.layout import Handover, Layout
from assay.ledger.entries import Retirement
from assay.ledger.record import read_ledger
from assay.repository import read_repository
from assay.scoring import score as scoring
from assay.sealing import retirement
from assay.sealing.encryption import SEALING, SIGNING
from assay.sealing.labels import commitment, open_labels, sealed_digest
from assay.sealing.releases import COMMITMENT, LABELS, SCORES, check_release, folder_of, is_released
from assay.sealing.retirement import COLUMNS, next_steps, retire, score_history
from sealed import seal_labels
from sentences import assert_sentence, snapshot, told
from toy import (
    TARGET,
    add_checks,
    assay,
    commit,
    copy,
    flat_on_sealed,
    git,
    predictions_of,
    rewrite_predictions,
    target_of,
    trained_formulas,
    write_rows,
)

pytestmark = pytest.mark.usefixtures("laptop")


@pytest.fixture(scope="module")
def used_toy(trained_toy, tmp_path_factory):
    """The toy after two sealed uses: one that did not confirm, and main's own that did."""
    root = copy(trained_toy, tmp_path_factory.mktemp("used"))
    seal_labels(Layout(root))
    good = handed(root).predictions.read_bytes(), handed(root).candidate.read_bytes()
    git(root, "switch", "--quiet", "--create", "idea")
    rewrite_predictions(handed(root), flat_on_sealed)
    assert scoring.score(read_repository(root), handed(root), None).outcome == "INCONCLUSIVE"
    git(root, "switch", "--quiet", "main")
    handed(root).predictions.write_bytes(good[0])
    handed(root).candidate.write_bytes(good[1])
    verdict = scoring.score(read_repository(root), handed(root), None)
    assert (verdict.outcome, verdict.use, verdict.disagreements) == ("PASS", 2, 1)
    return root


@pytest.fixture
def used(used_toy, tmp_path):
    """A copy of it."""
    return copy(used_toy, tmp_path)


@pytest.fixture
def spent(used):
    """The same, where two uses are all there are."""
    spend(used)
    return used


def spend(root):
    """Lower K to what was used."""
    with (root / "assay.toml").open("a") as stream:
        stream.write("uses = 2\ndisagreements = 2\n")


def handed(root: Path) -> Handover:
    """What was handed over."""
    return Handover(Layout(root).out)


def score(root):
    """Score in this process."""
    return scoring.score(read_repository(root), handed(root), None)


def retired(root, remote=None, *, early=False):
    """Retire in this process."""
    return retire(read_repository(root), remote, early=early)


def folder(root):
    """Where the labels of the present set are published."""
    return folder_of(Layout(root), sealed_digest(Layout(root)))


def rows_of(root):
    """The score history."""
    with (folder(root) / SCORES).open() as stream:
        return list(csv.DictReader(stream))


def public(root):
    """All files but the ledger's objects, and the ledger's head."""
    files = {k: v for k, v in snapshot(root).items() if not k.startswith(".git/")}
    return files, read_ledger(root).head


def test_labels_are_published(used):
    """Anybody can read the labels and check that they were those committed to at the beginning."""
    layout = Layout(used)
    labels, committed = open_labels(layout, TARGET), commitment(layout)
    made = retired(used, early=True)
    assert made.folder == folder(used)
    assert sorted(path.name for path in made.folder.iterdir()) == [COMMITMENT, LABELS, SCORES]
    record, table = check_release(layout, made.folder)
    assert record.commitment == committed
    assert table[TARGET].astype(float).tolist() == labels.tolist()
    assert layout.sealed_labels.exists()
    assert made.refusal is None
    assert made.history.differing == made.history.foreign == ()


def test_scores_are_published(used):
    """One row a use and requirement, whose losses anybody can compute from the labels."""
    digest, layout = sealed_digest(Layout(used)), Layout(used)
    retired(used, early=True)
    first, second = rows_of(used)
    assert tuple(first) == COLUMNS
    assert [(row["use"], row["bit"], row["recorded"]) for row in (first, second)] == [
        ("1", "0", "0"),
        ("2", "1", "1"),
    ]
    table = check_release(layout, folder(used))[1]
    y = table[TARGET].astype(float).to_numpy()
    values = predictions_of(handed(used))
    predicted = np.array([values[row_id] for row_id in table["row_id"]])
    train = [float(row[TARGET]) for row in csv.DictReader(layout.train.open())]
    assert float(second["candidate_loss"]) == pytest.approx(np.abs(y - predicted).mean())
    assert float(second["reference_loss"]) == pytest.approx(np.abs(y - np.mean(train)).mean())
    assert second["reference"] == "baseline mean"
    assert (second["metric"], second["slice"], second["rows"]) == ("mae", "", str(len(y)))
    intents = read_ledger(used).intents(digest)
    assert [float(row["level"]) for row in (first, second)] == [i.level for i in intents]
    assert float(second["bound"]) < float(second["bar"]) == 0 < float(first["bound"])
    assert float(second["difference"]) < float(second["bound"])
    assert float(second["standard_error"]) > 0


def test_nothing_passes_any_more(used):
    """Not even the reference's own predictions, nor an answer that was given before."""
    assert score(used).outcome == "PASS"
    retired(used, early=True)
    before = read_ledger(used).budget(sealed_digest(Layout(used)))
    for edit in (None, flat_on_sealed):
        if edit:
            rewrite_predictions(handed(used), edit)
        verdict = score(used)
        assert (verdict.outcome, verdict.stage) == ("INCONCLUSIVE", "retired")
        assert "assay seal fresh" in verdict.explanation
        assert not verdict.certified
        assert not handed(used).certificate.exists()
    assert read_ledger(used).budget(sealed_digest(Layout(used))) == before


def test_entry_is_signed(used):
    """The ledger names set and commitment, and the line holds to the public key."""
    retired(used, early=True)
    entry = read_ledger(used).entries[-1]  # reading verifies chain and signatures
    assert isinstance(entry, Retirement)
    assert entry.signature
    assert entry.sealed_digest == sealed_digest(Layout(used))
    assert entry.commitment == commitment(Layout(used))


@pytest.mark.parametrize("key", ["uses", "disagreements"])
def test_spent_set_is_retired(used, key):
    """K uses, or J that did not confirm, are enough; fewer are not, without --early."""
    before = public(used)
    with told(RefusedError, 1, "2 of 100 uses", "1 of 5", "--early", "--remote origin"):
        retired(used)
    assert public(used) == before
    with (used / "assay.toml").open("a") as stream:
        stream.write(
            {"uses": "uses = 2\ndisagreements = 2\n", "disagreements": "disagreements = 1\n"}[key]
        )
    retired(used)
    assert is_released(Layout(used), sealed_digest(Layout(used)))


def test_twice(used):
    """A retired set is not retired again."""
    retired(used, early=True)
    before = public(used)
    with told(RefusedError, 1, str(folder(used)), "assay seal fresh"):
        retired(used, early=True)
    assert public(used) == before


@pytest.mark.parametrize("how", ["no key", "open", "altered", "other column"])
def test_what_cannot_be_opened_is_not_retired(used, how):
    """Without the sealing key, or with a damaged file, nothing is published or recorded."""
    layout = Layout(used)
    if how == "no key":
        (layout.keys / SEALING.file).unlink()
    elif how == "open":
        layout.sealed_labels.unlink()
    elif how == "altered":
        layout.sealed_labels.write_bytes(layout.sealed_labels.read_bytes()[:-1])
    else:
        path = used / "assay.toml"
        path.write_text(path.read_text().replace(f'column = "{TARGET}"', 'column = "gap"'))
    before = public(used)
    with pytest.raises((NotCarriedOutError, RefusedError)) as caught:
        retired(used, early=True)
    assert_sentence(str(caught.value))
    assert public(used) == before


def test_crash_before_publishing_leaves_nothing_passing(used, monkeypatch):
    """The ledger's entry comes first; running the verb again publishes and adds no second one."""

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(retirement, "write_release", crash)
        with pytest.raises(KeyboardInterrupt):
            retired(used, early=True)
    assert not folder(used).exists()
    assert score(used).stage == "retired"
    retired(used, early=True)
    kinds = [entry.kind for entry in read_ledger(used).entries]
    assert kinds.count("retirement") == 1
    assert is_released(Layout(used), sealed_digest(Layout(used)))


def test_early_retirement_needs_its_entry(used):
    """Labels of a set on which models could still pass are not published without the entry."""
    (Layout(used).keys / SIGNING.file).unlink()
    before = public(used)
    with told(NotCarriedOutError, 3, "nothing is published", "signing key", "assay-ledger"):
        retired(used, early=True)
    assert public(used) == before


def test_spent_set_needs_no_entry(spent):
    """Nothing passes on a set that is used up, and the published labels bar it on their own."""
    signing = Layout(spent).keys / SIGNING.file
    aside = signing.rename(spent / "aside.key")
    made = retired(spent)
    assert "signing key" in str(made.refusal)
    assert str(made.refusal) in next_steps(spent, made)
    aside.rename(signing)
    assert read_ledger(spent).retirement(sealed_digest(Layout(spent))) is None
    path = spent / "assay.toml"
    path.write_text(path.read_text().replace("uses = 2\ndisagreements = 2\n", ""))
    assert score(spent).stage == "retired"


@pytest.fixture
def remote(used, tmp_path):
    """A bare repository that holds the ledger; the local branch is gone."""
    bare = tmp_path / "remote.git"
    git(used, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(used, "remote", "add", "origin", str(bare))
    git(used, "push", "--quiet", "origin", "assay-ledger")
    git(used, "branch", "--quiet", "-D", "assay-ledger")
    return bare


def test_ledger_of_the_remote(used, remote):
    """With --remote budget and scores are those of the remote, and the entry goes there."""
    retired(used, "origin", early=True)
    assert len(rows_of(used)) == 2
    assert read_ledger(used, "origin").entries[-1].kind == "retirement"
    assert read_ledger(used).entries == read_ledger(used, "origin").entries, "it was fetched"


def test_remote_that_takes_no_entry(used, remote):
    """Where only Actions may write the branch, an early retirement says what is needed."""
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    with told(NotCarriedOutError, 3, "nothing is published", "can be written"):
        retired(used, "origin", early=True)
    assert not folder(used).exists()
    spend(used)
    assert "git push failed" in str(retired(used, "origin").refusal)
    assert len(rows_of(used)) == 2


def test_lost_race_is_run_again(used, monkeypatch):
    """If the ledger moves meanwhile the entry is added to what is there then."""
    from assay.ledger.record import Ledger, LedgerMovedError

    append, lost = Ledger.append, []

    def moved(self, *arguments):
        if not lost:
            lost.append(1)
            raise LedgerMovedError
        return append(self, *arguments)

    monkeypatch.setattr(Ledger, "append", moved)
    retired(used, early=True)
    assert lost
    assert read_ledger(used).entries[-1].kind == "retirement"


def history(root, labels=None):
    """The history that these labels give; without any, the true ones."""
    layout = Layout(root)
    ids = [row["row_id"] for row in csv.DictReader(layout.sealed_inputs.open())]
    true = dict(zip(ids, open_labels(layout, TARGET).tolist(), strict=True))
    digest = sealed_digest(layout)
    return score_history(read_ledger(root), digest, commitment(layout), labels or true)


def test_labels_that_give_other_bits_are_told(used):
    """If a recorded bit is not what the labels give, the history says at which use."""
    assert history(used).differing == ()
    flat = float(np.mean(list(predictions_of(handed(used)).values())))
    sealed = pd.read_csv(Layout(used).sealed_inputs, dtype=str)["row_id"]
    assert history(used, dict.fromkeys(sealed, flat)).differing == (2,)


def test_uses_on_other_labels_are_told(used):
    """What was asked of other labels is not scored with these."""
    layout = Layout(used)
    found = score_history(read_ledger(used), sealed_digest(layout), digest_bytes(b"x"), {})
    assert found.foreign == (1, 2)
    assert found.text == ",".join(COLUMNS) + "\n"


def test_altered_table_beside_the_ledger(used, monkeypatch):
    """A history is not made up from a table that is not the recorded one."""
    from assay.ledger.record import Ledger

    files = read_ledger(used).files()
    altered = {k: v + b"\n" if k.startswith("uses/") else v for k, v in files.items()}
    monkeypatch.setattr(Ledger, "files", lambda _: altered)
    before = public(used)
    with told(NotCarriedOutError, 3, "uses/", "-1.csv", "git revert"):
        retired(used, early=True)
    assert public(used) == before


def test_verify(used):
    """`assay verify` checks published labels, against the ledger, too."""
    made = retired(used, early=True)
    sentence, details = verify_path(read_repository(used), made.folder)
    assert sentence.startswith("holds: ")
    assert "the ledger names it, too" in sentence
    assert details["commitment"] == commitment(Layout(used))
    content = json.loads((made.folder / COMMITMENT).read_text())
    text = (made.folder / LABELS).read_text().replace("\n", "\n", 1)
    last = text.splitlines()[-1]
    forged = text.replace(last, last + "9")
    (made.folder / LABELS).write_text(forged)
    with told(CheckFailedError, 1, "labels.csv"):
        verify_path(read_repository(used), made.folder)
    content["commitment"] = digest_bytes(bytes.fromhex(content["salt"]) + forged.encode())
    (made.folder / COMMITMENT).write_text(json.dumps(content))
    Layout(used).sealed_labels.unlink()
    with told(CheckFailedError, 1, "commitment.json", "ledger"):
        verify_path(read_repository(used), made.folder)


@pytest.mark.nightly("a whole life by the command line; each of its steps has tests of its own")
@pytest.mark.slow
def test_life_of_a_set(certified, tmp_path):
    """From the command line: rotate, retire, verify, fresh; then main certifies on the new set."""
    layout = Layout(certified)
    old = sealed_digest(layout)
    printed = []

    def run(*arguments, code=0):
        done = assay(certified, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        printed.append(done.stdout + done.stderr)
        return printed[-1]

    run("seal", "rotate")
    assert "INCONCLUSIVE" not in run("score")
    assert "not used up" in run("seal", "retire", code=1)
    assert str(folder(certified).relative_to(certified)) in run("seal", "retire", "--early")
    assert "holds: " in run("verify", str(folder(certified)))
    assert "retired" in run("score", code=1)
    fresh = tmp_path / "fresh.csv"
    formulas = unseen(certified)
    write_rows(fresh, ["formula", TARGET], zip(formulas, target_of(formulas), strict=True))
    assert f"{len(formulas)} sealed" in run("seal", "fresh", str(fresh))
    assert sealed_digest(layout) != old
    commit(certified, "Seal a fresh set")
    run("train")
    add_checks(handed(certified))
    assert "PASS" in run("score")
    assert handed(certified).certificate.exists()
    budget = read_ledger(certified).budget(sealed_digest(layout))
    assert (budget.uses, budget.disagreements) == (1, 0)
    keys = [path.read_text().strip() for path in layout.keys.iterdir()]
    assert len(keys) == 4
    assert not any(key in text for key in keys for text in printed)


def unseen(root):
    """Formulas of 80 chemical systems that the toy does not hold, one or two of each."""
    from assay.compositions import chemical_system

    layout = Layout(root)
    known = {
        chemical_system(row["formula"])
        for path in (layout.train, layout.sealed_inputs)
        for row in csv.DictReader(path.open())
    }
    new: dict[str, list[str]] = {}
    for formula in trained_formulas():
        if (system := chemical_system(formula)) not in known:
            new.setdefault(system, []).append(formula)
    return [formula for system in sorted(new)[:80] for formula in new[system][:2]]
