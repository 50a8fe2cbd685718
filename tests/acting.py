"""Runs a model repository's real workflows under act, on a stand-in of GitHub.

The stand-in is a bare git repository, a server of the REST API on loopback, a folder of
artifacts, and act, which runs every job on this machine. What the marketplace actions do is done
by tests/stand_ins. act knows neither environments nor permissions: secrets are given to main's
copies of the workflows that hold some, as the environment's rule for branches would have it, and
the static tests say who may name them.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from conftest import commit, git, shorten
from environments import make_environment
from github_server import GithubServer
from programs import program, run
from workflow_rules import HOLDERS, parse, read_texts

STAND_INS = Path(__file__).parent / "stand_ins"
NAME = "group/model"
GATE = ".github/workflows/gate.yml"

MODEL = Path("src", "formation_enthalpy", "model.py")
KEYS = {"ASSAY_SEALING_KEY": "sealing.key", "ASSAY_SIGNING_KEY": "signing.key"}
TREES = "n_estimators=20"
SIZES = {
    "train.csv": 600,
    "sealed_inputs.csv": 300,
    "sealed_labels.csv": 300,
    "pool.csv": 3000,
    "candidates/transport.csv": 60,
}

Change = Callable[[Path], None]


@dataclass(frozen=True)
class Run:
    """A finished workflow run: the results of the jobs that ran, and everything they printed."""

    number: int
    event: str
    branch: str
    sha: str
    jobs: dict[str, str]
    log: str

    @property
    def conclusion(self) -> str:
        """What GitHub would call the run as a whole."""
        return "success" if set(self.jobs.values()) <= {"success", "skipped"} else "failure"


@dataclass(frozen=True)
class Pull:
    """An open pull request: its number, its branch and the commit it proposes."""

    number: int
    branch: str
    sha: str


def pinned_actions(root: Path) -> Iterator[tuple[str, Path]]:
    """Each marketplace action of a repository's workflows with the folder of its stand-in."""
    for workflow in parse(read_texts(root)).values():
        for _, step in workflow.steps:
            if "@" in step.get("uses", ""):
                name = step["uses"].split("@")[0].rpartition("/")[2]
                yield step["uses"], STAND_INS / name


@dataclass
class Forge:
    """The stand-in of GitHub for one repository; everything lies in `folder`.

    Workflows may run side by side, in threads; pull requests are opened one after the other.
    """

    folder: Path
    server: GithubServer
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    runs: int = 100
    pulls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.folder / "origin.git"

    @property
    def artifacts(self) -> Path:
        """Uploaded artifacts: a folder for each run, in it one for each name."""
        return self.folder / "artifacts"

    @property
    def state(self) -> Path:
        """What the API server was told."""
        return self.folder / "state"

    @cached_property
    def environment(self) -> Path:
        """A virtual environment with the machinery of main, as a laptop has it."""
        return make_environment(self.clone(), self.folder / "environment")

    def told(self, name: str) -> Any:
        """What the API server keeps under a name, such as statuses."""
        path = self.state / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def statuses(self, sha: str) -> list[dict[str, Any]]:
        """The statuses set on a commit, oldest first."""
        return self.told("statuses").get(sha, [])

    def comments(self, pull: Pull) -> list[dict[str, Any]]:
        """The comments of a pull request."""
        return self.told("comments").get(str(pull.number), [])

    def clone(self, ref: str = "main") -> Path:
        """A fresh working copy of the repository at a ref, with no history of other runs."""
        with self.lock:
            folder = self.folder / "clones" / str(len(list((self.folder / "clones").glob("*"))))
            folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "remote", "add", "origin", f"file://{self.origin}")
        git(folder, "fetch", "--quiet", "origin", ref)
        git(folder, "checkout", "--quiet", "-B", ref if "/" not in ref else "work", "FETCH_HEAD")
        return folder

    def open_pull(self, branch: str, change: Change, message: str = "Propose a change") -> Pull:
        """Propose a change of main on a branch; the merge of both stands ready, as on GitHub."""
        self.pulls += 1
        work = self.clone()
        git(work, "checkout", "--quiet", "-b", branch)
        change(work)
        sha = commit(work, message)
        git(work, "checkout", "--quiet", "main")
        git(work, "merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        refs = [f"{branch}:refs/heads/{branch}", f"main:refs/pull/{self.pulls}/merge"]
        git(work, "push", "--quiet", "origin", *refs)
        pull = Pull(self.pulls, branch, sha)
        self._list(pull, "open")
        return pull

    def force_push(self, pull: Pull, sha: str) -> None:
        """Put a pull request on another commit."""
        self._list(replace(pull, sha=sha), "open")

    def _list(self, pull: Pull, state: str) -> None:
        listed = [one for one in self.told("pulls") or [] if one["number"] != pull.number]
        head = {"sha": pull.sha, "ref": pull.branch}
        entry = {"number": pull.number, "state": state, "head": head, "base": {"ref": "main"}}
        (self.state / "pulls.json").write_text(json.dumps([*listed, entry]))

    def merge(self, pull: Pull) -> str:
        """Squash a pull request into main; gives main's new commit, which no run has seen yet."""
        work = self.clone()
        git(work, "fetch", "--quiet", "origin", f"{pull.branch}:{pull.branch}")
        git(work, "merge", "--quiet", "--squash", pull.branch)
        sha = commit(work, f"Merge {pull.branch} as one commit")
        git(work, "push", "--quiet", "origin", "main")
        self._list(pull, "closed")
        return sha

    def releases(self) -> dict[str, dict[str, Path]]:
        """The releases by tag, each with the places of its files by name."""
        assets = self.state / "assets"
        return {
            release["tag_name"]: {one["name"]: assets / str(one["id"]) for one in release["assets"]}
            for release in self.told("releases") or []
        }

    def tamper(self, tag: str, name: str, content: bytes) -> None:
        """Replace a file of a release, as somebody can who may write releases."""
        self.releases()[tag][name].write_bytes(content)
        listed = self.told("releases")
        for asset in next(one for one in listed if one["tag_name"] == tag)["assets"]:
            if asset["name"] == name:
                asset["size"] = len(content)
        (self.state / "releases.json").write_text(json.dumps(listed))

    def act(self, workflow: str, event: str, payload: dict[str, Any], ref: str) -> Run:
        """Run a workflow as it stands at a ref; secrets are there for what writes on main only."""
        with self.lock:
            self.runs += 1
            number = self.runs
        work = self.clone(ref)
        (work.parent / f"event-{number}.json").write_text(json.dumps(payload))
        done = subprocess.run(
            self._command(work, workflow, event, number, secret=ref == "main"),
            cwd=work,
            env={**os.environ, "PATH": self._path(), "HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        log, jobs = read_log(done.stdout)
        head = payload.get("pull_request", {}).get("head", {})
        branch = head.get("ref") or payload.get("ref", "refs/heads/main").removeprefix(
            "refs/heads/"
        )
        sha = head.get("sha") or git(work, "rev-parse", "HEAD")
        return Run(number, event, branch, sha, jobs, log + done.stderr)

    def _path(self) -> str:
        return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def _command(
        self, work: Path, workflow: str, event: str, number: int, *, secret: bool
    ) -> list[str]:
        variables = {
            "GITHUB_API_URL": self.server.url,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_RUN_ID": str(number),
            "STAND_IN_ORIGIN": str(self.origin),
            "STAND_IN_ARTIFACTS": str(self.artifacts),
            "STAND_IN_PYTHON": sys.executable,
            "STAND_IN_MAKER": str(STAND_INS.with_name("environments.py")),
        }
        secrets = self.secrets if secret and workflow in HOLDERS else {}
        secret_file = work.parent / f"secrets-{number}"
        secret_file.write_text("".join(f"{key}={json.dumps(v)}\n" for key, v in secrets.items()))
        actions = dict(pinned_actions(work))
        return [
            *(program("act"), event, "--json", "--no-cache-server", "--action-offline-mode"),
            *("--directory", str(work), "--workflows", f".github/workflows/{workflow}"),
            *("--eventpath", str(work.parent / f"event-{number}.json")),
            *("--platform", "ubuntu-24.04=-self-hosted"),
            *("--defaultbranch", "main", "--no-skip-checkout"),
            *("--action-cache-path", str(self.folder / "act")),
            *("--secret-file", str(secret_file), "--secret", "GITHUB_TOKEN=token-of-the-run"),
            *(part for item in variables.items() for part in ("--env", "=".join(item))),
            *(
                part
                for one in actions.items()
                for part in ("--local-repository", f"{one[0]}={one[1]}")
            ),
        ]

    def gate(self, pull: Pull | None = None, title: str = "A change") -> Run:
        """Run gate.yml: for a pull request its own copy, else main's."""
        if pull is None:
            return self.act("gate.yml", "push", {"ref": "refs/heads/main"}, "main")
        payload = {
            "number": pull.number,
            "pull_request": {
                "number": pull.number,
                "title": title,
                "body": title,
                "head": {"ref": pull.branch, "sha": pull.sha},
                "base": {"ref": "main"},
            },
        }
        return self.act("gate.yml", "pull_request", payload, f"refs/pull/{pull.number}/merge")

    def score(self, gate: Run, ref: str = "main", **fields: object) -> Run:
        """Run main's score.yml, as GitHub does when a run of the gate has completed.

        `fields` are what GitHub says of that run, where it is another than usual; with `ref`
        another copy of score.yml runs, as never on GitHub.
        """
        payload = {
            "action": "completed",
            "workflow_run": {
                "id": gate.number,
                "name": "Gate",
                "path": GATE,
                "event": gate.event,
                "conclusion": gate.conclusion,
                "head_branch": gate.branch,
                "head_sha": gate.sha,
                "head_repository": {"full_name": NAME},
                **fields,
            },
            "repository": {"full_name": NAME, "visibility": "public"},
        }
        return self.act("score.yml", "workflow_run", payload, ref)

    def revoke(self, branch: str = "main", **inputs: str) -> Run:
        """Dispatch revoke.yml on a branch."""
        payload = {"ref": f"refs/heads/{branch}", "inputs": inputs}
        return self.act("revoke.yml", "workflow_dispatch", payload, branch)

    def predict(self, branch: str = "main", **inputs: str) -> Run:
        """Dispatch predict.yml on a branch."""
        payload = {"ref": f"refs/heads/{branch}", "inputs": inputs}
        return self.act("predict.yml", "workflow_dispatch", payload, branch)


def read_log(text: str) -> tuple[str, dict[str, str]]:
    """All that jobs printed, and their results, from act's JSON lines."""
    lines, jobs = [], {}
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        message = entry.get("msg", "").rstrip()
        if entry.get("stage") not in {"Pre", "Post"} and "RepositoryCache" not in message:
            lines.append(f"[{entry.get('job', '').strip()}] {message}")
        # of the jobs of a matrix, which share an id, one failure is all that counts
        if "jobResult" in entry and jobs.get(entry["jobID"]) != "failure":
            jobs[entry["jobID"]] = entry["jobResult"]
    return "\n".join(lines), jobs


@contextmanager
def forge(folder: Path, repository: Path, secrets: dict[str, str]) -> Iterator[Forge]:
    """A stand-in of GitHub that holds main of this repository."""
    shutil.copytree(repository / ".git", folder / "origin.git")
    git(folder / "origin.git", "config", "core.bare", "true")
    with GithubServer(folder / "state") as server:
        yield Forge(folder, server, secrets)


def edit(file: str | Path, old: str, new: str) -> Change:
    """A change that replaces some text of a file."""

    def change(work: Path) -> None:
        text = (work / file).read_text()
        assert old in text
        (work / file).write_text(text.replace(old, new, 1))

    return change


def make_small(rendered: Path, work: Path) -> Path:
    """A copy of the default repository with little of all, so that a job takes seconds.

    There are just as many rows as its first model needs to pass, ten of the pool a sealed one.
    """
    shutil.copytree(rendered, work)
    for name, rows in SIZES.items():
        shorten(work / "data" / name, rows)
    make_quick(work)
    commit(work, "Make it small")
    return work


def make_quick(work: Path) -> None:
    """Let a repository have few trees, and few examples for each property."""
    edit(MODEL, "n_estimators=150", TREES)(work)
    edit("assay.toml", "examples = 25", "examples = 5")(work)


@contextmanager
def sealed_forge(rendered: Path, folder: Path) -> Iterator[Forge]:
    """A small, sealed model repository on the stand-in of GitHub, with nothing certified."""
    program("act")
    work = make_small(rendered, folder / "work")
    assay = make_environment(work, folder / "first") / "bin" / "assay"
    sealed = run(assay, "init", folder=work)
    assert sealed.returncode == 0, sealed.stderr
    commit(work, "Seal the labels")
    keys = {name: (work / ".assay" / "keys" / file).read_text() for name, file in KEYS.items()}
    with forge(folder, work, keys) as made:
        yield made
