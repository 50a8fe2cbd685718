"""The report: written where it belongs, posted where the run stands."""

import json
import os
import re
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.ledger.branches import BRANCH as LEDGER
from assay.provenance import git_bytes
from assay.report import posting
from assay.report.images import BRANCH
from assay.repository import read_repository
from github_server import GithubServer
from inert import HOSTILE, assert_inert
from toy import change_card, git, rewrite_predictions

pytestmark = pytest.mark.usefixtures("laptop", "undrawn")
SHA = "c" * 40
LINK = re.compile(
    r'<img src="https://github\.invalid/group/toy/blob/([0-9a-f]{40})/(\w+\.png)\?raw=true"'
    r' alt="([^"]+)"'
)


@pytest.fixture
def github(tmp_path, monkeypatch):
    """GitHub on loopback, and the environment of a workflow that scored commit SHA."""
    with GithubServer(tmp_path / "github") as server:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "group/toy")
        monkeypatch.setenv("GITHUB_TOKEN", "t")
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"workflow_run": {"head_sha": SHA, "event": "pull_request"}}))
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
        yield server


def report(root: Path, *, post: bool) -> Path:
    """Write the report of what was handed over."""
    repository = read_repository(root)
    return posting.write_report(repository, repository.handover, post=post)


def test_report_is_written_without_any_account(certified):
    """Comment and page lie in the handover's folder and say the verdict."""
    page = report(certified, post=False)
    assert page == Layout(certified).out / "report" / "index.html"
    assert "PASS" in page.read_text()
    assert "PASS" in (page.parent / "comment.md").read_text()


def test_report_of_nothing_is_an_error_and_no_pass(toy):
    """Without a verdict the report says that it could not be carried out."""
    comment = (report(toy, post=False).parent / "comment.md").read_text()
    assert "ERROR" in comment
    assert "PASS" not in comment


def test_summary_is_appended_in_a_workflow(certified, tmp_path, monkeypatch):
    """The job summary keeps what other steps wrote."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report(certified, post=False)
    text = summary.read_text()
    assert text.startswith("before\n")
    assert "PASS" in text


def test_status_and_one_comment_are_posted(certified, github):
    """The scored commit gets the status, its pull request one comment, replaced the next time."""
    github.state.write("pulls.json", [{"number": 7, "state": "open", "head": {"sha": SHA}}])
    report(certified, post=True)
    report(certified, post=True)
    statuses = github.state.read("statuses.json", {})[SHA]
    assert [status["state"] for status in statuses] == ["success", "success"]
    assert statuses[0]["context"] == "assay"
    (comment,) = github.state.read("comments.json", {})["7"]
    assert "PASS" in comment["body"]


def test_commit_without_a_pull_request_gets_the_status_alone(toy, github):
    """After a push to main there is nobody to comment to; a missing verdict is state error."""
    report(toy, post=True)
    (status,) = github.state.read("statuses.json", {})[SHA]
    assert status["state"] == "error"
    assert github.state.read("comments.json", {}) == {}


def test_refusal_of_github_is_not_carried_out(certified, github):
    """If the status cannot be set the verb says so, and the page is there all the same."""
    github.state.write("faults.json", [{"path": "/statuses/", "status": 403}])
    with pytest.raises(NotCarriedOutError, match="statuses: write"):
        report(certified, post=True)
    assert (Layout(certified).out / "report" / "index.html").exists()


@pytest.mark.parametrize("content", [None, "{", "{}", '{"workflow_run": {}}', "[]"])
def test_posting_needs_the_event_of_a_scored_run(certified, tmp_path, monkeypatch, content):
    """Outside such a workflow --post says what it needs, and posts nothing."""
    if content is not None:
        (tmp_path / "event.json").write_text(content)
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    with pytest.raises(NotCarriedOutError, match="workflow"):
        report(certified, post=True)


def test_report_reaches_a_pull_request_from_a_fork(certified, github):
    """GitHub names no pull request in the event of a fork's run: it is found by its commit."""
    fork = {"number": 8, "state": "open", "head": {"sha": SHA, "repo": {"full_name": "x/fork"}}}
    github.state.write("pulls.json", [fork])
    report(certified, post=True)
    (comment,) = github.state.read("comments.json", {})["8"]
    assert "PASS" in comment["body"]


@pytest.mark.parametrize("refused", ["/comments", "/pulls"])
def test_token_that_may_not_comment_turns_nothing_red(certified, github, capsys, refused):
    """The status is set and the summary written; that there is no comment is said in a sentence."""
    github.state.write("pulls.json", [{"number": 7, "state": "open", "head": {"sha": SHA}}])
    github.state.write("faults.json", [{"path": refused, "status": 403}])
    report(certified, post=True)
    assert github.state.read("statuses.json", {})[SHA][0]["state"] == "success"
    assert github.state.read("comments.json", {}) == {}
    told = capsys.readouterr().err
    assert "pull-requests: " in told
    assert "The job summary says the same" in told


def test_github_that_does_not_answer_is_not_taken_for_that(certified, github):
    """A comment that failed for another reason is a run to be repeated."""
    github.state.write("pulls.json", [{"number": 7, "state": "open", "head": {"sha": SHA}}])
    github.state.write("faults.json", [{"path": "/comments", "status": 422}])
    with pytest.raises(NotCarriedOutError, match="comment on pull request 7"):
        report(certified, post=True)


def test_earlier_verdicts_are_told_and_its_own_is_not_among_them(certified):
    """The one line of the ledger is this model's: there is no history yet; another's is shown."""
    comment = report(certified, post=False).parent / "comment.md"
    assert "Earlier verdicts" not in comment.read_text()
    rewrite_predictions(Handover(Layout(certified).out), lambda values: values | {"t00001": 9.0})
    report(certified, post=False)
    assert "Earlier verdicts: the last 1" in comment.read_text()
    assert "PASS, certified" in comment.read_text()


def test_data_docs_are_linked(certified, github, monkeypatch):
    """On a laptop their folder, in Actions the run that kept them; without either no link."""
    index = Layout(certified).out / "data_docs" / "index.html"
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "Data Docs" not in report(certified, post=False).read_text()
    index.parent.mkdir()
    index.touch()
    assert 'href="../data_docs/index.html"' in report(certified, post=False).read_text()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.invalid")
    monkeypatch.setenv("GITHUB_RUN_ID", "41")
    event = Path(os.environ["GITHUB_EVENT_PATH"])
    event.write_text(json.dumps({"workflow_run": {"id": 40, "head_sha": SHA}}))
    address = "https://github.invalid/group/toy/actions/runs/40"
    assert f'href="{address}"' in report(certified, post=False).read_text()


@pytest.fixture
def pulled(certified, github, tmp_path, monkeypatch) -> Path:
    """A pull request to comment on, and a remote to which pictures can be pushed; gives that."""
    github.state.write("pulls.json", [{"number": 7, "state": "open", "head": {"sha": SHA}}])
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.invalid")
    remote = tmp_path / "remote.git"
    git(certified, "init", "--quiet", "--bare", str(remote))
    git(certified, "remote", "add", "origin", str(remote))
    # the ledger's branch is read from there in a workflow
    git(certified, "push", "--quiet", "origin", LEDGER)
    return remote


def commented(github: GithubServer) -> str:
    """The one comment."""
    (comment,) = github.state.read("comments.json", {})["7"]
    return str(comment["body"])


def test_comment_shows_pictures_that_are_on_their_branch(certified, pulled, github, capsys):
    """Both are linked by commit with words; what is drawn in characters is folded."""
    report(certified, post=True)
    body = commented(github)
    assert body.splitlines()[1].startswith("### ✅ PASS")
    found = LINK.findall(body)
    assert [name for _, name, _ in found] == ["parity.png", "residuals.png"]
    for commit, name, words in found:
        blob = git_bytes(pulled, "cat-file", "blob", f"{commit}:{name}")
        assert blob.startswith(b"\x89PNG\r\n\x1a\n")
        assert re.search(r"\d eV/atom", words)
    assert found[0][0] == git(pulled, "rev-parse", BRANCH)
    before, _, folded = body.partition("<details><summary>Errors by family")
    assert "┃" not in before
    assert "┃" in folded
    assert_inert(body)
    assert capsys.readouterr().err == ""


def test_nothing_but_the_comment_has_pictures(certified, pulled, monkeypatch, tmp_path):
    """Summary and file are drawn in characters, and without a pull request nothing is pushed."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    page = report(certified, post=False)
    assert git(pulled, "branch", "--list", BRANCH) == ""
    report(certified, post=True)
    assert git(pulled, "branch", "--list", BRANCH) != ""
    for path in (page.parent / "comment.md", tmp_path / "summary.md"):
        assert "<img" not in path.read_text()


def test_push_to_main_draws_no_picture(certified, pulled, github):
    """There is no comment to show it in."""
    github.state.write("pulls.json", [])
    report(certified, post=True)
    assert git(pulled, "branch", "--list", BRANCH) == ""


@pytest.fixture(params=["refused", "overtaken"])
def reason(request, pulled, monkeypatch) -> str:
    """Why no picture can be put on the branch: the remote takes nothing, or others always win."""
    if request.param == "overtaken":
        monkeypatch.setattr("assay.report.images.Branch.move", lambda *_: False)
        return "at each of 5 attempts"
    hook = pulled / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    return "hook declined"


def test_without_a_branch_to_write_to_characters_are_drawn(certified, reason, github, capsys):
    """Nothing turns red: the comment is as it was before there were pictures, one line says why."""
    page = report(certified, post=True)
    assert commented(github) == (page.parent / "comment.md").read_text()
    assert "┃" in commented(github)
    assert github.state.read("statuses.json", {})[SHA][0]["state"] == "success"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("assay: the comment was posted without images: ")
    assert reason in line


def test_unreadable_predictions_are_no_reason_to_push(certified, pulled, github, capsys):
    """With nothing to draw no branch is made and nothing is said of it."""
    Handover(Layout(certified).out).predictions.unlink()
    report(certified, post=True)
    assert "<img" not in commented(github)
    assert git(pulled, "branch", "--list", BRANCH) == ""
    assert capsys.readouterr().err == ""


FURTHER = pytest.mark.nightly("draws the pictures again; test_markdown.py tries all in their words")


@pytest.mark.parametrize(
    "text", [HOSTILE[1], *(pytest.param(text, marks=FURTHER) for text in HOSTILE[:1] + HOSTILE[2:])]
)
def test_hostile_words_reach_neither_pictures_nor_branch(certified, pulled, github, text):
    """What a pull request writes is in no link, alt text, file name or commit message."""
    change_card(Handover(Layout(certified).out), estimator=text, target=text, unit=text, model=text)
    report(certified, post=True)
    body = commented(github)
    assert len(LINK.findall(body)) == 2
    assert_inert(body)
    assert git(pulled, "log", "-1", "--format=%B", BRANCH) == "Pictures of a comment"
    assert git(pulled, "ls-tree", "--name-only", BRANCH).split() == ["parity.png", "residuals.png"]
