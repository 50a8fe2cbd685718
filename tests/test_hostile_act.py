"""Hostile pull requests through the real workflows, run by act.

One pull request does everything at once that its author can do; main's copy of score.yml then meets
it, and the runs that pretend to be others. docs/explanation/security.md has the table of threats.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from acting import MODEL, TREES, Forge, Pull, Run, edit, sealed_forge
from assay.ledger.entries import DecisionEntry
from assay.ledger.record import read_ledger
from conftest import commit, git
from environments import exchange_machinery
from inert import HOSTILE, assert_inert
from trusted_job import commands

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly("the other test_hostile_*.py attack on every push, without act"),
]

WORKFLOWS = Path(".github", "workflows")
KEY = "${{ secrets.ASSAY_SEALING_KEY }}"
MARGIN = "margin = 1000.0"
# the characters that git lets a branch have, and a shell would act on
BRANCH = "main;touch${IFS}owned-1;`touch${IFS}owned-2`$(touch${IFS}owned-3)<img>'\"&|"
TITLE = f"'; touch owned-4; $(touch owned-5) {' '.join(HOSTILE)}\n::error::forged"
FILE = "$(touch owned-6)<img src=x onerror=alert(1)>@octocat.csv"
FORGED_GATE = '''

def decide(*_):  # noqa
    """Whatever it is, it passes."""
    return Decision("PASS", "sealed", "forged by the author")
'''
FORGED_CARD = f'''

def _estimator_name(_):  # noqa
    """Words that are no name."""
    return {HOSTILE[1] + HOSTILE[0]!r}
'''
FORGED_RULES = '''

def settings_suites(*_):  # noqa
    """Nothing that anybody need look at."""
    return iter(())
'''
FORGED_KEPT = '''

def kept_suites(*_):  # noqa
    """No file that belongs to main."""
    return iter(())
'''
RAN = "a module beside the packages ran"
PLANTED = f"import sys\nprint({RAN!r}, file=sys.stderr)\n"
ATTACKERS_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


def attack(work: Path) -> None:
    """Everything at once: workflows, policy, ledger, certificate's key, lock, machinery, model."""
    read_the_key_in_its_own_jobs(work)
    imitation = (work / WORKFLOWS / "gate.yml").read_text()
    (work / WORKFLOWS / "imitation.yml").write_text(imitation)
    edit(
        "assay.toml", re.findall(r"margin = [\d.]+", (work / "assay.toml").read_text())[0], MARGIN
    )(work)
    (work / "ledger.jsonl").write_text('{"kind": "decision", "outcome": "PASS"}\n')
    (work / "certificate.json").write_text("{}")
    (work / "certificate.pub").write_text(ATTACKERS_KEY)
    append(work / "requirements.lock", "# other versions\n")
    forged = {"gate/decision": FORGED_GATE, "schema/settings_rules": FORGED_RULES}
    forged |= {"model/training": FORGED_CARD, "schema/kept_rules": FORGED_KEPT}
    exchange_machinery(work, {f"{name}.py": ("", text) for name, text in forged.items()})
    for folder in (work, work / "src"):
        (folder / "sitecustomize.py").write_text(PLANTED)
    (work / "data" / "candidates" / FILE).write_text("formula\nNe\n")
    # no better than the mean, which is what it is compared with
    forest = re.findall(r"BaggingRegressor\(.*?\n    \)", (work / MODEL).read_text(), re.DOTALL)[0]
    edit(MODEL, forest, "DummyRegressor()")(work)
    edit(
        MODEL,
        "sklearn.ensemble import BaggingRegressor",
        "sklearn.dummy import DummyRegressor",
    )(work)


def read_the_key_in_its_own_jobs(work: Path) -> None:
    """Print the key in score.yml, and in a job of gate.yml that names the environment."""
    score = (
        'run: .venv/bin/assay score --handover "$RUNNER_TEMP/handover" --remote origin --publish'
    )
    edit(WORKFLOWS / "score.yml", score, 'run: echo "stolen=<$ASSAY_SEALING_KEY>"')(work)
    edit(
        WORKFLOWS / "gate.yml",
        "    permissions: {}\n    steps:\n",
        "    permissions: {}\n    environment: heldout\n    steps:\n"
        f"      - env: {{ KEY: '{KEY}', TITLE: '${{{{ github.event.pull_request.title }}}}' }}\n"
        '        run: echo "stolen=<$KEY>"\n',
    )(work)


def append(path: Path, text: str) -> None:
    """Add text at the end of a file."""
    path.write_text(path.read_text() + text)


@pytest.fixture(scope="module")
def world(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A small, sealed model repository on the stand-in of GitHub, with nothing certified."""
    with sealed_forge(rendered, tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture(scope="module")
def attacked(world: Forge) -> tuple[Pull, Run, Run]:
    """The hostile pull request, its own gate, and main's scoring of it."""
    pull = world.open_pull(BRANCH, attack, f"{TITLE}\n\nAssay-Claim: improvement\n<script>")
    gate = world.gate(pull, TITLE)
    return pull, gate, world.score(gate)


@pytest.fixture(scope="module")
def mains(world: Forge, attacked: tuple[Pull, Run, Run]) -> Run:
    """A gate's run of main that nothing has scored yet, of a model that passes."""
    assert attacked[1].jobs
    return world.gate()


def certified(world: Forge) -> list[bool]:
    """Whether each decision on the ledger certified its model."""
    entries = read_ledger(world.clone(), "origin").entries
    return [entry.certified for entry in entries if isinstance(entry, DecisionEntry)]


def test_pull_request_that_edits_everything_gets_mains_verdict(
    world: Forge, attacked: tuple[Pull, Run, Run]
):
    """Its own gate is green, as it may make it; main's code, policy and ledger decide."""
    pull, gate, scored = attacked
    assert gate.conclusion == "success", gate.log
    assert scored.jobs == {"score": "failure"}, scored.log
    (status,) = world.statuses(pull.sha)
    assert status["state"] == "failure"
    assert "forged" not in status["description"]
    assert RAN in gate.log  # which `make setup` puts on the path, and nothing holds a key there
    assert RAN not in scored.log
    (comment,) = world.comments(pull)
    assert "forged by the author" not in comment["body"]
    assert MARGIN not in scored.log
    assert "margin 0.0" in scored.log
    assert certified(world) == [False]
    assert world.releases() == {}


def test_pull_request_that_prints_the_key_has_none(world: Forge, attacked: tuple[Pull, Run, Run]):
    """Its own jobs get no secret, and its copy of score.yml is not the one that runs."""
    pull, gate, scored = attacked
    assert "stolen=<>" in gate.log
    assert "stolen" not in scored.log
    theirs = world.score(gate, ref=f"refs/pull/{pull.number}/merge", head_sha="e" * 40)
    assert "stolen=<>" in theirs.log  # so it would show if that copy ran, and still without the key
    assert not any(secret.strip() in gate.log + scored.log for secret in world.secrets.values())


def test_hostile_branch_title_and_file_names_are_never_run(
    world: Forge, attacked: tuple[Pull, Run, Run]
):
    """No shell, runner or reader of the comment acts on what the author named."""
    pull, _, scored = attacked
    assert not list(world.folder.rglob("owned*"))
    assert not commands(re.sub(r"^\[.*?\] ", "", scored.log, flags=re.MULTILINE))
    (comment,) = world.comments(pull)
    link = re.search(r"\((https://\S+/actions/runs/\d+)\)", comment["body"])
    assert_inert(comment["body"], link and link[1])
    page = world.artifacts / str(scored.number) / "report" / "index.html"
    assert not re.search(r"<(script\s|img\b)", page.read_text())


def test_imitation_of_the_gate_is_not_scored(world: Forge, attacked: tuple[Pull, Run, Run]):
    """Another file under the gate's name starts no job, for success as for failure."""
    pull, gate, _ = attacked
    before = world.statuses(pull.sha)
    imitation = ".github/workflows/imitation.yml"
    for conclusion in ("success", "failure"):
        told = world.score(gate, path=imitation, conclusion=conclusion)
        assert set(told.jobs.values()) <= {"skipped"}, told.log
    assert world.statuses(pull.sha) == before


def test_verdict_after_a_forced_push_is_the_checked_commits(
    world: Forge, attacked: tuple[Pull, Run, Run]
):
    """The commit that came between check and score gets neither status nor comment."""
    pull, gate, _ = attacked
    comments, statuses = world.comments(pull), world.statuses(pull.sha)
    world.force_push(pull, "d" * 40)
    assert world.score(gate).jobs == {"score": "failure"}
    assert world.comments(pull) == comments
    assert world.statuses("d" * 40) == []
    assert len(world.statuses(pull.sha)) == len(statuses) + 1


def test_fork_certifies_nothing_and_each_commit_of_main_does(world: Forge, mains: Run):
    """A fork's branch called main opens no labels; a commit of main is certified, late or not."""
    assert mains.conclusion == "success", mains.log
    fork = {"event": "pull_request", "head_repository": {"full_name": "stranger/model"}}
    scored = world.score(mains, head_branch="main", **fork)
    assert scored.jobs == {"score": "failure"}, scored.log
    assert "a pull request from a fork opens no sealed labels" in scored.log
    assert (certified(world)[-1], world.releases()) == (False, {})
    strangers = world.score(mains, head_repository={"full_name": "stranger/model"})
    assert set(strangers.jobs.values()) <= {"skipped"}
    newer(world)
    late = world.score(mains)
    assert late.jobs == {"score": "success"}, late.log
    assert certified(world)[-1]
    assert len(world.releases()) == 1


def newer(world: Forge) -> None:
    """Put one more commit on main."""
    work = world.clone()
    edit(MODEL, TREES, TREES + " + 0")(work)
    commit(work, "Change nothing")
    git(work, "push", "--quiet", "origin", "main")
