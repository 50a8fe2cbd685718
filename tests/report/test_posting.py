"""The report: written where it belongs, posted where the run stands."""

import json
import os
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.report import posting
from github_server import GithubServer
from toy import rewrite_predictions, settings_of

pytestmark = pytest.mark.usefixtures("laptop")
SHA = "c" * 40


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
    return posting.write_report(root, settings_of(root), Handover(Layout(root).out), post=post)


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
