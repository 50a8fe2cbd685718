"""The GitHub client against a local server that answers as GitHub does."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from github import Auth, Github

from assay.errors import NotCarriedOutError
from assay.github import MARKER, GitHubRepository
from github_samples import TOKEN, break_, running_server, workflow_client  # noqa: F401 (fixtures)
from github_server import BOT, Api, GithubServer

SHA = "ab" * 20


def _comments(server: GithubServer, number: int) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = server.state.read("comments.json", {}).get(str(number), [])
    return listed


def test_status_is_cut_to_what_github_takes(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """A status arrives on the commit under the context `assay`, one line of 140 characters."""
    repository.set_status(SHA, "failure", "worse\n" + "x" * 300, "https://example.org/run/1")
    (status,) = server.state.read("statuses.json", {})[SHA]
    assert (status["state"], status["context"]) == ("failure", "assay")
    assert status["target_url"] == "https://example.org/run/1"
    assert len(status["description"]) == 140
    assert "\n" not in status["description"]


def test_second_report_replaces_the_first(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """However often a report is posted, a pull request holds one, with the latest text."""
    for text in ("first", "second", "third"):
        repository.upsert_comment(7, f"{MARKER}\n{text}")
    (comment,) = _comments(server, 7)
    assert comment["body"] == f"{MARKER}\nthird"


def test_report_is_found_among_many_comments(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """Our comment is found on a later page of a long discussion."""
    talk = [
        {"id": i, "user": {"login": "a", "type": "User"}, "body": "hm"} for i in range(1000, 1250)
    ]
    server.state.write("comments.json", {"7": talk})
    repository.upsert_comment(7, f"{MARKER}\nfirst")
    repository.upsert_comment(7, f"{MARKER}\nsecond")
    assert len(_comments(server, 7)) == 251
    assert _comments(server, 7)[-1]["body"] == f"{MARKER}\nsecond"


def test_comment_with_a_forged_marker_is_not_ours(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """A person's comment with the marker is left alone: its author could rewrite our verdict."""
    person = {"login": "mallory", "id": 5, "type": "User"}
    forged = {"id": 999, "user": person, "body": f"{MARKER}\nPASS"}
    server.state.write("comments.json", {"7": [forged]})
    repository.upsert_comment(7, f"{MARKER}\nFAIL")
    assert [comment["body"] for comment in _comments(server, 7)] == [
        f"{MARKER}\nPASS",
        f"{MARKER}\nFAIL",
    ]


def test_marker_below_the_first_line_is_not_ours(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """A bot that quotes our marker further down keeps its comment."""
    quoted = {"id": 999, "user": BOT, "body": f"> quoted {MARKER}"}
    server.state.write("comments.json", {"7": [quoted]})
    repository.upsert_comment(7, f"{MARKER}\nFAIL")
    assert len(_comments(server, 7)) == 2


@pytest.mark.parametrize("bot", [True, False])
@pytest.mark.parametrize(
    "author", [{"login": "other-app[bot]", "id": 77, "type": "Bot"}, None], ids=["app", "deleted"]
)
def test_comment_of_another_app_or_a_deleted_account_is_not_ours(
    server: GithubServer, repository: GitHubRepository, author: dict[str, object] | None, bot: bool
) -> None:
    """Being a bot is not enough, and who has no account any more is not us, nor a crash."""
    if not bot:
        server.state.write("user.json", {"login": "ada", "id": 8, "type": "User"})
    forged = {"id": 999, "user": author, "body": f"{MARKER}\nPASS"}
    server.state.write("comments.json", {"7": [forged]})
    ours = GitHubRepository(repository.client, repository.name, bot=bot)
    for text in ("FAIL", "FAIL again"):
        ours.upsert_comment(7, f"{MARKER}\n{text}")
    assert [comment["body"] for comment in _comments(server, 7)] == [
        f"{MARKER}\nPASS",
        f"{MARKER}\nFAIL again",
    ]


def test_person_replaces_only_their_own_report(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """With a person's token the comment of that login counts, not a workflow's."""
    server.state.write("comments.json", {"7": [{"id": 999, "user": BOT, "body": f"{MARKER}\nold"}]})
    server.state.write("user.json", {"login": "ada", "id": 8, "type": "User"})
    person = GitHubRepository(repository.client, repository.name, bot=False)
    person.upsert_comment(7, f"{MARKER}\nmine")
    person.upsert_comment(7, f"{MARKER}\nmine again")
    assert [comment["body"] for comment in _comments(server, 7)] == [
        f"{MARKER}\nold",
        f"{MARKER}\nmine again",
    ]


def test_pull_request_is_found_by_its_head(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """The number is that of the open pull request with this head; a closed one is not found."""
    others = [{"number": n, "state": "open", "head": {"sha": f"{n:040x}"}} for n in range(100, 230)]
    closed = {"number": 3, "state": "closed", "head": {"sha": "cd" * 20}}
    server.state.write("pulls.json", [*others, {"number": 7, "head": {"sha": SHA}}, closed])
    assert repository.pull_number(SHA) == 7
    assert repository.pull_number("cd" * 20) is None


def pull(number: int, updated: str, **base: object) -> dict[str, object]:
    """An open pull request with the head that is looked for."""
    time = f"2026-01-{updated}T00:00:00Z"
    return {"number": number, "head": {"sha": SHA}, "updated_at": time, "base": base}


def test_pull_request_of_another_base_is_not_found(
    server: GithubServer, repository: GitHubRepository
) -> None:
    """A later pull request of the same head into a branch, or elsewhere, draws no comment to it."""
    branch = pull(9, "09", ref="mallory")
    elsewhere = pull(8, "08", repo={"full_name": "mallory/model"})
    nowhere = pull(6, "08", repo=None)
    server.state.write("pulls.json", [branch, elsewhere, nowhere])
    assert repository.pull_number(SHA) is None
    mine = [pull(4, "04"), pull(5, "05"), pull(3, "03", repo={"full_name": "Group/Model"})]
    server.state.write("pulls.json", [branch, elsewhere, nowhere, *mine])
    assert repository.pull_number(SHA) == 5
    server.state.write("pulls.json", [branch, mine[2]])
    assert repository.pull_number(SHA) == 3, "names of repositories are the same in any case"


def test_base_is_looked_at_in_the_answer_too(
    server: GithubServer, repository: GitHubRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ignores the filter by base gets no comment to another branch either."""
    answer = Api._pulls
    monkeypatch.setattr(
        Api,
        "_pulls",
        lambda self, name, query, **rest: answer(
            self, name, {key: query[key] for key in query if key != "base"}, **rest
        ),
    )
    server.state.write("pulls.json", [pull(9, "09", ref="mallory")])
    assert repository.pull_number(SHA) is None


@pytest.mark.parametrize("status", [500, 401, 403, 404, 422])
def test_failure_of_the_api_is_one_sentence(
    server: GithubServer, repository: GitHubRepository, status: int
) -> None:
    """Whatever GitHub answers, the client says what was not done, and never its token."""
    break_(server, "/", status)
    for ask in (
        lambda: repository.set_status(SHA, "success", "PASS"),
        lambda: repository.upsert_comment(7, MARKER),
        lambda: repository.pull_number(SHA),
        lambda: repository.publish_model("model-0", "Model", [], ""),
        lambda: repository.fetch_model("model-0", server.state.folder / "fetched"),
    ):
        with pytest.raises(NotCarriedOutError) as caught:
            ask()
        assert TOKEN not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_unreachable_server_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody listening is `could not be carried out`, as any other failure of the API."""
    with GithubServer(tmp_path) as stopped:
        address = stopped.url
    client = Github(auth=Auth.Token(TOKEN), base_url=address, lazy=True, retry=0)
    with pytest.raises(NotCarriedOutError, match="could not be reached"):
        GitHubRepository(client, "group/model", bot=True).pull_number(SHA)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(NotCarriedOutError, match="GITHUB_TOKEN"):
        GitHubRepository.from_environment()


def test_environment_names_server_and_repository(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client goes to GITHUB_API_URL and GITHUB_REPOSITORY, as a workflow sets them."""
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "group/other")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repository = GitHubRepository.from_environment()
    repository.set_status(SHA, "success", "PASS")
    assert repository.bot
    assert server.requests()[-1]["path"] == f"/repos/group/other/statuses/{SHA}"
    assert TOKEN not in (server.state.folder / "requests.jsonl").read_text(encoding="utf-8")


def test_address_that_is_not_http_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server address that is no HTTP address is named, not tried."""
    monkeypatch.setenv("GITHUB_API_URL", "file:///etc")
    with pytest.raises(NotCarriedOutError, match="GITHUB_API_URL"):
        GitHubRepository.from_environment()


def test_server_runs_by_itself(tmp_path: Path) -> None:
    """Started as a program, the server says its port and records what a workflow sends."""
    script, port = Path(__file__).with_name("github_server.py"), tmp_path / "port"
    command = [sys.executable, script, "--port-file", port, "--state", tmp_path / "state"]
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 30
        while not port.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        environment = {
            "GITHUB_API_URL": f"http://127.0.0.1:{port.read_text(encoding='utf-8')}",
            "GITHUB_REPOSITORY": "group/model",
            "GITHUB_TOKEN": TOKEN,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            GitHubRepository.from_environment().set_status(SHA, "success", "PASS")
    finally:
        process.terminate()
        process.wait(10)
    statuses = json.loads((tmp_path / "state" / "statuses.json").read_text(encoding="utf-8"))
    assert statuses[SHA][0]["state"] == "success"
    assert os.environ.get("GITHUB_TOKEN") != TOKEN
