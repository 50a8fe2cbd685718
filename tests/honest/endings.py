"""Takes an honest change through the verbs of a pull request, and says how it ended."""

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gauntlet.base import git
from honest.changes import Change
from honest.example import HELD_BACK, VERBS
from honest.verbs import carry_out

GROUP = "group/model"
PASSED = {"PASS", "PASS without labels"}


@dataclass(frozen=True)
class Ending:
    """How a change ended.

    `ended` is `PASS without labels`, `PASS`, `INCONCLUSIVE`, `FAIL`, or the verb that stopped it;
    `by` has the rules or properties that did, `said` the last line that was printed.
    """

    ended: str
    by: list[str]
    said: str
    seconds: float = field(default=0.0, compare=False)

    def as_json(self) -> dict[str, object]:
        """For the record; without the time, which differs."""
        return {key: value for key, value in asdict(self).items() if key != "seconds"}


def run(change: Change, base: Path, folder: Path) -> Ending:
    """Make the change on a clone of the base and carry out the verbs one by one.

    Args:
        change: the pull request.
        base: the certified repository; its ledger is put back afterwards.
        folder: an empty folder to work in.
    """
    start, pull = time.monotonic(), folder / "pull"
    git(base, "clone", "--quiet", str(base), str(pull))
    shutil.copy(base / ".git" / HELD_BACK, pull / ".git")
    git(pull, "switch", "--quiet", "--create", "idea")
    change.apply(pull)
    git(pull, "add", "--all")
    git(pull, "commit", "--quiet", "--allow-empty", "--message", change.message)
    for verb in VERBS[:-1]:
        code, said = carry_out(pull, verb)
        if code:
            return _ending(verb, _rules(pull / "out", verb), said, start)
    return _scored(base, pull, start)


def _scored(base: Path, pull: Path, start: float) -> Ending:
    run_of = {
        "event": "pull_request",
        "head_branch": "idea",
        "head_sha": git(pull, "rev-parse", "HEAD"),
        "head_repository": {"full_name": GROUP},
    }
    event = pull.parent / "event.json"
    event.write_text(json.dumps({"workflow_run": run_of}))
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": GROUP}
    ledger = git(base, "rev-parse", "assay-ledger")
    try:
        code, said = carry_out(
            base,
            "score",
            "--handover",
            str(pull / "out"),
            GITHUB_EVENT_PATH=str(event),
            **variables,
        )
    finally:
        # each change meets the ledger that the base has, and its unspent budget
        git(base, "update-ref", "refs/heads/assay-ledger", ledger)
    path = pull / "out" / "verdict.json"
    if not path.is_file():
        return _ending("score", [], said, start)
    verdict = json.loads(path.read_text())
    unchanged = " without labels" if verdict["stage"] == "unchanged" else ""
    reason = [verdict["reason"]] if verdict.get("reason") else []
    return _ending(f"{verdict['outcome']}{unchanged}", reason, said if code else "", start)


def _ending(ended: str, by: list[str], said: str, start: float) -> Ending:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # without where the change was made, which differs
    last = re.sub(r"/\S*/pull/", "", lines[-1])[:300] if lines else ""
    return Ending(ended, by, last, time.monotonic() - start)


def _rules(out: Path, verb: str) -> list[str]:
    for path in (out / verb).glob("*.json"):
        found = json.loads(path.read_text()).get("findings", [])
        if rules := sorted({one["rule"] for one in found if one["severity"] == "failure"}):
            return rules
    return []
