"""The trusted half: what it takes, what it spends, what it certifies, and what it never tells."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from assay import commits
from assay.compositions import chemical_system
from assay.datasets import read_dataset
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file
from assay.gate.decision import Budget
from assay.layout import Handover, Layout
from assay.ledger import branches
from assay.ledger.certificate import policy_digest, verify
from assay.ledger.entries import Entry, Intent
from assay.ledger.record import (
    Ledger,
    LedgerMovedError,
    read_ledger,
    reference_file,
    reference_train_file,
)
from assay.ledger.replay import findings_of, replay_bits, replay_files, replay_lines, uses_of
from assay.records import CheckReport, Finding, Refusal, VerdictRecord, read_record
from assay.repository import read_repository
from assay.scoring import cases
from assay.scoring import score as scoring
from assay.scoring.recording import require_frozen
from assay.sealing.encryption import SEALING, SIGNING
from assay.sealing.labels import open_labels, sealed_digest
from assay.settings import read_settings, with_value
from ledger_samples import retirement, revocation
from sealed import seal_labels
from toy import (
    add_checks,
    assay,
    change_card,
    commit,
    flat_on_sealed,
    git,
    labels_of,
    nearer,
    perturbed,
    read_card,
    rewrite_predictions,
    settings_of,
    target_of,
)

pytestmark = pytest.mark.usefixtures("laptop")


@pytest.fixture
def sealed(toy: Path) -> Path:
    """The trained toy, sealed in place, nothing scored yet."""
    seal_labels(Layout(toy))
    return toy


def handed(root: Path) -> Handover:
    """What was handed over."""
    return Handover(Layout(root).out)


def score(root: Path, remote: str | None = None) -> VerdictRecord:
    """Score in this process."""
    return scoring.score(read_repository(root), handed(root), remote)


def ledger_of(root: Path) -> list[Entry]:
    """All entries."""
    return list(read_ledger(root).entries)


def test_a_cap_on_the_rows_of_a_group_holds_from_the_verdict_to_the_replay(sealed):
    """One row a system: verdict, recorded use and the bit that is recomputed are about those."""
    settings = sealed / "assay.toml"
    settings.write_text(settings.read_text() + "rows_per_group = 1\n")
    data = read_dataset(read_repository(sealed))
    systems = set(map(chemical_system, data.sealed["formula"]))
    assert len(systems) < len(data.sealed)
    verdict = score(sealed)
    assert (verdict.outcome, verdict.stage) == ("PASS", "sealed")
    assert verdict.sealed_rows == verdict.sealed_groups == len(systems)
    statement = verify(handed(sealed).certificate, Layout(sealed).public_key)
    assert verdict.grouping == statement.predicate.grouping
    assert "at most 1 row of a group" in str(verdict.grouping)
    assert verdict.public_rows == verdict.public_groups
    ledger = read_ledger(sealed)
    (use,) = uses_of(ledger)
    name = f"uses/{use.intent.sealed_digest[:12]}-1.csv"
    files = {name: ledger.read_file(name)}
    assert b",composition,counted" in files[name]
    (finding,) = findings_of(use.intent, files, labels_by_id(sealed))
    assert finding.rows == len(systems)
    assert list(replay_bits([use], files, labels_by_id(sealed))) == []


def labels_by_id(root: Path) -> dict[str, float]:
    """The sealed labels."""
    rows, column = read_dataset(read_repository(root)).sealed, read_settings(root).target.column
    return dict(zip(rows["row_id"], open_labels(Layout(root), column).tolist(), strict=True))


def test_good_first_model_is_certified_on_main(sealed):
    """PASS by one sealed use: verdict, ledger and a certificate that names the bundle."""
    verdict = score(sealed)
    assert (verdict.outcome, verdict.stage, verdict.claim) == ("PASS", "sealed", "improvement")
    assert (verdict.use, verdict.disagreements, verdict.sealed) == (1, 0, True)
    assert verdict.certified
    card = read_card(handed(sealed))
    certificate = verify(handed(sealed).certificate, Layout(sealed).public_key)
    assert certificate.bundle_digest == card.bundle_digest
    assert certificate.predicate.policy_digest == policy_digest(settings_of(sealed))
    assert certificate.predicate.train_digest == card.train_digest
    intent, decision = ledger_of(sealed)
    assert (intent.kind, decision.kind) == ("intent", "decision")
    assert (decision.use, decision.disagreements, decision.bit) == (1, 0, True)
    assert decision.level == intent.level == pytest.approx(0.025 / 2 / 100)
    stored = read_ledger(sealed).read_file(f"references/{card.bundle_digest}.csv")
    assert stored == handed(sealed).predictions.read_bytes()


def test_use_is_recorded_with_all_that_a_replay_needs(sealed):
    """From the ledger and the labels alone, every bit comes out again; no label is in it."""
    from assay.sealing.labels import open_labels

    git(sealed, "switch", "--quiet", "--create", "idea")
    score(sealed)
    rewrite_predictions(handed(sealed), flat_on_sealed)
    assert score(sealed).outcome == "INCONCLUSIVE"
    ledger = read_ledger(sealed)
    assert list(replay_lines(ledger)) == list(replay_files(ledger, ledger.files())) == []
    uses = uses_of(ledger)
    assert [use.decision.bit for use in uses] == [True, False]
    ids = [line.split(",")[0] for line in Layout(sealed).sealed_inputs.read_text().splitlines()]
    values = open_labels(Layout(sealed), "energy")
    labels = dict(zip(ids[1:], values, strict=True))
    assert list(replay_bits(uses, ledger.files(), labels)) == []
    wrong = list(replay_bits(uses, ledger.files(), dict(zip(ids[1:], values[::-1], strict=True))))
    assert [fault.line for fault in wrong] == [1]
    words = re.split(rb"[^0-9.e-]+", b"\n".join(ledger.files().values()))
    assert not {f"{value!r}".encode() for value in values.tolist()} & set(words)


def test_use_names_set_labels_levels_and_requirements(sealed):
    """An intent holds k, K, j, J, alpha and level, the commitment, and every bound's constants."""
    score(sealed)
    intent = ledger_of(sealed)[0]
    policy = settings_of(sealed).gate
    assert (intent.use, intent.uses, intent.disagreements) == (1, policy.uses, 0)
    assert (intent.maximum_disagreements, intent.alpha) == (policy.disagreements, policy.alpha)
    header = Layout(sealed).sealed_labels.read_bytes().split(b"\n")[0]
    assert intent.commitment == json.loads(header)["commitment"]
    (asked,) = intent.requirements
    assert (asked.metric, asked.slice, asked.margin, asked.bar) == ("mae", None, 0.1, 0.0)
    assert asked.threshold > 0


def test_off_main_nothing_is_certified(sealed):
    """On a branch the verdict is the same, and there is no certificate."""
    git(sealed, "switch", "--quiet", "--create", "idea")
    verdict = score(sealed)
    assert verdict.outcome == "PASS"
    assert not verdict.certified
    assert not handed(sealed).certificate.exists()
    assert read_ledger(sealed).champion() is None


def test_revoked_model_fails_and_says_why(certified):
    """Its own bundle, and the same predictions from another one, fail before anything is asked."""
    card = read_card(handed(certified))
    entry = revocation(
        bundle_digest=card.bundle_digest,
        predictions_digest=card.predictions_digest,
        reason="trained on leaked rows",
    )
    read_ledger(certified).append(entry)
    verdict = score(certified)
    assert (verdict.outcome, verdict.stage, verdict.certified) == ("FAIL", "revoked", False)
    assert f"revoked at {entry.time}: trained on leaked rows" in verdict.explanation
    assert verdict.reference == "baseline mean", "the revoked model is no reference either"
    git(certified, "switch", "--quiet", "--create", "idea")
    change_card(handed(certified), bundle_digest="0" * 64)
    assert score(certified).stage == "revoked"
    rewrite_predictions(handed(certified), perturbed(1e-6))
    assert score(certified).outcome == "PASS"


def test_nothing_passes_on_a_retired_set(certified):
    """Not even the reference itself, whose verdict says what to do."""
    digest = sealed_digest(Layout(certified))
    read_ledger(certified).append(retirement(digest))
    verdict = score(certified)
    assert (verdict.outcome, verdict.stage) == ("INCONCLUSIVE", "retired")
    assert "`assay seal fresh`" in verdict.explanation


def test_without_a_signing_key_nothing_is_scored(sealed):
    """A clone without the key is told who scores; nothing is opened and nothing written."""
    (Layout(sealed).keys / SIGNING.file).unlink()
    with pytest.raises(NotCarriedOutError, match="the workflow Score, or whoever holds the key"):
        score(sealed)
    assert ledger_of(sealed) == []
    assert not handed(sealed).verdict.exists()


def test_before_init_a_repository_scores_without_keys_and_certifies_nothing(toy):
    """Just generated there is neither key nor signature: verdicts, and no certificate."""
    Layout(toy).public_key.unlink()
    (Layout(toy).keys / SIGNING.file).unlink()
    verdict = score(toy)
    assert (verdict.outcome, verdict.certified) == ("PASS", False)
    assert [entry.signature for entry in ledger_of(toy)] == [None, None]
    assert "answered before" in score(toy).explanation


def test_what_was_written_before_init_proves_nothing_and_is_spent(toy):
    """The first sealed use after `assay init` is the next one, and is asked anew and signed."""
    layout = Layout(toy)
    public, hidden = layout.public_key.read_bytes(), layout.keys.with_name("hidden")
    layout.public_key.unlink()
    layout.keys.rename(hidden)
    assert score(toy).use == 1
    hidden.rename(layout.keys)
    layout.public_key.write_bytes(public)
    seal_labels(layout)
    verdict = score(toy)
    assert (verdict.use, verdict.certified) == (2, True)
    assert "answered before" not in verdict.explanation
    assert [bool(entry.signature) for entry in ledger_of(toy)] == [False, False, True, True]


def test_open_labels_are_said_to_be_open(toy):
    """Before the labels are sealed the verdict says so, and so does the certificate."""
    verdict = score(toy)
    assert (verdict.outcome, verdict.sealed) == ("PASS", False)
    statement = verify(handed(toy).certificate, Layout(toy).public_key)
    assert not statement.predicate.sealed


def test_same_predictions_never_cost_a_second_use(sealed):
    """Scoring again, also after a merge to main, tells the earlier answer."""
    git(sealed, "switch", "--quiet", "--create", "idea")
    score(sealed)
    again = score(sealed)
    assert (again.outcome, again.use) == ("PASS", 1)
    assert "answered before" in again.explanation
    git(sealed, "switch", "--quiet", "main")
    merged = score(sealed)
    assert (merged.use, merged.certified) == (1, True)
    assert [entry.kind for entry in ledger_of(sealed)].count("intent") == 1


def test_not_confirmed_answer_is_told_again_without_a_use(sealed):
    """A model that is better in public alone is INCONCLUSIVE, twice, for one use."""
    rewrite_predictions(handed(sealed), flat_on_sealed)
    first, second = score(sealed), score(sealed)
    assert (first.outcome, first.use, first.disagreements) == ("INCONCLUSIVE", 1, 1)
    assert (second.outcome, second.use, second.disagreements) == ("INCONCLUSIVE", 1, 1)
    assert not handed(sealed).certificate.exists()


def test_champion_scored_again_is_unchanged(certified):
    """The champion's own predictions pass without labels, on a set that stays as it is."""
    verdict = score(certified)
    assert (verdict.stage, verdict.use, verdict.certified) == ("unchanged", 1, True)
    assert verdict.reference == read_card(handed(certified)).bundle_digest


def test_worse_model_fails_and_costs_nothing(certified):
    """Noise of the size of the error fails in public: no use, no certificate."""
    rewrite_predictions(handed(certified), perturbed(0.3))
    verdict = score(certified)
    assert (verdict.outcome, verdict.stage, verdict.use) == ("FAIL", "public", 1)
    assert verdict.candidate_error > 2 * verdict.reference_error
    assert not verdict.certified


def test_other_folds_are_not_compared_as_if_they_were_the_same(certified):
    """Equal models on other folds are unchanged, which is said; on the same ones they are not.

    A reference of an older version, whose certificate names no folds, is treated alike.
    """
    rewrite_predictions(handed(certified), perturbed(0.3, only="t"))
    assert score(certified).outcome == "FAIL"
    for folds in ("rendezvous-1, 5 folds, seed 1", None):
        change_card(handed(certified), fold_rule=folds)
        rewrite_predictions(handed(certified), lambda values: values, fold_rule=folds)
        verdict = score(certified)
        assert (verdict.outcome, verdict.stage, verdict.use) == ("PASS", "unchanged", 1)
        assert "folds" in verdict.explanation


def test_better_model_must_declare_it_to_become_the_reference(certified):
    """A model certified as no regression is champion, and not what others are compared with."""
    first = read_card(handed(certified)).bundle_digest
    labels = {r: v for r, v in _all_labels(certified).items() if r[0] in "ts"}
    rewrite_predictions(handed(certified), nearer(labels, 0.9))
    verdict = score(certified)
    assert (verdict.outcome, verdict.claim) == ("PASS", "no-regression")
    assert read_ledger(certified).reference(sealed_digest(Layout(certified))).bundle_digest == first


def _all_labels(root: Path) -> dict[str, float]:
    from assay.sealing.labels import open_labels

    inputs = [line.split(",")[0] for line in Layout(root).sealed_inputs.read_text().splitlines()]
    values = open_labels(Layout(root), "energy")
    Layout(root).open_labels.write_text(
        "row_id,energy\n" + "".join(f"{r},{v}\n" for r, v in zip(inputs[1:], values, strict=True))
    )
    found = labels_of(root)
    Layout(root).open_labels.unlink()
    return found


def test_policy_change_asks_anew(sealed):
    """An answer under another policy is no answer."""
    git(sealed, "switch", "--quiet", "--create", "idea")
    score(sealed)
    set_policy(sealed, "slack = 2.5")
    assert score(sealed).use == 2


def set_policy(root: Path, line: str) -> None:
    """Add a line to the gate's policy, or put it in the place of the same key's."""
    toml = root / "assay.toml"
    key = line.split(" ", maxsplit=1)[0]
    kept = [old for old in toml.read_text().splitlines() if not old.startswith(f"{key} ")]
    place = kept.index("[gate]") + 1
    toml.write_text("\n".join([*kept[:place], line, *kept[place:]]) + "\n")


FROZEN = ("alpha = 0.02", "uses = 101", "disagreements = 6", "margin = 0.2", "rows_per_group = 1")


@pytest.mark.parametrize("line", FROZEN)
def test_policy_is_frozen_in_the_life_of_a_set(sealed, line):
    """What the guarantee rests on cannot be changed between two uses; put back, scoring goes on."""
    git(sealed, "switch", "--quiet", "--create", "idea")
    score(sealed)
    policy = (sealed / "assay.toml").read_text()
    set_policy(sealed, line)
    before = ledger_of(sealed)
    with pytest.raises(UsageError, match=rf"gate\.{line.split()[0]} is .*`assay seal fresh`"):
        score(sealed)
    assert ledger_of(sealed) == before
    (sealed / "assay.toml").write_text(policy)
    set_policy(sealed, "slack = 2.5")
    assert score(sealed).use == 2


def test_groups_are_frozen_in_the_life_of_a_set(sealed):
    """Which rows count together cannot be chosen between two uses."""
    git(sealed, "switch", "--quiet", "--create", "idea")
    score(sealed)
    (intent, _) = ledger_of(sealed)
    settings = settings_of(sealed)
    other = settings.split.model_copy(update={"group": "paper"})
    require_frozen(settings, [intent])
    with pytest.raises(UsageError) as refused:
        require_frozen(settings.model_copy(update={"split": other}), [intent])
    assert refused.value.code == "settings.frozen"


def test_policy_is_frozen_where_no_label_is_opened(certified):
    """A margin widened after a use certifies nothing by the stages without labels either."""
    rewrite_predictions(handed(certified), perturbed(0.3))
    set_policy(certified, "margin = 6.0")
    with pytest.raises(UsageError) as refused:
        score(certified)
    assert refused.value.code == "settings.frozen"
    assert len(ledger_of(certified)) == 2


def test_missing_sealing_key_costs_no_use_and_ends_with_3(sealed):
    """Without the key nothing is decided and nothing is spent; the message names the secret."""
    (Layout(sealed).keys / SEALING.file).unlink()
    done = assay(sealed, "score")
    assert done.returncode == 3
    assert "ASSAY_SEALING_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert ledger_of(sealed) == []
    assert not handed(sealed).verdict.exists()


def test_missing_key_is_no_matter_where_no_label_is_needed(certified):
    """A change that needs no label is decided without the key."""
    (Layout(certified).keys / SEALING.file).unlink()
    assert score(certified).outcome == "PASS"


def test_altered_sealed_file_costs_no_use(sealed):
    """A sealed file that was changed is not opened and not counted."""
    path = Layout(sealed).sealed_labels
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(NotCarriedOutError, match="cannot be opened"):
        score(sealed)
    assert ledger_of(sealed) == []


def test_message_about_bad_labels_quotes_none(toy):
    """Labels that are no numbers stop the scoring; the message holds nothing of them."""
    path = Layout(toy).open_labels
    lines = path.read_text().splitlines()
    lines[5] = lines[5].split(",")[0] + ",secretvalue"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(NotCarriedOutError) as caught:
        score(toy)
    assert "secretvalue" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert ledger_of(toy) == []


def test_malformed_signing_key_costs_no_use(sealed):
    """A key that cannot sign is found before the labels are opened."""
    (Layout(sealed).keys / SIGNING.file).write_text("short")
    with pytest.raises(NotCarriedOutError, match="signing key"):
        score(sealed)
    assert ledger_of(sealed) == []


def _lose_row(handover: Handover) -> None:
    rewrite_predictions(handover, lambda v: {r: x for r, x in v.items() if r != "s00003"})


def _add_row(handover: Handover) -> None:
    rewrite_predictions(handover, lambda v: {**v, "x1": 0.0})


def _not_finite(handover: Handover) -> None:
    rewrite_predictions(handover, lambda v: {**v, "s00001": float("nan")})


def _other_file(handover: Handover) -> None:
    path = handover.predictions
    path.write_text(path.read_text().replace("t00001,", "t00001,1"))


def _repeat_row(handover: Handover) -> None:
    text = handover.predictions.read_text()
    handover.predictions.write_text(text + text.splitlines()[-1] + "\n")


def _link(handover: Handover) -> None:
    moved = handover.folder / "elsewhere.csv"
    handover.predictions.rename(moved)
    handover.predictions.symlink_to(moved)


def _pickle(handover: Handover) -> None:
    handover.predictions.write_bytes(b"\x80\x04" + b"x" * 100)


def _oversized(handover: Handover) -> None:
    with handover.predictions.open("a") as stream:
        stream.write(" " * 10_000_000)


def _failed_schema(handover: Handover) -> None:
    finding = Finding(rule="r", severity="failure", message="m")
    read_record(CheckReport, handover.schema).model_copy(update={"findings": [finding]}).write(
        handover.schema
    )


def _empty_sanity(handover: Handover) -> None:
    read_record(CheckReport, handover.sanity).model_copy(update={"executed": 0}).write(
        handover.sanity
    )


def _sanity_of_another_bundle(handover: Handover) -> None:
    other = {"subject": "1" * 64}
    read_record(CheckReport, handover.sanity).model_copy(update=other).write(handover.sanity)


def _schema_of_other_data(handover: Handover) -> None:
    other = {"subject": "1" * 64}
    read_record(CheckReport, handover.schema).model_copy(update=other).write(handover.schema)


def _swapped_checks(handover: Handover) -> None:
    handover.sanity.write_bytes(handover.schema.read_bytes())


def _altered_bundle(handover: Handover) -> None:
    (handover.bundle / "MLmodel").write_text("altered: true\n")


REFUSAL = Refusal(said="The runner was lost.", exit_code=3)
TAMPERINGS = {
    "a missing row": _lose_row,
    "an invented row": _add_row,
    "not a number": _not_finite,
    "a repeated row": _repeat_row,
    "another file than the card names": _other_file,
    "a link": _link,
    "a pickle": _pickle,
    "too large": _oversized,
    "no predictions": lambda h: h.predictions.unlink(),
    "no card": lambda h: h.candidate.unlink(),
    "a card that is no JSON": lambda h: h.candidate.write_text("{"),
    "a card with another field": lambda h: change_card(h, admin=True),
    "a card of other sealed inputs": lambda h: change_card(h, sealed_inputs_digest="0" * 64),
    "a card of another pool": lambda h: change_card(h, pool_digest="0" * 64),
    "a card of other train rows": lambda h: change_card(h, train_digest="0" * 64),
    "a card of another lock": lambda h: change_card(h, lock_digest="0" * 64),
    "a card of another machinery": lambda h: change_card(h, machinery="0" * 64),
    "a card that names no machinery": lambda h: change_card(h, machinery=None),
    "a failed schema": _failed_schema,
    "sanity that ran nothing": _empty_sanity,
    "sanity of another bundle": _sanity_of_another_bundle,
    "schema of other data": _schema_of_other_data,
    "no schema": lambda h: h.schema.unlink(),
    "one check's report for the other": _swapped_checks,
    "a refusal beside a record that passed": lambda h: REFUSAL.write(h.refusal("sanity")),
    "an altered bundle": _altered_bundle,
    "another bundle's digest": lambda h: change_card(h, bundle_digest="0" * 64),
}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampered_handover_is_not_scored(sealed, tamper):
    """Whatever is wrong with what was handed over: no verdict, no use, and nothing stale left."""
    handover = handed(sealed)
    handover.verdict.write_text("{}")
    handover.certificate.write_text("{}")
    tamper(handover)
    with pytest.raises(NotCarriedOutError):
        score(sealed)
    assert ledger_of(sealed) == []
    assert not handover.verdict.exists()
    assert not handover.certificate.exists()


def test_a_fast_run_alone_is_told_so(sealed):
    """After `assay sanity --fast` the sentence says that, whatever stale record stands there."""
    handover = handed(sealed)
    fast = read_record(CheckReport, handover.sanity)
    fast.write(handover.fast_sanity)
    handover.sanity.unlink()
    with pytest.raises(NotCarriedOutError, match=r"only the fast suite .* run `assay sanity`, "):
        score(sealed)
    fast.model_copy(update={"subject": "1" * 64}).write(handover.sanity)
    with pytest.raises(NotCarriedOutError, match="only the fast suite"):
        score(sealed)
    fast.model_copy(update={"subject": "2" * 64}).write(handover.fast_sanity)
    with pytest.raises(NotCarriedOutError, match="is about 111111111111"):
        score(sealed)
    assert ledger_of(sealed) == []
    fast.write(handover.sanity)
    assert score(sealed).outcome == "PASS"


def test_untampered_handover_is_scored(sealed):
    """The same handover, not tampered with, passes: the refusals above are for their reason."""
    assert score(sealed).outcome == "PASS"


def event(monkeypatch, root: Path, folder: Path, **fields: object) -> None:
    """Run in Actions, with this payload of workflow_run."""
    run = {
        "event": "push",
        "head_branch": "main",
        "head_sha": git(root, "rev-parse", "HEAD"),
        "head_repository": {"full_name": "group/toy"},
        **fields,
    }
    path = folder / "event.json"
    path.write_text(json.dumps({"workflow_run": run}))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "group/toy")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))


OTHERS = {
    "a pull request": {"event": "pull_request"},
    "a pull request from a branch called main": {
        "event": "pull_request",
        "head_repository": {"full_name": "fork/toy"},
    },
    "a push to a fork's main": {"head_repository": {"full_name": "fork/toy"}},
    "a push to a fork that is gone": {"head_repository": None},
    "a push to a branch": {"head_branch": "idea"},
    "a tag called main, or an older run of main": {"head_sha": "b" * 40},
    "a tag": {"head_branch": "v1"},
    "a dispatch": {"event": "workflow_dispatch"},
    "a target event": {"event": "pull_request_target"},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_no_other_run_than_mains_own_push_certifies(trained_toy, tmp_path, monkeypatch, fields):
    """Pull requests, forks, branches and dispatches are scored and never certify."""
    card = read_card(handed(trained_toy))
    event(monkeypatch, trained_toy, tmp_path, **fields)
    assert not cases.current_run(trained_toy, card).certifies
    event(monkeypatch, trained_toy, tmp_path)
    run = cases.current_run(trained_toy, card)
    assert run.certifies
    assert run.commit == git(trained_toy, "rev-parse", "HEAD")


def test_pull_request_in_actions_gets_a_verdict_and_no_certificate(sealed, tmp_path, monkeypatch):
    """On a checkout of main with all keys, a pull request's run still gets no certificate."""
    event(monkeypatch, sealed, tmp_path, event="pull_request", head_branch="idea")
    verdict = score(sealed)
    assert (verdict.outcome, verdict.certified) == ("PASS", False)
    assert ledger_of(sealed)[-1].commit == git(sealed, "rev-parse", "HEAD")
    event(monkeypatch, sealed, tmp_path)
    assert score(sealed).certified


@pytest.mark.parametrize(
    "content", [None, "{", "{}", '{"workflow_run": null}', '{"pull_request": 1}']
)
def test_unreadable_event_is_not_carried_out(trained_toy, tmp_path, monkeypatch, content):
    """In Actions, without the payload of workflow_run, nothing is decided."""
    event(monkeypatch, trained_toy, tmp_path)
    path = Path(os.environ["GITHUB_EVENT_PATH"])
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(NotCarriedOutError):
        cases.current_run(trained_toy, read_card(handed(trained_toy)))


def test_crash_after_the_labels_were_opened_counts_against_the_set(sealed, monkeypatch):
    """If the decision is never written the use is spent and counts as not confirmed."""

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring, "record_decision", crash)
    with pytest.raises(KeyboardInterrupt):
        score(sealed)
    assert [entry.kind for entry in ledger_of(sealed)] == ["intent"]
    assert not handed(sealed).certificate.exists(), "a certificate without a record"
    assert read_ledger(sealed).budget(sealed_digest(Layout(sealed))) == Budget(1, 1)
    monkeypatch.undo()
    rewrite_predictions(handed(sealed), perturbed(1e-6))
    assert (score(sealed).use, ledger_of(sealed)[-1].disagreements) == (2, 1)


@pytest.mark.parametrize(
    ("edit", "told"), [(None, ("PASS", 0)), (flat_on_sealed, ("INCONCLUSIVE", 1))]
)
def test_same_predictions_after_a_crash_finish_the_use_that_was_begun(
    sealed, monkeypatch, edit, told
):
    """The use stands: it is answered as it was asked, and costs no other."""
    if edit:
        rewrite_predictions(handed(sealed), edit)
    monkeypatch.setattr(scoring, "record_decision", lambda *_: sys.exit(1))
    with pytest.raises(SystemExit):
        score(sealed)
    monkeypatch.undo()
    (begun,) = ledger_of(sealed)
    verdict = score(sealed)
    assert (verdict.outcome, verdict.disagreements) == told
    assert (verdict.use, verdict.level) == (1, begun.level)
    intent, decision = ledger_of(sealed)
    assert (intent, decision.use, decision.bit) == (begun, 1, told[0] == "PASS")
    again = score(sealed)
    assert (again.outcome, again.use, again.disagreements) == (told[0], 1, told[1])


def test_altered_rows_of_an_unfinished_use_are_not_answered(sealed, monkeypatch):
    """Whoever rewrites the table beside an intent cannot have another question answered."""
    monkeypatch.setattr(scoring, "record_decision", lambda *_: sys.exit(1))
    with pytest.raises(SystemExit):
        score(sealed)
    monkeypatch.undo()
    ledger = read_ledger(sealed)
    (path,) = set(ledger.files()) - {"ledger.jsonl"}
    content = ledger.read_file(path).replace(b",", b",1", 5)
    changed = commits.commit(sealed, ledger.head, {path: content}, "by hand")
    git(sealed, "update-ref", branches.REF, changed)
    with pytest.raises(NotCarriedOutError, match="missing or altered"):
        score(sealed)


def test_lost_race_for_the_labels_is_decided_again(sealed, monkeypatch):
    """If another run takes the use first, this one takes the next, at its level."""
    genuine, lost = Ledger.append, []

    def contested(ledger, entry, files=None):
        if not lost:
            lost.append(entry)
            rival = entry.model_copy(update={"predictions_digest": "1" * 64})
            genuine(ledger, rival, files)
            raise LedgerMovedError
        return genuine(ledger, entry, files)

    monkeypatch.setattr(Ledger, "append", contested)
    verdict = score(sealed)
    assert (verdict.use, verdict.disagreements) == (2, 1)
    intents = [entry for entry in ledger_of(sealed) if isinstance(entry, Intent)]
    assert [entry.use for entry in intents] == [1, 2]
    assert intents[1].level < intents[0].level


def test_endless_race_is_not_carried_out(sealed, monkeypatch):
    """A ledger that always moves ends with a sentence, not with a verdict."""

    def always(*_: object, **__: object) -> None:
        raise LedgerMovedError

    monkeypatch.setattr(Ledger, "append", always)
    with pytest.raises(NotCarriedOutError, match="others wrote to the ledger"):
        score(sealed)
    assert not handed(sealed).verdict.exists()


def test_ledger_of_a_remote_is_used(sealed, tmp_path):
    """With --remote the ledger lives there; another clone knows the champion."""
    bare = tmp_path / "remote.git"
    git(sealed, "init", "--quiet", "--bare", str(bare))
    git(sealed, "remote", "add", "origin", str(bare))
    assert score(sealed, "origin").certified
    assert commits.local_head(sealed, branches.REF) is None
    assert read_ledger(sealed, "origin").champion() is not None


def test_garbage_on_the_sealed_inputs_alone_does_not_pass(certified):
    """The champion's predictions on train and pool, noise on the sealed inputs: not certified."""
    for size in (0.3, 1.0, 100.0):
        rewrite_predictions(handed(certified), perturbed(size, only="s"))
        verdict = score(certified)
        assert (verdict.outcome, verdict.certified) == ("INCONCLUSIVE", False)


def _retrain_with(root: Path, edit) -> None:
    """On a branch, train on an edited train set; then put back main's data, which scores."""
    git(root, "switch", "--quiet", "--create", "data")
    train = Layout(root).train
    lines = train.read_text().splitlines()
    train.write_text("\n".join(edit(lines)) + "\n")
    commit(root, "Change the data")
    assert assay(root, "train").returncode == 0
    add_checks(handed(root))
    git(root, "checkout", "--quiet", "main", "--", "data")


def test_pull_request_with_more_data_is_scored(certified):
    """Rows that main does not have yet are left out of the pairing."""
    formulas = ["Ba2Cu3O5", "SrCu2O3"]
    rows = [
        f"t9000{n},{f},{y}"
        for n, (f, y) in enumerate(zip(formulas, target_of(formulas), strict=True))
    ]
    _retrain_with(certified, lambda lines: [*lines, *rows])
    verdict = score(certified)
    assert verdict.outcome in {"PASS", "INCONCLUSIVE"}
    assert verdict.candidate_error == pytest.approx(verdict.reference_error, rel=0.2)


def test_pull_request_that_drops_much_of_the_data_is_not_scored(certified):
    """A candidate cannot choose the public rows that it is compared on."""
    _retrain_with(certified, lambda lines: lines[: len(lines) * 3 // 4])
    with pytest.raises(NotCarriedOutError, match="of main's train rows only"):
        score(certified)


def test_train_set_other_than_the_cards_is_refused(sealed):
    """The copy of the train set that is handed over must be the one that the card names."""
    path = handed(sealed).train
    path.write_text(path.read_text() + "t90001,NaCl,1\n")
    with pytest.raises(NotCarriedOutError, match=r"train\.csv is not the file"):
        score(sealed)


def test_reference_predictions_are_left_for_the_report(certified):
    """What the candidate was compared with lies beside the verdict, for the page to draw."""
    score(certified)
    assert handed(certified).reference.read_text() == handed(certified).predictions.read_text()


def overflowing(rows: str, groups: dict[str, str]):
    """Two predictions of one chemical system so large that their sum is not finite."""

    def edit(values: dict[str, float]) -> dict[str, float]:
        systems: dict[str, list[str]] = {}
        for row, system in groups.items():
            systems.setdefault(system, []).append(row)
        pair = next(members for members in systems.values() if len(members) > 1)[:2]
        worse = {row: x + 50 * (row[0] == "s") for row, x in values.items()}
        return worse | dict.fromkeys(pair, 1.7e308)

    return edit


@pytest.mark.parametrize("rows", ["sealed", "pool"])
def test_predictions_that_overflow_are_never_scored(certified, rows):
    """Numbers whose sums are not finite reach no comparison, where none exceeds a bound."""
    data = read_dataset(read_repository(certified))
    table = getattr(data, rows)
    systems = dict(zip(table["row_id"], map(chemical_system, table["formula"]), strict=True))
    rewrite_predictions(handed(certified), overflowing(rows, systems))
    before = ledger_of(certified)
    with pytest.raises(NotCarriedOutError, match="is not a finite number from"):
        score(certified)
    assert ledger_of(certified) == before
    assert not handed(certified).certificate.exists()


def test_model_that_is_wrong_in_public_alone_is_not_unchanged(certified):
    """Agreeing on pool and sealed inputs does not pass a model that is far off out of fold."""
    rewrite_predictions(handed(certified), perturbed(9.0, only="t"))
    verdict = score(certified)
    assert (verdict.outcome, verdict.stage) == ("FAIL", "public")


def test_reference_other_than_the_certified_one_is_refused(certified):
    """Whoever rewrites the reference on the ledger's branch gets no verdict against it."""
    rewrite_predictions(handed(certified), perturbed(0.3))
    ledger = read_ledger(certified)
    name = reference_file(ledger.entries[-1].bundle_digest)
    ledger.append(ledger.entries[0], {name: handed(certified).predictions.read_bytes()})
    with pytest.raises(NotCarriedOutError, match="not those that were certified"):
        score(certified)


def test_train_set_of_the_reference_is_the_certified_one(certified):
    """Whoever rewrites which composition an id stood for gets no verdict either."""
    rewrite_predictions(handed(certified), perturbed(0.3))
    ledger = read_ledger(certified)
    name = reference_train_file(ledger.entries[-1].bundle_digest)
    ledger.append(ledger.entries[0], {name: b"row_id,formula\n"})
    with pytest.raises(NotCarriedOutError, match="not the train set that"):
        score(certified)


def test_model_that_needs_other_row_ids_does_not_pass(certified):
    """Numbering rows anew makes the reference no worse: its predictions stay with their rows."""
    layout = Layout(certified)
    lines = layout.train.read_text().splitlines()
    few = range(1, len(lines), 12)
    ids = [lines[place].partition(",")[0] for place in few]
    for place, row_id in zip(few, [*ids[1:], ids[0]], strict=True):
        lines[place] = row_id + "," + lines[place].partition(",")[2]
    layout.train.write_text("\n".join([*lines, ""]))
    commit(certified, "Number some rows anew")
    assert assay(certified, "train").returncode == 0
    add_checks(handed(certified))
    verdict = score(certified)
    assert verdict.reference_error == pytest.approx(verdict.candidate_error, rel=0.2)


def test_candidate_of_another_commit_is_not_scored(sealed):
    """A claim stands in a commit's message, so a candidate from before that commit has no claim."""
    commit(sealed, "Take a better model\n\nAssay-Claim: improvement")
    with pytest.raises(NotCarriedOutError, match="run `assay check` again"):
        score(sealed)
    assert not ledger_of(sealed)


def test_uncommitted_candidate_costs_nothing(sealed):
    """A model that no commit holds is refused before a sealed use is spent on it."""
    card = read_card(handed(sealed))
    change_card(handed(sealed), commit=f"{card.commit}+changes")
    with pytest.raises(NotCarriedOutError, match=r"changed but not committed.*: commit, and run"):
        score(sealed)
    assert not ledger_of(sealed)


@pytest.fixture
def better(certified, tmp_path, monkeypatch):
    """A certified main, and a way to score a model that is nearer to the labels as main's run."""
    pool = read_dataset(read_repository(certified)).pool
    truth = dict(zip(pool["row_id"], target_of(list(pool["formula"])), strict=True))
    rewrite_predictions(handed(certified), nearer(_all_labels(certified) | truth, 0.5))

    def scored(sha: str, **fields: object) -> VerdictRecord:
        change_card(handed(certified), commit=sha, claim=str(fields.pop("claim", "no-regression")))
        event(monkeypatch, certified, tmp_path, head_sha=sha, **fields)
        return score(certified)

    return scored


def test_an_improvement_survives_a_commit_that_lands_before_its_run(certified, better):
    """A commit of main's history is certified as long as nothing later is."""
    first = commit(certified, "Better\n\nAssay-Claim: improvement")
    last = commit(certified, "Correct a word")
    verdict = better(first, claim="improvement")
    assert (verdict.outcome, verdict.claim, verdict.certified) == ("PASS", "improvement", True)
    verdict = better(last)
    assert (verdict.stage, verdict.use, verdict.certified) == ("unchanged", 2, True)


def test_a_claim_whose_run_was_displaced_is_made_by_the_next(certified, better):
    """Main's claims since its last decided commit count, and a later no is a no."""
    commit(certified, "Better\n\nAssay-Claim: improvement")
    last = commit(certified, "Correct a word")
    verdict = better(last)
    assert (verdict.outcome, verdict.claim, verdict.certified) == ("PASS", "improvement", True)
    assert verdict.use == 2


def test_a_claim_that_was_taken_back_is_not_made(certified, better):
    """The newest claim since the last decided commit is the one."""
    commit(certified, "Better\n\nAssay-Claim: improvement")
    last = commit(certified, "Not better\n\nAssay-Claim: no-regression")
    assert better(last).claim == "no-regression"


def test_a_decided_claim_is_not_made_again(certified, better):
    """What main claimed before its last decided commit is settled."""
    commit(certified, "Better\n\nAssay-Claim: improvement")
    rewrite_predictions(handed(certified), perturbed(0.0001))
    better(commit(certified, "Correct a word"))
    rewrite_predictions(handed(certified), perturbed(0.0002))
    assert better(commit(certified, "Correct another")).claim == "no-regression"


def test_a_decision_before_a_commit_was_mains_settles_no_claim(certified, better):
    """What a merge queue had decided is still claimed by main, if its own run was displaced."""
    queued = commit(certified, "Better\n\nAssay-Claim: improvement")
    better(queued, event="merge_group", head_branch="gh-readonly-queue/main/pr-1")
    rewrite_predictions(handed(certified), perturbed(0.0001))
    assert better(commit(certified, "Correct a word")).claim == "improvement"


def test_nothing_is_certified_behind_a_later_certified_commit(certified, better):
    """The order of champions is that of main, not of runs, and the older run costs no use."""
    first = commit(certified, "Better\n\nAssay-Claim: improvement")
    last = commit(certified, "Correct a word")
    assert better(last).certified
    rewrite_predictions(handed(certified), perturbed(0.0001))
    verdict = better(first)
    assert (verdict.outcome, verdict.certified, verdict.use) == ("INCONCLUSIVE", False, 2)
    assert last[:12] in verdict.explanation


def test_a_squash_with_the_title_only_loses_no_claim(certified, better):
    """The same predictions as a pull request's that passed are asked as they were, for no use."""
    verdict = better("c" * 40, event="pull_request", head_branch="idea", claim="improvement")
    assert (verdict.outcome, verdict.claim, verdict.certified) == ("PASS", "improvement", False)
    verdict = better(commit(certified, "Better model (#7)"))
    assert (verdict.outcome, verdict.claim, verdict.certified) == ("PASS", "improvement", True)
    assert verdict.use == 2, "answered before"


def test_a_pull_requests_own_claim_stays(certified, better):
    """What main claimed, or another pull request, is no claim of this one."""
    commit(certified, "Better\n\nAssay-Claim: improvement")
    better("c" * 40, event="pull_request", head_branch="idea", claim="improvement")
    verdict = better("d" * 40, event="pull_request", head_branch="other")
    assert verdict.claim == "no-regression"
    assert verdict.why_not_certified == "only a commit that was pushed to main is"


def test_mains_run_is_of_its_own_commit(certified, better):
    """Artifacts of another commit that main's run hands over are not scored."""
    head = commit(certified, "Next")
    change_card(handed(certified), commit="e" * 40)
    with pytest.raises(NotCarriedOutError) as refused:
        cases.current_run(certified, read_card(handed(certified)))
    assert refused.value.code == "handover.other-commit"
    better(head)


def test_a_fork_opens_no_labels(sealed, tmp_path, monkeypatch):
    """Whoever may not push here gets every stage without labels, and the way to the sealed one."""
    event(
        monkeypatch,
        sealed,
        tmp_path,
        event="pull_request",
        head_repository={"full_name": "fork/toy"},
    )
    verdict = score(sealed)
    assert (verdict.outcome, verdict.stage, verdict.use) == ("INCONCLUSIVE", "public", 0)
    assert "fork" in verdict.explanation
    event(monkeypatch, sealed, tmp_path, event="pull_request", head_branch="idea")
    assert score(sealed).outcome == "PASS"


@pytest.mark.parametrize("line", ["disagreements = 1", "uses = 1"])
def test_something_is_kept_for_main_of_the_smallest_budget(sealed, tmp_path, monkeypatch, line):
    """Of one use, or one that may not confirm, a pull request gets none."""
    toml = sealed / "assay.toml"
    toml.write_text(with_value(toml.read_text(), "gate", "disagreements", "1"))
    set_policy(sealed, line)
    event(monkeypatch, sealed, tmp_path, event="pull_request", head_branch="idea")
    assert (score(sealed).stage, score(sealed).use) == ("public", 0)
    event(monkeypatch, sealed, tmp_path)
    assert score(sealed).certified


def test_pull_requests_cannot_spend_what_is_kept_for_main(sealed, tmp_path, monkeypatch):
    """Forged figures that look worth a use do not retire a set: main's own run still asks."""
    honest = handed(sealed).predictions.read_bytes()
    event(monkeypatch, sealed, tmp_path, event="pull_request", head_branch="idea")
    seen = []
    for number in range(5):
        rewrite_predictions(handed(sealed), flat_on_sealed)
        rewrite_predictions(handed(sealed), perturbed(1e-6, seed=number))
        seen.append(score(sealed))
    assert [verdict.stage for verdict in seen] == ["sealed"] * 3 + ["public"] * 2
    assert all("kept for main" in verdict.explanation for verdict in seen[3:])
    assert seen[-1].disagreements == 3
    handed(sealed).predictions.write_bytes(honest)
    change_card(handed(sealed), predictions_digest=digest_file(handed(sealed).predictions))
    event(monkeypatch, sealed, tmp_path)
    verdict = score(sealed)
    assert (verdict.outcome, verdict.stage, verdict.certified) == ("PASS", "sealed", True)
