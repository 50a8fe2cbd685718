"""Nothing but one bit comes from the sealed labels, in any byte that anybody could look at.

Acceptance 6 of the gate's protocol. The trusted job runs whole, with the labels replaced by others
that give the same bit; then everything it printed, logged, wrote, pushed and told GitHub must be
the same. How long it takes is not looked at.
"""

import logging
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import assay.model.tracking
from assay.compositions import elements
from assay.errors import NotCarriedOutError
from assay.files import digest_tree
from assay.gate import decision as gate
from assay.layout import Layout
from assay.ledger.entries import RECORDS, Intent
from assay.ledger.replay import findings_of
from assay.repository import Repository, read_repository
from assay.scoring import score as scoring
from assay.scoring.references import recorded
from assay.sealing.labels import open_labels
from assay.tables import read_table
from toy import TARGET, flat_on_sealed, predictions_of, rewrite_predictions
from trusted_job import Observation, TrustedJob, look

pytestmark = pytest.mark.slow

Labels = np.ndarray
Change = Callable[[Labels, Labels], Labels]  # of the true labels and of the candidate's predictions

REPORT = ("temp/handover/report/comment.md", "temp/handover/report/index.html")
# where the bit is meant to be told; its words are those of the verdict's fields
TEMPLATE = (
    *REPORT,
    "temp/handover/verdict.json",
    "runner/STEP_SUMMARY",
    "github/statuses.json",
    "github/comments.json",
    "github/requests.jsonl",
)
LEDGERS_GIT = r"/objects/[0-9a-f]{2}/|/refs/(heads|remotes/origin)/assay-ledger$|/FETCH_HEAD$"


def _noisy(size: float) -> Change:
    return lambda truth, _: truth + np.random.default_rng(0).normal(scale=size, size=len(truth))


def _swapped_with_the_nearest(truth: Labels, _: Labels) -> Labels:
    """Each label changes places with the one next to it in size."""
    order, swapped = np.argsort(truth), truth.copy()
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    swapped[pairs] = truth[pairs[:, ::-1]]
    return swapped


def _shuffled(truth: Labels, _: Labels) -> Labels:
    return np.random.default_rng(0).permutation(truth)


WARM: list[bool] = []
CONFIRMING: dict[str, Change] = {
    "the truth": lambda truth, _: truth,
    "noise": _noisy(0.01),
    "neighbours swapped": _swapped_with_the_nearest,
    "just as predicted": lambda _, predicted: predicted,
}
REFUTING: dict[str, Change] = {
    "the truth": lambda truth, _: truth,
    "shuffled": _shuffled,
    "all one": lambda truth, predicted: np.full(len(truth), predicted.mean()),
    "far off": _noisy(1e6),
}


@dataclass
class Scene:
    """A job that can be run again and again from one state, each time with other labels."""

    job: TrustedJob
    kept: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    truth: Labels = field(init=False)
    labels: Labels = field(init=False)

    def __post_init__(self) -> None:
        """Look at the true labels once; from here on the scene's labels are what `score` gets."""
        self.truth = self.labels = open_labels(Layout(self.job.checkout), TARGET)
        self.patch.setattr(scoring, "open_labels", lambda *_: self.labels)

    @property
    def predicted(self) -> Labels:
        """The candidate's predictions of the sealed rows."""
        found = predictions_of(self.job.handover)
        return np.array([value for row, value in found.items() if row[0] == "s"])

    def keep(self) -> None:
        """Let every run from now on begin with what is there now."""
        shutil.copytree(self.job.folder, self.kept, symlinks=True)
        if not WARM:  # a library may say something when it is first used
            self.observe(CONFIRMING["the truth"])
            WARM.append(True)

    def observe(self, change: Change, *, report: bool = True) -> Observation:
        """Run the job with these labels."""
        shutil.rmtree(self.job.folder)
        shutil.copytree(self.kept, self.job.folder, symlinks=True)
        self.labels = change(self.truth, self.predicted)
        return self.job.run(self.capture, report=report)

    @property
    def digit(self) -> int:
        """The first decimal digit of the sealed error: what a leak could tell."""
        return int(np.abs(self.labels - self.predicted).mean() * 10) % 10


@pytest.fixture
def scene(job: TrustedJob, tmp_path: Path, monkeypatch, capfd) -> Scene:
    """A sealed toy's job; MLflow, which names its runs at random, is recorded and not started."""

    def record(repository: Repository, digest: str, bundle: Path) -> None:
        told = f"{repository.root} {repository.settings!r} {digest} {digest_tree(bundle)}"
        (job.folder / "temp" / "promoted").write_text(told)

    monkeypatch.setattr(assay.model.tracking, "promote", record)
    return Scene(job, tmp_path / "kept", monkeypatch, capfd)


def differing(one: Observation, other: Observation) -> list[str]:
    """What is not the same: paths, exit codes, output, logs."""
    named = {"exit codes": "codes", "output": "printed", "logs": "logged"}
    said = [name for name, key in named.items() if getattr(one, key) != getattr(other, key)]
    paths = sorted({*one.files, *other.files})
    return said + [path for path in paths if one.files.get(path) != other.files.get(path)]


def outcome(seen: Observation) -> str:
    """The outcome that was decided with the labels."""
    verdict = seen.json("temp", "handover", "verdict.json")
    assert verdict["stage"] == "sealed"
    return str(verdict["outcome"])


CASES = {
    "a pull request that passes": ("pull request", None, CONFIRMING, "PASS"),
    "a pull request that does not": ("pull request", flat_on_sealed, REFUTING, "INCONCLUSIVE"),
    "main, certified": ("main", None, CONFIRMING, "PASS"),
    "main, not certified": ("main", flat_on_sealed, REFUTING, "INCONCLUSIVE"),
}


@pytest.mark.parametrize(("whose", "edit", "changes", "wanted"), CASES.values(), ids=CASES)
def test_labels_that_give_the_same_bit_leave_every_byte(
    scene: Scene, whose: str, edit, changes: dict[str, Change], wanted: str
):
    """Whatever the labels are, if the verdict is the same then so is everything else."""
    if whose == "main":
        scene.job.trigger_main()
    if edit:
        rewrite_predictions(scene.job.handover, edit)
    scene.keep()
    seen = {name: scene.observe(change) for name, change in changes.items()}
    first = seen["the truth"]
    assert {name: outcome(one) for name, one in seen.items()} == dict.fromkeys(changes, wanted)
    assert not {name: found for name, one in seen.items() if (found := differing(first, one))}
    certified = wanted == "PASS" and whose == "main"
    told = {"temp/handover/certificate.json", "temp/promoted", "github/releases.json"}
    assert told & first.files.keys() == (told if certified else set())
    assert [entry.kind for entry in scene.job.ledger.entries] == ["intent", "decision"]


SLICE = ("O", "S", "Se", "Te", "N", "P", "As", "C", "F")
POLICY = f"""
further = {{ rmse = 0.5 }}

[[gate.slices]]
name = "anions"
elements = [{", ".join(map(repr, SLICE))}]
margin = 0.3
"""


def _in_the_slice(scene: Scene) -> np.ndarray:
    table = read_table(Layout(scene.job.checkout).sealed_inputs, ["formula"])
    return np.array([not elements(formula).isdisjoint(SLICE) for formula in table["formula"]])


def _refuting(scene: Scene) -> list[Change]:
    """Labels that break all requirements, the metric but not its square, and the square alone.

    The reference is a constant. It is right everywhere, in the slice, and far off together with the
    candidate in a few rows where it is the nearer of the two.
    """
    constant = next(v for row, v in _reference(scene).items() if row[0] == "s")
    some, few = _in_the_slice(scene), np.arange(len(scene.truth)) % 15 == 0
    return [
        lambda truth, _: np.full(len(truth), constant),
        lambda _, p: np.where(some, constant, p),
        lambda _, p: np.where(few & ~some, constant + 50 * np.sign(constant - p), p),
    ]


def _reference(scene: Scene) -> dict[str, float]:
    return recorded(scene.job.handover.reference.read_bytes(), "the reference")


def _failed(scene: Scene) -> set[str]:
    """Which requirements did not hold, as whoever has the labels can compute from the ledger."""
    ledger = scene.job.ledger
    (intent,) = (entry for entry in ledger.entries if isinstance(entry, Intent))
    rows = read_table(Layout(scene.job.checkout).sealed_inputs, ["row_id"])["row_id"]
    labels = dict(zip(rows, scene.labels.tolist(), strict=True))
    found = findings_of(intent, ledger.files(), labels)
    return {f"{f.requirement.metric} {f.requirement.slice}" for f in found if not f.bit}


def test_which_requirement_did_not_hold_is_not_told(scene: Scene):
    """Among several metrics and slices, labels that break one or another leave the same bytes."""
    settings = scene.job.checkout / "assay.toml"
    settings.write_text(settings.read_text() + POLICY)
    scene.keep()
    scene.observe(CONFIRMING["the truth"], report=False)
    seen, failed = [], []
    for change in _refuting(scene):
        seen.append(scene.observe(change))
        failed.append(_failed(scene))
    assert failed == [
        {"mae None", "mae anions", "rmse None"},
        {"mae None", "mae anions"},
        {"rmse None"},
    ]
    assert [outcome(one) for one in seen] == ["INCONCLUSIVE"] * 3
    assert not [found for one in seen if (found := differing(seen[0], one))]


def ledger_line(scene: Scene) -> dict[str, object]:
    """The last line of the ledger, as JSON has it."""
    entry = scene.job.ledger.entries[-1]
    return entry.model_dump(mode="json")


def test_flipped_bit_changes_only_what_is_meant_to_tell_it(scene: Scene):
    """Verdict and ledger differ in the template's fields, and all else follows from these."""
    scene.keep()
    no = scene.observe(_shuffled)
    denied, files_of_no = ledger_line(scene), scene.job.ledger.files()
    yes = scene.observe(CONFIRMING["the truth"])
    confirmed, files_of_yes = ledger_line(scene), scene.job.ledger.files()
    assert (outcome(yes), outcome(no)) == ("PASS", "INCONCLUSIVE")
    changed = {key for key in confirmed if confirmed[key] != denied[key]}
    assert changed == {"outcome", "bit", "signature"}
    assert files_of_yes.keys() == files_of_no.keys()
    assert [f for f, content in files_of_yes.items() if content != files_of_no[f]] == [RECORDS]
    verdicts = [seen.json("temp", "handover", "verdict.json") for seen in (yes, no)]
    differing_keys = {key for key in verdicts[0] if verdicts[0][key] != verdicts[1][key]}
    assert differing_keys == {"outcome", "explanation", "disagreements"}
    assert (yes.codes, no.codes) == ((0, 0), (1, 0))
    found = {path for path in differing(yes, no) if not re.search(LEDGERS_GIT, path)}
    assert found == {"exit codes", "output", "logs", *TEMPLATE}
    assert _report_of(scene, verdict=no) == {path: no.files[path] for path in REPORT}


def _report_of(scene: Scene, verdict: Observation) -> dict[str, tuple[int, bytes]]:
    """What the report says of another verdict on the very same candidate."""
    from assay.report.posting import write_report

    scene.job.handover.verdict.write_text(verdict.text("temp", "handover", "verdict.json"))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in scene.job.environment().items():
            patch.setenv(key, value)
        root = scene.job.checkout
        write_report(read_repository(root), scene.job.handover, post=False)
    return {path: content for path, content in look(scene.job.folder).items() if path in REPORT}


Leak = Callable[[Scene, gate.Decision], gate.Decision]


def _in_the_explanation(scene: Scene, decision: gate.Decision) -> gate.Decision:
    text = f"{decision.explanation}, error 0.{scene.digit}"
    return gate.Decision(decision.outcome, decision.stage, text, decision.level)


def _in_the_level(scene: Scene, decision: gate.Decision) -> gate.Decision:
    level = decision.level * (1 + 1e-9 * scene.digit)
    return gate.Decision(decision.outcome, decision.stage, decision.explanation, level)


def _in_the_output(scene: Scene, decision: gate.Decision) -> gate.Decision:
    sys.stderr.write(" " * scene.digit)
    return decision


def _in_a_log(scene: Scene, decision: gate.Decision) -> gate.Decision:
    logging.getLogger("assay").debug("error %s", scene.digit)
    return decision


def _in_a_file_left_behind(scene: Scene, decision: gate.Decision) -> gate.Decision:
    Path(tempfile.gettempdir(), f"x{scene.digit}").touch()
    return decision


def _in_a_crash(scene: Scene, decision: gate.Decision) -> gate.Decision:
    if scene.digit:
        raise NotCarriedOutError("something went wrong: try again.")
    return decision


LEAKS: tuple[Leak, ...] = (
    _in_the_explanation,
    _in_the_level,
    _in_the_output,
    _in_a_log,
    _in_a_file_left_behind,
    _in_a_crash,
)


def test_one_planted_digit_is_found(scene: Scene, monkeypatch):
    """A scorer that lets one digit of the sealed error out, wherever, does not pass the above."""
    genuine = scoring.judge_sealed
    scene.keep()

    def found(leak: Leak) -> list[str]:
        monkeypatch.setattr(scoring, "judge_sealed", lambda *given: leak(scene, genuine(*given)))
        first = scene.observe(CONFIRMING["just as predicted"], report=False)
        assert scene.digit == 0
        other = scene.observe(lambda _, predicted: predicted + 0.15, report=False)
        assert scene.digit == 1
        return differing(first, other)

    assert not found(lambda _, decision: decision)
    assert all(found(leak) for leak in LEAKS)
