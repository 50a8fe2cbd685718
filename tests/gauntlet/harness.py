"""Runs a planted pull request through the checks and, where it gets that far, the gate."""

import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gauntlet.base import assay, git
from gauntlet.cases import BENCHMARK, GOOD, REFUSED, Case

NAME = "group/model"
CHECKS = ("schema", "sanity")


@dataclass(frozen=True)
class Outcome:
    """What became of a case: by whom it was caught, and what was said last.

    `caught_by` has rules, properties, BENCHMARK or REFUSED; it is empty if everything passed.
    """

    caught_by: list[str]
    verdict: str
    said: str
    seconds: float = field(default=0.0, compare=False)

    def suits(self, case: Case) -> bool:
        """Whether a bad case was caught by the check it names, and a good one by none."""
        return not self.caught_by if case.caught_by == GOOD else case.caught_by in self.caught_by

    def as_json(self) -> dict[str, object]:
        """For the record; without the time, which differs."""
        return {key: value for key, value in asdict(self).items() if key != "seconds"}


def run(case: Case, base: Path, folder: Path) -> Outcome:
    """Plant the case on a clone of the base and take it through both halves.

    Args:
        case: the pull request.
        base: the certified repository; it is only read.
        folder: an empty folder to work in.
    """
    pull = folder / "pull"
    git(base, "clone", "--quiet", str(base), str(pull))
    shutil.copy(base / ".git" / "held_back.csv", pull / ".git")
    git(pull, "switch", "--quiet", "--create", "idea")
    case.change(pull)
    git(pull, "add", "--all")
    git(pull, "commit", "--quiet", "--allow-empty", "--message", case.message)
    checked = assay(pull, "check")
    if checked.returncode:
        return _stopped(pull / "out", checked.returncode, checked.stderr)
    if case.forge is not None:
        case.forge(pull / "out")
    main = folder / "main"
    shutil.copytree(base, main, symlinks=True)
    event = folder / "event.json"
    event.write_text(json.dumps({"workflow_run": _run_of(git(pull, "rev-parse", "HEAD"))}))
    return _scored(main, pull / "out", event)


def _run_of(sha: str) -> dict[str, object]:
    """What GitHub says of the run of a pull request that has completed."""
    return {
        "event": "pull_request",
        "head_branch": "idea",
        "head_sha": sha,
        "head_repository": {"full_name": NAME},
    }


def _stopped(out: Path, code: int, said: str) -> Outcome:
    failed = []
    for check in CHECKS:
        path = out / check / f"{check}.json"
        if path.is_file():
            found = json.loads(path.read_text())["findings"]
            failed += [one["rule"] for one in found if one["severity"] == "failure"]
    caught = sorted(set(failed)) if code == 1 and failed else [REFUSED]
    return Outcome(caught, "", _last(said))


def _scored(main: Path, handed_over: Path, event: Path) -> Outcome:
    workflow = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_EVENT_PATH": str(event),
    }
    done = assay(main, "score", "--handover", str(handed_over), **workflow)
    verdict = handed_over / "verdict.json"
    outcome = json.loads(verdict.read_text())["outcome"] if verdict.is_file() else ""
    caught = {0: [], 1: [BENCHMARK]}.get(done.returncode, [REFUSED])
    return Outcome(caught, outcome, _last(done.stderr or done.stdout))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    # without where the case was planted, which differs
    return re.sub(r"/\S*/(?:pull|main)/", "", lines[-1])[:300] if lines else ""
