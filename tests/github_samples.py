"""A running stand-in for GitHub and a workflow's client of it, as fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from github import Auth, Github

from assay.github import GitHubRepository
from github_server import GithubServer

TOKEN = "planted-token-value"


@pytest.fixture(name="server")
def running_server(tmp_path: Path) -> Iterator[GithubServer]:
    """A running server with an empty repository."""
    with GithubServer(tmp_path / "github") as running:
        yield running


@pytest.fixture(name="repository")
def workflow_client(server: GithubServer) -> GitHubRepository:
    """A workflow's client; without the pauses that PyGithub makes for the real GitHub."""
    client = Github(
        auth=Auth.Token(TOKEN),
        base_url=server.url,
        lazy=True,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return GitHubRepository(client, "group/model", bot=True)


def break_(server: GithubServer, path: str, status: int) -> None:
    """Let requests whose path holds a text fail with a status."""
    server.state.write("faults.json", [{"path": path, "status": status}])
