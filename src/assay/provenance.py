"""Where a run stands: commit, branch, claim, and the digests that name its inputs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, digest_file

NO_COMMIT = "uncommitted"


def git(root: Path, *arguments: str) -> str | None:
    """What git prints, stripped, or None where it fails (no repository, no such ref).

    Raises:
        NotCarriedOutError: as `git_bytes`.
    """
    printed = git_bytes(root, *arguments)
    # a commit message may be in any encoding
    return None if printed is None else printed.decode(errors="replace").strip()


def git_bytes(root: Path, *arguments: str) -> bytes | None:
    """What git prints, to the byte, or None where it fails.

    Raises:
        NotCarriedOutError: there is a repository, and git is missing or refuses to read it.
    """
    try:
        process = _run(root, *arguments)
        if process.returncode == 0:
            return process.stdout
        refused = _run(root, "rev-parse", "--git-dir")
        told = refused.stderr.decode(errors="replace") if refused.returncode else None
    except OSError as error:
        told = f"git cannot be started ({error.strerror})"
    if told is not None:
        _require_no_repository(root, told)
    return None


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=False)


def _require_no_repository(root: Path, told: str) -> None:
    """Insist that git has nothing to say of a folder because there is no repository."""
    folder = next((one for one in (root, *root.parents) if (one / ".git").exists()), None)
    if folder is None:
        return
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    ways = [f"run `{line}`" for line in lines if line.startswith("git config")]
    way = (*ways, "install git, or run this where it may read the folder")[0]
    why = "".join(lines[:1]).removeprefix("fatal: ") or "no message"
    raise NotCarriedOutError(
        f"{folder} is a git repository that git does not read here, so nothing can be compared "
        f"with what was committed ({why}): {way}.",
        code="git.refused",
    )


def commit_of(root: Path) -> str:
    """The commit checked out, with `+changes` when tracked files differ from it."""
    commit = git(root, "rev-parse", "HEAD")
    if commit is None:
        return NO_COMMIT
    return commit + ("+changes" if git(root, "status", "--porcelain", "-uno") else "")


def short_commit(commit: str) -> str:
    """Twelve digits of a commit, and `+changes` where it was not quite that commit."""
    name, plus, changes = commit.partition("+")
    return name[:12] + plus + changes


def branch_of(root: Path) -> str | None:
    """The branch checked out, or None on a detached head."""
    return git(root, "symbolic-ref", "--short", "HEAD")


def lock_digest(root: Path) -> str:
    """SHA-256 of `requirements.lock`, or of nothing where there is none."""
    lock = root / "requirements.lock"
    return digest_file(lock) if lock.is_file() else digest_bytes(b"")


def repository_url() -> str | None:
    """The address of the repository, in Actions."""
    parts = [os.environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
    return f"{parts[0]}/{parts[1]}" if all(parts) else None


def run_url() -> str | None:
    """The address of the workflow run, in Actions."""
    repository, run = repository_url(), os.environ.get("GITHUB_RUN_ID")
    return f"{repository}/actions/runs/{run}" if repository and run else None


def correlation_id(*parts: str) -> str:
    """An id that equal parts share: `asy-` and the first 16 digits of their SHA-256."""
    return f"asy-{digest_bytes(chr(10).join(parts).encode())[:16]}"


def triggering_run_url() -> str | None:
    """The address of the run that this workflow was started by, whose artifacts are the checks'."""
    try:
        number = int(triggering_run()["id"])
    except (NotCarriedOutError, KeyError, TypeError, ValueError):
        return None
    own = run_url()
    return f"{own.rpartition('/')[0]}/{number}" if own else None


def triggering_run() -> dict[str, Any]:
    """What GitHub says of the run that this workflow was started by (`workflow_run`).

    Raises:
        NotCarriedOutError: not in a workflow, or in one that was started otherwise.
    """
    try:
        run = event()["workflow_run"]
        return {**run, "head_sha": str(run["head_sha"])}
    except (KeyError, TypeError):
        raise NotCarriedOutError(
            "--post works only in a workflow that workflow_run started: GITHUB_EVENT_PATH names no "
            "such event; leave --post out.",
            code="github.wrong-event",
        ) from None


def event() -> dict[str, Any]:
    """What GitHub says of the event that started this workflow; empty where that is not known."""
    try:
        found = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, ValueError, OSError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
