"""The branch of the ledger: one winner of every race, and nothing else of the clone is touched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import assay.ledger.branches as module
from assay import commits
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, digest_tree
from assay.ledger.branches import BRANCH, ShortenedError
from assay.ledger.entries import RECORDS, DamagedLedgerError
from assay.ledger.record import LedgerMovedError, read_ledger
from ledger_samples import decision
from toy import git


@pytest.fixture
def root(tmp_path: Path, laptop) -> Path:
    """A git repository with a commit, a changed file and a staged one."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "a.txt").write_text("a")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "a.txt").write_text("changed")
    (folder / "b.txt").write_text("staged")
    git(folder, "add", "b.txt")
    return folder


@pytest.fixture
def remote(root: Path, tmp_path: Path) -> Path:
    """A bare repository that `root` knows as origin."""
    bare = tmp_path / "remote.git"
    git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(root, "remote", "add", "origin", str(bare))
    git(root, "push", "--quiet", "origin", "main")
    return bare


def _names(root: Path, remote: str | None = None) -> list[str]:
    """The models that the ledger decides on."""
    known = {decision(n).bundle_digest: n for n in ("zero", "one", "two", "here", "there")}
    return [known[found.bundle_digest] for found in read_ledger(root, remote).entries]


def test_branch_is_an_orphan_that_only_grows(root):
    """The branch shares no commit with main, and every version begins with the one before."""
    ledger = read_ledger(root)
    for name in ("one", "two", "three"):
        ledger = ledger.append(decision(name))
    versions = git(root, "rev-list", "--reverse", BRANCH).split()
    assert len(versions) == 3
    assert git(root, "rev-list", "--max-parents=0", BRANCH) == versions[0]
    assert versions[0] not in git(root, "rev-list", "main").split()
    texts = [git(root, "show", f"{version}:{RECORDS}") for version in versions]
    assert [len(text.splitlines()) for text in texts] == [1, 2, 3]
    assert texts[2].startswith(texts[1])
    assert texts[1].startswith(texts[0])


def test_work_tree_index_and_head_stay(root):
    """An append touches nothing but the branch: changed and staged files stay what they were."""
    before = (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD"))
    index = (root / ".git" / "index").read_bytes()
    read_ledger(root).append(decision(), {"references/x.csv": b"x"})
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert (root / ".git" / "index").read_bytes() == index
    assert sorted(path.name for path in root.iterdir()) == [".git", "a.txt", "b.txt"]


@pytest.mark.parametrize("started", [False, True])
def test_two_appends_from_one_snapshot_have_one_winner(root, started):
    """Whoever comes second is told, and the first one's entry stays."""
    snapshot = read_ledger(root)
    if started:
        snapshot = snapshot.append(decision("zero"))
    snapshot.append(decision("one"))
    with pytest.raises(LedgerMovedError):
        snapshot.append(decision("two"))
    assert [*_names(root)][-1:] == ["one"]
    read_ledger(root).append(decision("two"))
    assert _names(root)[-2:] == ["one", "two"]


@pytest.mark.parametrize("started", [False, True])
def test_push_race_has_one_winner(root, remote, tmp_path, started):
    """Two clones append from one state: one push arrives, the other is told, none is forced."""
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    if started:
        read_ledger(root, "origin").append(decision("zero"))
    here, there = read_ledger(root, "origin"), read_ledger(tmp_path / "clone", "origin")
    there.append(decision("there"))
    with pytest.raises(LedgerMovedError):
        here.append(decision("here"))
    read_ledger(root, "origin").append(decision("here"))
    assert _names(tmp_path / "clone", "origin")[-2:] == ["there", "here"]


def test_push_that_arrived_without_an_answer_is_not_repeated(root, remote, monkeypatch):
    """A push that reports failure after it arrived counts once."""
    genuine = commits.run_git

    def lossy(folder, *arguments, **options):
        answer = genuine(folder, *arguments, **options)
        if arguments[0] == "push":
            raise NotCarriedOutError("the connection was closed")
        return answer

    monkeypatch.setattr(commits, "run_git", lossy)
    read_ledger(root, "origin").append(decision("one"))
    assert len(read_ledger(root, "origin").entries) == 1


def test_refused_push_is_not_carried_out(root, remote):
    """A remote that takes nothing is an error, not a race."""
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(NotCarriedOutError, match="push failed"):
        read_ledger(root, "origin").append(decision())


def test_reading_a_remote_leaves_a_whole_clone_whole(root, remote, tmp_path):
    """Fetching the ledger does not make a developer's clone shallow or bring tags."""
    ledger = read_ledger(root, "origin")
    for name in ("one", "two"):
        ledger = ledger.append(decision(name))
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    assert len(read_ledger(tmp_path / "clone", "origin").entries) == 2
    assert git(tmp_path / "clone", "rev-parse", "--is-shallow-repository") == "false"


def test_shallow_checkout_can_append(root, remote, tmp_path):
    """A checkout of depth 1, as workflows make it, reads and appends."""
    read_ledger(root, "origin").append(decision("one"))
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{remote}", "shallow")
    read_ledger(tmp_path / "shallow", "origin").append(decision("two"))
    assert len(read_ledger(root, "origin").entries) == 2


def test_token_is_given_to_git_by_environment_alone(root, remote, monkeypatch):
    """The workflow's token is in no command line and in no file of the repository."""
    seen = []
    genuine = subprocess.run

    def watched(command, **options):
        seen.append((command, options["env"]))
        return genuine(command, **options)

    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://host.invalid")
    monkeypatch.setattr(commits.subprocess, "run", watched)
    read_ledger(root, "origin").append(decision())
    assert seen
    assert not any("ghs_secret" in part for command, _ in seen for part in command)
    assert all(e["GIT_CONFIG_KEY_0"] == "http.https://host.invalid/.extraheader" for _, e in seen)
    everything = [path for path in (root / ".git").rglob("*") if path.is_file()]
    assert not any(b"ghs_secret" in path.read_bytes() for path in everything)


def test_no_temporary_file_stays(root, tmp_path, monkeypatch):
    """The index used for the commit is gone afterwards."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(commits.tempfile, "tempdir", str(scratch))
    read_ledger(root).append(decision())
    assert digest_tree(scratch) == digest_bytes(b"")
    shutil.rmtree(scratch)


def test_branch_whose_name_ends_alike_is_not_the_ledger(root, remote):
    """Git lists branches by the end of their names; an older ledger so named is ignored."""
    first = read_ledger(root, "origin").append(decision("one"))
    git(root, "push", "--quiet", "origin", f"{first.head}:refs/heads/a/refs/heads/{BRANCH}")
    second = first.append(decision("two"))
    assert read_ledger(root, "origin").head == second.head


def test_remote_cannot_be_an_option(root):
    """A remote that looks like an option of git is taken as a name, and is not there."""
    with pytest.raises(NotCarriedOutError):
        read_ledger(root, "--upload-pack=touch x")
    assert not (root / "x").exists()


def shorten(root: Path, keep: int, parent: str | None) -> str:
    """Put a commit on the branch whose ledger holds the first lines only."""
    lines = read_ledger(root).files()[RECORDS].splitlines(keepends=True)
    made = commits.commit(root, parent, {RECORDS: b"".join(lines[:keep])}, "shorter")
    git(root, "update-ref", module.REF, made)
    return made


def test_lines_cut_off_by_a_commit_are_missed(root):
    """What is left is a sound chain, but the branch itself shows that it was longer."""
    for name in ("zero", "one", "two"):
        read_ledger(root).append(decision(name))
    whole = read_ledger(root)
    shorten(root, 1, whole.head)
    with pytest.raises(ShortenedError, match="lacks line 2"):
        read_ledger(root)
    content = {RECORDS: whole.files()[RECORDS]}
    fixed = commits.commit(root, commits.local_head(root, module.REF), content, "put back")
    git(root, "update-ref", module.REF, fixed)
    assert read_ledger(root).entries == whole.entries, "putting the lines back mends it"


def test_lines_cut_off_are_missed_behind_further_commits_and_merges(root):
    """Neither a second commit nor a merge with an old state hides that lines are gone."""
    for name in ("zero", "one", "two"):
        read_ledger(root).append(decision(name))
    whole = read_ledger(root)
    shorter = shorten(root, 1, whole.head)
    further = commits.commit(root, shorter, {"note.txt": b"nothing happened"}, "a note")
    old = git(root, "rev-list", "--reverse", BRANCH).split()[0]
    tree = git(root, "rev-parse", f"{old}^{{tree}}")
    merged = git(root, "commit-tree", tree, "-p", old, "-p", whole.head, "-m", "merge")
    for commit in (further, merged):
        git(root, "update-ref", module.REF, commit)
        with pytest.raises(ShortenedError):
            read_ledger(root)


def test_other_files_may_be_added_to_the_branch(root):
    """A commit that leaves the ledger as it is takes nothing away."""
    read_ledger(root).append(decision("one"))
    head = commits.local_head(root, module.REF)
    made = commits.commit(root, head, {"README.md": b"what this is"}, "explain")
    git(root, "update-ref", module.REF, made)
    assert _names(root) == ["one"]


def test_files_of_a_folder_are_read_alone(root):
    """A folder that is not there is empty, not an error."""
    files = {"certificates/a.json": b"{}", "uses/b.csv": b"b"}
    ledger = read_ledger(root).append(decision("one"), files)
    assert ledger.files("certificates") == {"certificates/a.json": b"{}"}
    assert ledger.files("references") == {}
    assert set(ledger.files()) == {RECORDS, *files}


def test_attributes_of_the_branch_hide_and_change_nothing(root):
    """A `.gitattributes` that would leave files out of an archive is a file like others."""
    written = {
        ".gitattributes": b"* export-ignore\n*.csv eol=crlf text\n",
        "ledger.jsonl": b"{}\n",
        "certificates/a b.json": b"",
        "uses/x.csv": b"row_id\ns1\n",
    }
    made = commits.commit(root, None, written, "all")
    assert commits.read_files(root, made) == written
    assert commits.read_files(root, made, "uses") == {"uses/x.csv": b"row_id\ns1\n"}
    assert commits.read_files(root, made, "references") == {}


def _push(root: Path, content: bytes, message: str) -> str:
    """Commit a content of the ledger on the branch, as an ordinary push would."""
    head = commits.local_head(root, module.REF)
    made = commits.commit(root, head, {RECORDS: content}, message)
    git(root, "update-ref", module.REF, made)
    return made


@pytest.mark.parametrize("junk", [b"x\n", b"x", b"{}\n", b"\n"])
def test_a_push_of_junk_is_undone_by_a_push(root, junk):
    """What never was a line of the ledger is missed by nobody, once it is gone again."""
    for name in ("zero", "one"):
        read_ledger(root).append(decision(name))
    whole = read_ledger(root)
    content = whole.files()[RECORDS]
    _push(root, content + junk, "junk")
    with pytest.raises(DamagedLedgerError):
        read_ledger(root)
    _push(root, content, "revert")
    assert read_ledger(root).entries == whole.entries
    read_ledger(root).append(decision("two"))
    assert _names(root) == ["zero", "one", "two"]


def test_a_sound_line_between_junk_is_missed(root):
    """A commit that holds one more sound line, and junk behind it, still shows that line."""
    for name in ("zero", "one", "two"):
        read_ledger(root).append(decision(name))
    content = read_ledger(root).files()[RECORDS]
    first, second, third = content.splitlines(keepends=True)
    old = git(root, "rev-list", "--reverse", BRANCH).split()[1]
    git(root, "update-ref", module.REF, old)
    _push(root, first + second + third + b"x\n", "the third line, and junk")
    _push(root, first + second, "both are gone")
    with pytest.raises(ShortenedError, match="lacks line 3"):
        read_ledger(root)


def test_other_line_in_the_place_of_one_is_missed(root):
    """A ledger of the same length, with another last line, is not the one that it was."""
    for name in ("zero", "one"):
        read_ledger(root).append(decision(name))
    first = git(root, "rev-list", "--reverse", BRANCH).split()[0]
    whole = commits.local_head(root, module.REF)
    git(root, "update-ref", module.REF, first)
    other = read_ledger(root).append(decision("two")).files()[RECORDS]
    git(root, "update-ref", module.REF, whole)
    _push(root, other, "another second line")
    with pytest.raises(ShortenedError, match="lacks line 2"):
        read_ledger(root)


@pytest.fixture
def two(root: Path, remote: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one remote, each with the ledger of one line, here and at the remote."""
    read_ledger(root).append(decision("zero"))
    git(root, "push", "--quiet", "origin", BRANCH)
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    return root, tmp_path / "clone"


def test_what_was_fetched_counts_where_it_is_further(two):
    """A branch of this clone that lies behind hides nothing, and is caught up when written."""
    root, clone = two
    read_ledger(clone, "origin").append(decision("there"))
    assert _names(root) == ["zero"], "nobody is asked"
    git(root, "fetch", "--quiet", "origin")
    assert _names(root) == ["zero", "there"]
    read_ledger(root).append(decision("here"))
    assert _names(root) == ["zero", "there", "here"]
    assert module.unshared(root)
    git(root, "push", "--quiet", "origin", BRANCH)
    assert _names(root, "origin") == ["zero", "there", "here"]
    assert not module.unshared(root)


def test_branch_of_this_clone_counts_where_it_is_further(two):
    """What was written here and not pushed yet is not hidden by what was fetched."""
    root, _ = two
    git(root, "fetch", "--quiet", "origin")
    read_ledger(root).append(decision("here"))
    assert _names(root) == ["zero", "here"]


def test_parted_ledgers_are_neither(two):
    """Two ledgers with a line each that the other lacks are refused, and the named way leads on."""
    root, clone = two
    read_ledger(clone, "origin").append(decision("there"))
    read_ledger(root).append(decision("here"))
    git(root, "fetch", "--quiet", "origin")
    with pytest.raises(NotCarriedOutError) as refused:
        read_ledger(root)
    assert refused.value.code == "ledger.diverged"
    git(root, "branch", "--move", BRANCH, f"{BRANCH}-of-this-clone")
    assert _names(root) == ["zero", "there"]


def test_ledger_that_was_never_pushed_is_known(root, remote):
    """A first ledger that lies in this clone alone is not taken for one that is shared."""
    assert not module.unshared(root), "there is none"
    read_ledger(root).append(decision("zero"))
    assert module.unshared(root)
    git(root, "push", "--quiet", "origin", BRANCH)
    assert not module.unshared(root)


def test_age_is_that_of_the_last_fetch(two, tmp_path):
    """Seconds since anything came from origin; nothing where there is no origin."""
    _, clone = two
    for path in (clone / ".git").rglob("*"):
        os.utime(path, (0, 0))
    assert module.age(clone) > module.DAY
    git(clone, "fetch", "--quiet", "origin")
    assert module.age(clone) < module.DAY
    git(tmp_path, "init", "--quiet", "alone")
    assert module.age(tmp_path / "alone") is None
