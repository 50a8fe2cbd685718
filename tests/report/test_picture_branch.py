"""The branch of the pictures: what is put on it, who wins, and what is told where nobody can."""

from pathlib import Path

import pytest

from assay import commits
from assay.commits import Branch, commit
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, digest_tree
from assay.report import images
from assay.report.images import ATTEMPTS, BRANCH, Image, exhibit
from toy import git

ADDRESS = "https://github.invalid/group/toy"


@pytest.fixture
def remote(tmp_path: Path, laptop) -> Path:
    """A bare repository with a branch main."""
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(work, "clone", "--quiet", "--bare", ".", str(tmp_path / "remote.git"))
    return tmp_path / "remote.git"


@pytest.fixture
def root(remote: Path, tmp_path: Path) -> Path:
    """A checkout of depth 1, as workflows make it."""
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{remote}", "checkout")
    return tmp_path / "checkout"


def drawn(*contents: bytes) -> list[Image]:
    """Pictures called `0.png`, `1.png` and so on."""
    return [Image(f"{n}.png", f"words {n}", content) for n, content in enumerate(contents)]


def push(remote: Path, scratch: Path, content: bytes) -> str:
    """What another run does in the meantime."""
    scratch.mkdir()
    git(scratch, "init", "--quiet", "--bare")
    branch = Branch(scratch, BRANCH, str(remote))
    old = branch.head()
    new = commit(scratch, old, {"0.png": content}, "other", alone=True)
    assert branch.move(old, new)
    return new


def test_pictures_are_linked_by_the_commit_that_holds_them(root, remote):
    """Each address names commit and file, with the words beside it, in the order given."""
    shown = exhibit(root, drawn(b"one", b"two"), ADDRESS)
    head = git(remote, "rev-parse", BRANCH)
    assert [one.address for one in shown] == [
        f"{ADDRESS}/blob/{head}/{n}.png?raw=true" for n in (0, 1)
    ]
    assert [one.words for one in shown] == ["words 0", "words 1"]
    assert [git(remote, "show", f"{head}:{n}.png") for n in (0, 1)] == ["one", "two"]


def test_commit_holds_its_own_pictures_and_earlier_ones_stay(root, remote):
    """The branch is one run's pictures to check out, and older links still lead somewhere."""
    exhibit(root, drawn(b"a", b"b"), ADDRESS)
    exhibit(root, drawn(b"c"), ADDRESS)
    assert git(remote, "ls-tree", "-r", "--name-only", BRANCH) == "0.png"
    assert git(remote, "show", f"{BRANCH}^:1.png") == "b"
    assert git(remote, "rev-list", "--count", BRANCH) == "2"


def test_branch_shares_no_commit_with_main(root, remote):
    """It is an orphan; main and the ledger's branch are as they were."""
    before = git(remote, "rev-parse", "main")
    exhibit(root, drawn(b"a"), ADDRESS)
    assert before not in git(remote, "rev-list", BRANCH).split()
    refs = git(remote, "for-each-ref", "--format=%(refname)").split()
    assert refs == [f"refs/heads/{BRANCH}", "refs/heads/main"]
    assert git(remote, "rev-parse", "main") == before


def test_checkout_is_not_touched(root, tmp_path, monkeypatch):
    """Nothing is fetched into it or left in it, and no temporary repository stays."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(commits.tempfile, "tempdir", str(scratch))
    before = digest_tree(root / ".git")
    exhibit(root, drawn(b"a"), ADDRESS)
    exhibit(root, drawn(b"b"), ADDRESS)
    assert digest_tree(root / ".git") == before
    assert digest_tree(scratch) == digest_bytes(b"")


def test_branch_that_moved_is_asked_again(root, remote, tmp_path, monkeypatch):
    """A push that lost the race is made anew on top of the winner's; both keep their pictures."""
    genuine, won = images.commit, []

    def slow(*given, **options):
        made = genuine(*given, **options)
        if len(won) < ATTEMPTS - 1:
            won.append(push(remote, tmp_path / f"other{len(won)}", f"{len(won)}".encode()))
        return made

    monkeypatch.setattr(images, "commit", slow)
    exhibit(root, drawn(b"mine"), ADDRESS)
    chain = git(remote, "rev-list", "--reverse", BRANCH).split()
    assert chain[:-1] == won
    assert git(remote, "show", f"{chain[-1]}:0.png") == "mine"


def test_contention_ends(root, remote, tmp_path, monkeypatch):
    """After some attempts it is given up, in a sentence, and nothing was forced."""
    genuine, won = images.commit, []

    def overtaken(*given, **options):
        made = genuine(*given, **options)
        won.append(push(remote, tmp_path / f"other{len(won)}", f"{len(won)}".encode()))
        return made

    monkeypatch.setattr(images, "commit", overtaken)
    with pytest.raises(NotCarriedOutError, match=f"{BRANCH} at each of {ATTEMPTS} attempts"):
        exhibit(root, drawn(b"mine"), ADDRESS)
    assert git(remote, "rev-list", "--reverse", BRANCH).split() == won


def test_refused_push_says_what_refused_it(root, remote):
    """A ruleset, a read-only token: not carried out, at the first attempt."""
    hook = remote / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho tried >> tried\necho 'Cannot create ref' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(NotCarriedOutError, match=rf"for the branch {BRANCH}: .*hook declined"):
        exhibit(root, drawn(b"a"), ADDRESS)
    assert (remote / "tried").read_text().splitlines() == ["tried"]


def test_missing_remote_is_not_carried_out(root):
    """A checkout without origin, or with one that is gone, is told of."""
    with pytest.raises(NotCarriedOutError, match="git remote failed"):
        exhibit(root, drawn(b"a"), ADDRESS, "elsewhere")
    git(root, "remote", "set-url", "origin", "/nowhere.git")
    with pytest.raises(NotCarriedOutError, match="ls-remote failed"):
        exhibit(root, drawn(b"a"), ADDRESS)


def test_token_is_in_the_environment_alone(root, monkeypatch):
    """Neither on a command line nor in the temporary repository."""
    seen: list[list[str]] = []
    genuine = commits.subprocess.run

    def watched(command, **options):
        seen.append(command)
        assert options["env"]["GIT_CONFIG_KEY_0"] == "http.https://host.invalid/.extraheader"
        return genuine(command, **options)

    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://host.invalid")
    monkeypatch.setattr(commits.subprocess, "run", watched)
    exhibit(root, drawn(b"a"), ADDRESS)
    assert seen
    assert not any("ghs_secret" in part for command in seen for part in command)
