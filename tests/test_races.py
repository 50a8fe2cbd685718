"""Several runs at once, and runs that are killed: no use is lost, none is spent twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from assay.gate.decision import Budget
from assay.layout import Handover, Layout
from assay.ledger.entries import DecisionEntry, Intent
from assay.ledger.record import Ledger, read_ledger
from assay.ledger.replay import replay_files, replay_lines
from assay.sealing.labels import sealed_digest
from sealed import seal_labels
from toy import assay, change_card, commit, copy, environment, git, perturbed, rewrite_predictions

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("laptop")]
RUNS = 4
LONGEST = 120


@pytest.fixture
def shared(trained_toy: Path, tmp_path: Path) -> Path:
    """The trained toy, sealed, on a branch, with a bare remote that holds the ledger."""
    (tmp_path / "first").mkdir()
    root = copy(trained_toy, tmp_path / "first")
    seal_labels(Layout(root))
    git(root, "switch", "--quiet", "--create", "idea")
    change_card(Handover(Layout(root).out), commit=commit(root, "Seal the labels"))
    bare = tmp_path / "remote.git"
    git(root, "init", "--quiet", "--bare", str(bare))
    git(root, "remote", "add", "origin", str(bare))
    return root


def clones(root: Path, folder: Path, edits) -> list[Path]:
    """Copies of a repository that share its remote, each with predictions of its own."""
    made = []
    for number, edit in enumerate(edits):
        (folder / str(number)).mkdir()
        made.append(copy(root, folder / str(number)))
        if edit:
            rewrite_predictions(Handover(Layout(made[-1]).out), edit)
    return made


def start(root: Path) -> subprocess.Popen[str]:
    """Begin to score in a session of its own, so that all of it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "assay", "score", "--remote", "origin"],
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def score_all(roots: list[Path]) -> list[tuple[int, str]]:
    """Score them all at the same time; gives exit codes and what was printed."""
    running = [start(root) for root in roots]
    ended = [process.communicate(timeout=LONGEST * RUNS) for process in running]
    return [(p.returncode, "".join(told)) for p, told in zip(running, ended, strict=True)]


def kinds_of(ledger: Ledger) -> tuple[list[Intent], list[DecisionEntry]]:
    """The uses of a ledger, and the decisions on them."""
    intents = [entry for entry in ledger.entries if isinstance(entry, Intent)]
    decisions = [entry for entry in ledger.entries if isinstance(entry, DecisionEntry)]
    return intents, [entry for entry in decisions if entry.use is not None]


def test_different_candidates_at_once_take_one_use_each(shared, tmp_path):
    """Four processes, four candidates, one remote: uses 1 to 4, each at the level that is due."""
    roots = clones(shared, tmp_path, [perturbed(1e-6, seed) for seed in range(RUNS)])
    assert [code for code, _ in score_all(roots)] == [0] * RUNS
    ledger = read_ledger(shared, "origin")
    intents, decisions = kinds_of(ledger)
    assert [entry.use for entry in intents] == [1, 2, 3, 4]
    assert sorted(entry.use for entry in decisions) == [1, 2, 3, 4]
    assert len({entry.predictions_digest for entry in intents}) == RUNS
    assert list(replay_lines(ledger)) == list(replay_files(ledger, ledger.files())) == []


def test_same_predictions_at_once_cost_one_use(shared, tmp_path):
    """Three processes with the same predictions: one use, one decision on it, one answer."""
    ended = score_all(clones(shared, tmp_path, [None] * 3))
    assert [code for code, _ in ended] == [0] * 3, ended
    ledger = read_ledger(shared, "origin")
    intents, decisions = kinds_of(ledger)
    assert (len(intents), len(decisions)) == (1, 1)
    outcomes = [entry.outcome for entry in ledger.entries if isinstance(entry, DecisionEntry)]
    assert set(outcomes) == {"PASS"}
    assert list(replay_lines(ledger)) == []


HOOK = """#!/bin/sh
read old new ref
if [ -e "$0.armed" ] && git show "$new:ledger.jsonl" | tail -n 1 | grep -q '"kind":"{kind}"'; then
  touch "$0.waiting"
  sleep {longest}
  exit 1
fi
exit 0
"""


def kill_before(root: Path, kind: str) -> None:
    """Score, and kill everything that belongs to it when a line of this kind is being written."""
    hook = root.parents[1] / "remote.git" / "hooks" / "pre-receive"
    hook.write_text(HOOK.format(kind=kind, longest=LONGEST))
    hook.chmod(0o755)
    armed, waiting = hook.with_name("pre-receive.armed"), hook.with_name("pre-receive.waiting")
    armed.touch()
    running, patience = start(root), time.monotonic() + LONGEST
    while not waiting.exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < patience, "the line was never written"
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    armed.unlink()
    waiting.unlink()


def test_run_killed_before_its_decision_is_written_has_spent_a_use(shared, tmp_path):
    """SIGKILL after the labels were opened: the use counts, and the same question finishes it."""
    kill_before(shared, "decision")
    digest = sealed_digest(Layout(shared))
    ledger = read_ledger(shared, "origin")
    assert [entry.kind for entry in ledger.entries] == ["intent"]
    assert ledger.budget(digest) == Budget(1, 1)
    (other,) = clones(shared, tmp_path, [perturbed(1e-6)])
    assert assay(other, "score", "--remote", "origin").returncode == 0
    assert assay(shared, "score", "--remote", "origin").returncode == 0
    ledger = read_ledger(shared, "origin")
    intents, decisions = kinds_of(ledger)
    assert [(entry.use, entry.disagreements) for entry in intents] == [(1, 0), (2, 1)]
    assert Counter(entry.use for entry in decisions) == {1: 1, 2: 1}
    assert ledger.budget(digest).disagreements == 0
    assert list(replay_lines(ledger)) == []


def test_run_killed_before_its_use_is_written_has_spent_nothing(shared):
    """SIGKILL before the intent arrived: no label met a prediction, and nothing is on record."""
    kill_before(shared, "intent")
    assert read_ledger(shared, "origin").entries == ()
    assert assay(shared, "score", "--remote", "origin").returncode == 0
    intents, decisions = kinds_of(read_ledger(shared, "origin"))
    assert ([entry.use for entry in intents], len(decisions)) == ([1], 1)
