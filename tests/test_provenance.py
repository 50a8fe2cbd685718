"""Where a run stands, as git tells."""

import subprocess

import pytest

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.provenance import (
    NO_COMMIT,
    branch_of,
    commit_of,
    correlation_id,
    git,
    lock_digest,
    run_url,
    triggering_run_url,
)


def run(root, *arguments, content=None):
    """Run git as a fixed person; fails loudly."""
    identity = ["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgSign=false"]
    command = ["git", "-C", str(root), *identity, *arguments]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return done.stdout.decode().strip()


def commit(root, message):
    """Make an empty commit with exactly this message."""
    content = message if isinstance(message, bytes) else message.encode()
    run(root, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-", content=content)
    return run(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty repository on main with one tracked file."""
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    run(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "file").write_text("1")
    run(tmp_path, "add", "file")
    return tmp_path


def test_commit(root):
    """The commit is named whole; a changed tracked file is told, an untracked one is not."""
    head = commit(root, "one")
    (root / "untracked").touch()
    assert commit_of(root) == head
    (root / "file").write_text("2")
    assert commit_of(root) == f"{head}+changes"
    run(root, "add", "file")
    assert commit_of(root) == f"{head}+changes"


def test_no_repository(tmp_path, monkeypatch):
    """Outside a repository nothing is known, and nothing fails."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == NO_COMMIT
    assert branch_of(tmp_path) is None


def test_branch(root):
    """The branch has its name; a detached head has none."""
    head = commit(root, "one")
    assert branch_of(root) == "main"
    run(root, "checkout", "-q", head)
    assert branch_of(root) is None


def test_lock(tmp_path):
    """The lock is named by its content, and by that of nothing where there is none."""
    assert lock_digest(tmp_path) == digest_bytes(b"")
    (tmp_path / "requirements.lock").write_text("a==1\n")
    assert lock_digest(tmp_path) == digest_bytes(b"a==1\n")


def test_run_url(monkeypatch):
    """In Actions the run has an address; elsewhere it has none."""
    for name, value in (("SERVER_URL", "https://h"), ("REPOSITORY", "o/r"), ("RUN_ID", "5")):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)
        assert run_url() is None
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert run_url() == "https://h/o/r/actions/runs/5"


def test_correlation_id():
    """Equal parts share an id; other parts, or parts divided otherwise, do not."""
    parts = [("a", "b"), ("b", "a"), ("ab", ""), ("a",), ("a", "b", "")]
    ids = [correlation_id(*each) for each in parts]
    assert len(set(ids)) == len(parts)
    assert ids[0] == correlation_id("a", "b")
    assert all(len(each) == 20 and each.startswith("asy-") for each in ids)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ('{"workflow_run": {"id": 40, "head_sha": "c"}}', "https://github.invalid/a/b/actions/runs/40"),
        ('{"workflow_run": {"id": "x)(", "head_sha": "c"}}', None),
        ('{"workflow_run": {"head_sha": "c"}}', None),
        ("{}", None),
    ],
)  # fmt: skip
def test_address_of_the_run_that_was_scored(tmp_path, monkeypatch, event, found):
    """It stands beside this run's own, and is a number that GitHub gave, or there is none."""
    (tmp_path / "event.json").write_text(event)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.invalid")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    monkeypatch.setenv("GITHUB_RUN_ID", "41")
    assert triggering_run_url() == found


@pytest.fixture
def refused(root, monkeypatch):
    """A repository that git reads and then, as somebody else's, refuses."""
    commit(root, "one")
    assert git(root, "rev-parse", "HEAD")
    monkeypatch.setenv("HOME", str(root / "nobody"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    return root


@pytest.mark.parametrize("below", [".", "data"])
def test_repository_that_git_refuses_is_not_taken_for_none(refused, below):
    """Where git refuses the folder, what it was asked is an error in its own words."""
    (refused / "data").mkdir()
    with pytest.raises(NotCarriedOutError, match=r"dubious ownership.*safe\.directory") as told:
        git(refused / below, "rev-parse", "--verify", "--quiet", "origin/main")
    assert (told.value.code, told.value.exit_code) == ("git.refused", 3)
    with pytest.raises(NotCarriedOutError):
        commit_of(refused)


def test_repository_without_git_is_not_taken_for_none(root, tmp_path_factory, monkeypatch):
    """Where git is not installed, a repository cannot be asked, and a plain folder need not be."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
    with pytest.raises(NotCarriedOutError, match="git cannot be started") as told:
        git(root, "rev-parse", "HEAD")
    assert told.value.code == "git.refused"
    assert git(tmp_path_factory.mktemp("plain"), "rev-parse", "HEAD") is None


def test_damaged_repository_is_not_taken_for_none(root):
    """A `.git` that git cannot read is an error, not a folder without history."""
    (root / ".git" / "HEAD").unlink()
    with pytest.raises(NotCarriedOutError) as told:
        git(root, "rev-parse", "HEAD")
    assert told.value.code == "git.refused"
