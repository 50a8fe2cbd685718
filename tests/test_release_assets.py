"""Releases that hold models: whole or not there, and nothing unsafe is fetched."""

from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.github import GitHubRepository
from github_samples import break_, running_server, workflow_client  # noqa: F401 (fixtures)
from github_server import GithubServer


def test_model_survives_publishing(
    server: GithubServer, repository: GitHubRepository, tmp_path: Path
) -> None:
    """What is published under a tag comes back byte for byte; publishing again changes nothing."""
    bundle, certificate = tmp_path / "bundle.tar", tmp_path / "certificate.json"
    bundle.write_bytes(bytes(range(256)) * 5000)
    certificate.write_text('{"payload": ""}', encoding="utf-8")
    repository.publish_model("model-0123456789ab", "Model", [bundle, certificate], "text")
    before = server.state.read("releases.json", [])
    repository.publish_model("model-0123456789ab", "Other", [certificate], "other")
    assert server.state.read("releases.json", []) == before
    repository.fetch_model("model-0123456789ab", tmp_path / "fetched")
    names = sorted(path.name for path in (tmp_path / "fetched").iterdir())
    assert names == ["bundle.tar", "certificate.json"]
    for path in (bundle, certificate):
        assert (tmp_path / "fetched" / path.name).read_bytes() == path.read_bytes()


def test_interrupted_publishing_is_not_a_model(
    server: GithubServer, repository: GitHubRepository, tmp_path: Path
) -> None:
    """When an upload breaks off no tag finds the model; the next try publishes it whole."""
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(b"model")
    break_(server, "/uploads/", 400)
    with pytest.raises(NotCarriedOutError):
        repository.publish_model("model-0", "Model", [bundle], "text")
    with pytest.raises(NotCarriedOutError, match="no release model-0"):
        repository.fetch_model("model-0", tmp_path / "fetched")
    server.state.write("faults.json", [])
    repository.publish_model("model-0", "Model", [bundle], "text")
    repository.fetch_model("model-0", tmp_path / "fetched")
    assert (tmp_path / "fetched" / "bundle.tar").read_bytes() == b"model"


def test_broken_download_leaves_nothing(
    server: GithubServer, repository: GitHubRepository, tmp_path: Path
) -> None:
    """A download that fails, or is of another length than promised, leaves no folder behind."""
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(b"model")
    repository.publish_model("model-0", "Model", [bundle], "text")
    stored = next((server.state.folder / "assets").iterdir())
    for content in (b"mod", b"model and more"):
        stored.write_bytes(content)
        with pytest.raises(NotCarriedOutError, match="5 bytes"):
            repository.fetch_model("model-0", tmp_path / "fetched")
    break_(server, "/releases/assets/", 404)
    with pytest.raises(NotCarriedOutError, match="HTTP 404"):
        repository.fetch_model("model-0", tmp_path / "fetched")
    assert [path.name for path in tmp_path.iterdir() if "fetched" in path.name] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": 3 * 2**30}, "over 2 GiB"),
        ({"name": "../certificate.json"}, "unsafe names"),
        ({"name": ".hidden"}, "unsafe names"),
    ],
)
def test_unsafe_release_is_not_downloaded(
    server: GithubServer,
    repository: GitHubRepository,
    tmp_path: Path,
    change: dict[str, object],
    sentence: str,
) -> None:
    """A release that is too large, or whose names could leave the folder, is refused unread."""
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(b"model")
    repository.publish_model("model-0", "Model", [bundle], "text")
    (release,) = server.state.read("releases.json", [])
    release["assets"][0].update(change)
    server.state.write("releases.json", [release])
    with pytest.raises(NotCarriedOutError, match=sentence):
        repository.fetch_model("model-0", tmp_path / "fetched")
    assert not any("/releases/assets/" in request["path"] for request in server.requests())
