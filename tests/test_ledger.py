"""The ledger: append-only, one winner of every race, nothing hidden by a crash."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

import assay.ledger as module
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, digest_tree
from assay.gate import Budget
from assay.ledger import BRANCH, RECORDS, Entry, Ledger, LedgerMovedError, read_ledger
from toy import git

SEALED, OTHER = digest_bytes(b"sealed"), digest_bytes(b"another sealed set")


def entry(name: str = "model", **fields: object) -> Entry:
    """An entry about a model."""
    digest = digest_bytes(name.encode())
    return Entry.model_validate(
        {
            "kind": "decision",
            "predictions_digest": digest,
            "bundle_digest": digest,
            "reference": "baseline mean",
            "claim": "improvement",
            "sealed_digest": SEALED,
            "policy_digest": digest_bytes(b"policy"),
            "commit": "0" * 40,
            "time": "2026-01-01T00:00:00+00:00",
            "run": "local",
            **fields,
        }
    )


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


def test_empty_ledger_has_no_champion_and_full_budget(root):
    """Before the first append there is no branch, and nothing is spent."""
    ledger = read_ledger(root)
    assert (ledger.head, len(ledger.entries), ledger.champion()) == (None, 0, None)
    assert ledger.budget(SEALED) == Budget(0, 0)


def test_entries_are_read_back_in_order(root):
    """What is appended is what the next reader sees, with its files."""
    first = read_ledger(root).append(entry("one"))
    first.append(entry("two", certified=True), {"references/two.csv": b"row_id,prediction\n"})
    ledger = read_ledger(root)
    assert list(ledger.entries) == [entry("one"), entry("two", certified=True)]
    assert ledger.read_file("references/two.csv") == b"row_id,prediction\n"
    with pytest.raises(NotCarriedOutError):
        ledger.read_file("references/three.csv")


def test_branch_is_an_orphan_that_only_grows(root):
    """The branch shares no commit with main, and every version begins with the one before."""
    ledger = read_ledger(root)
    for name in ("one", "two", "three"):
        ledger = ledger.append(entry(name))
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
    read_ledger(root).append(entry(), {"references/x.csv": b"x"})
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert (root / ".git" / "index").read_bytes() == index
    assert sorted(path.name for path in root.iterdir()) == [".git", "a.txt", "b.txt"]


@pytest.mark.parametrize("started", [False, True])
def test_two_appends_from_one_snapshot_have_one_winner(root, started):
    """Whoever comes second is told, and the first one's entry stays."""
    snapshot = read_ledger(root)
    if started:
        snapshot = snapshot.append(entry("zero"))
    snapshot.append(entry("one"))
    with pytest.raises(LedgerMovedError):
        snapshot.append(entry("two"))
    assert read_ledger(root).entries[-1] == entry("one")
    assert read_ledger(root).append(entry("two")).entries[-2:] == (entry("one"), entry("two"))


@pytest.mark.parametrize("started", [False, True])
def test_push_race_has_one_winner(root, remote, tmp_path, started):
    """Two clones append from one state: one push arrives, the other is told, none is forced."""
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    if started:
        read_ledger(root, "origin").append(entry("zero"))
    here, there = read_ledger(root, "origin"), read_ledger(tmp_path / "clone", "origin")
    there.append(entry("there"))
    with pytest.raises(LedgerMovedError):
        here.append(entry("here"))
    read_ledger(root, "origin").append(entry("here"))
    names = [found.bundle_digest for found in read_ledger(tmp_path / "clone", "origin").entries]
    assert names[-2:] == [entry("there").bundle_digest, entry("here").bundle_digest]


def test_push_that_arrived_without_an_answer_is_not_repeated(root, remote, monkeypatch):
    """A push that reports failure after it arrived counts once."""
    genuine = module._git

    def lossy(folder, *arguments, **options):
        answer = genuine(folder, *arguments, **options)
        if arguments[0] == "push":
            raise NotCarriedOutError("the connection was closed")
        return answer

    monkeypatch.setattr(module, "_git", lossy)
    read_ledger(root, "origin").append(entry("one"))
    assert len(read_ledger(root, "origin").entries) == 1


def test_refused_push_is_not_carried_out(root, remote):
    """A remote that takes nothing is an error, not a race."""
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(NotCarriedOutError, match="push failed"):
        read_ledger(root, "origin").append(entry())


def test_reading_a_remote_leaves_a_whole_clone_whole(root, remote, tmp_path):
    """Fetching the ledger does not make a developer's clone shallow or bring tags."""
    ledger = read_ledger(root, "origin")
    for name in ("one", "two"):
        ledger = ledger.append(entry(name))
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    assert len(read_ledger(tmp_path / "clone", "origin").entries) == 2
    assert git(tmp_path / "clone", "rev-parse", "--is-shallow-repository") == "false"


def test_shallow_checkout_can_append(root, remote, tmp_path):
    """A checkout of depth 1, as workflows make it, reads and appends."""
    read_ledger(root, "origin").append(entry("one"))
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{remote}", "shallow")
    read_ledger(tmp_path / "shallow", "origin").append(entry("two"))
    assert len(read_ledger(root, "origin").entries) == 2


def test_intent_without_decision_counts_as_use_and_disagreement(root):
    """A crash after the labels were opened cannot hide the use."""
    opened = entry(kind="intent", use=1, disagreements=0, level=1e-4)
    assert read_ledger(root).append(opened).budget(SEALED) == Budget(1, 1)


def test_budget_counts_one_set_and_each_use_once():
    """Confirmed uses are no disagreements; another set's uses are not counted."""

    def use(number: int, bit: bool | None, sealed: str = SEALED) -> list[Entry]:
        fields = {"use": number, "sealed_digest": sealed}
        decided = [entry(bit=bit, **fields)] if bit is not None else []
        return [entry(kind="intent", **fields), *decided]

    alone = entry(stage="unchanged", outcome="PASS")
    entries = [*use(1, bit=True), *use(2, bit=False), alone, *use(3, bit=None)]
    ledger = Ledger(Path(), entries=[*entries, *use(1, bit=False, sealed=OTHER)])
    assert ledger.budget(SEALED) == Budget(3, 2)
    assert ledger.budget(OTHER) == Budget(1, 1)
    repeated = dataclasses.replace(ledger, entries=[*ledger.entries, entry(bit=True, use=1)])
    assert repeated.budget(SEALED) == Budget(3, 2), "a decision told twice confirms one use"


def test_champion_is_the_last_certified_and_reference_the_last_improvement():
    """Small losses cannot add up: new models are compared with the last declared improvement."""
    first = entry("first", certified=True)
    second = entry("second", certified=True, claim="no-regression")
    ledger = Ledger(Path(), entries=[first, second, entry("third")])
    assert ledger.champion() == second
    assert ledger.reference(SEALED) == first
    assert ledger.reference(OTHER) is None, "its predictions are for other sealed inputs"


def test_earlier_answer_is_for_the_very_same_question():
    """An answer is found again only if candidate, reference, claim, labels and policy agree."""
    answered = entry("model", bit=False, use=1, outcome="INCONCLUSIVE")
    ledger = Ledger(Path(), entries=[answered, entry("other", outcome="PASS")])
    assert ledger.sealed_answer(entry("model", time="later", run="again")) == answered
    for name in ("predictions_digest", "sealed_digest", "policy_digest"):
        other = entry("model", **{name: digest_bytes(b"other")})
        assert ledger.sealed_answer(other) is None
    assert ledger.sealed_answer(entry("model", claim="no-regression")) is None
    assert ledger.sealed_answer(entry("model", reference="another")) is None
    assert ledger.sealed_answer(entry("other")) is None, "no label was opened for it"


@pytest.mark.parametrize("line", ["{", '{"kind": "decision"}', '{"kind": "wish"}', "[]"])
def test_damaged_line_is_not_carried_out(root, line):
    """A ledger with a line that is no entry stops the scoring and names the branch."""
    ledger = read_ledger(root).append(entry())
    content = f"{ledger.entries[0].model_dump_json(exclude_none=True)}\n{line}\n".encode()
    commit = module._commit(root, ledger.head, {RECORDS: content}, "damage")
    git(root, "update-ref", f"refs/heads/{BRANCH}", commit)
    with pytest.raises(NotCarriedOutError, match=BRANCH):
        read_ledger(root)


def test_token_is_given_to_git_by_environment_alone(root, remote, monkeypatch):
    """The workflow's token is in no command line and in no file of the repository."""
    seen = []
    genuine = subprocess.run

    def watched(command, **options):
        seen.append((command, options["env"]))
        return genuine(command, **options)

    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://host.invalid")
    monkeypatch.setattr(module.subprocess, "run", watched)
    read_ledger(root, "origin").append(entry())
    assert seen
    assert not any("ghs_secret" in part for command, _ in seen for part in command)
    assert all(e["GIT_CONFIG_KEY_0"] == "http.https://host.invalid/.extraheader" for _, e in seen)
    everything = [path for path in (root / ".git").rglob("*") if path.is_file()]
    assert not any(b"ghs_secret" in path.read_bytes() for path in everything)


def test_no_temporary_file_stays(root, tmp_path, monkeypatch):
    """The index used for the commit is gone afterwards."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(module.tempfile, "tempdir", str(scratch))
    read_ledger(root).append(entry())
    assert digest_tree(scratch) == digest_bytes(b"")
    shutil.rmtree(scratch)


def test_branch_whose_name_ends_alike_is_not_the_ledger(root, remote):
    """Git lists branches by the end of their names; an older ledger so named is ignored."""
    first = read_ledger(root, "origin").append(entry("one"))
    git(root, "push", "--quiet", "origin", f"{first.head}:refs/heads/a/refs/heads/{BRANCH}")
    second = first.append(entry("two"))
    assert read_ledger(root, "origin").head == second.head


def test_remote_cannot_be_an_option(root):
    """A remote that looks like an option of git is taken as a name, and is not there."""
    with pytest.raises(NotCarriedOutError):
        read_ledger(root, "--upload-pack=touch x")
    assert not (root / "x").exists()
