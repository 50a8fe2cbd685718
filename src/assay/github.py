"""A thin client of GitHub's REST API, and the files of releases and artifacts.

Everything goes through PyGithub, which also retries; `GITHUB_API_URL` names the server. A file is
judged by its name and size before it is read.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from assay.errors import NotCarriedOutError
from assay.files import replaced_folder

if TYPE_CHECKING:
    from github import Github
    from github.Artifact import Artifact
    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository as Remote
    from github.Requester import Requester

MARKER = "<!-- assay-report -->"
CONTEXT = "assay"
DESCRIPTION_LENGTH = 140
MAXIMUM_PULLS = 1000
BASE, WORKFLOW_LOGIN = "main", "github-actions[bot]"

State = Literal["error", "failure", "pending", "success"]

_TIMEOUT = 60
_LONGEST_WAIT = 120
MAXIMUM_ASSET_BYTES = 2 * 2**30
HTTP_FOUND, TIMEOUT = 302, 60

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class ReadOnlyError(NotCarriedOutError):
    """The token may not do what was asked of GitHub."""


@dataclass(frozen=True)
class GitHubRepository:
    """One repository on GitHub; every method raises NotCarriedOutError when the API fails.

    `bot` tells a workflow's own token, which cannot ask whose it is, from a person's.
    """

    client: "Github"
    name: str
    bot: bool

    @classmethod
    def from_environment(cls) -> Self:
        """The repository `GITHUB_REPOSITORY` at `GITHUB_API_URL`, with `GITHUB_TOKEN`.

        Raises:
            NotCarriedOutError: a variable is missing or is not an HTTP address.
        """
        from github import Auth, Github, GithubRetry

        address = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
            raise NotCarriedOutError(
                "GITHUB_API_URL is not an HTTP address: correct it, or run `unset GITHUB_API_URL`.",
                code="github.bad-address",
            )
        client = Github(
            auth=Auth.Token(_variable("GITHUB_TOKEN")),
            base_url=address,
            lazy=True,
            per_page=100,
            retry=GithubRetry(max_rate_limit_wait=_LONGEST_WAIT),
            timeout=_TIMEOUT,
        )
        return cls(client, _variable("GITHUB_REPOSITORY"), bool(os.environ.get("GITHUB_ACTIONS")))

    @property
    def remote(self) -> "Remote":
        """PyGithub's view of the repository; asking for it sends nothing."""
        return self.client.get_repo(self.name)

    def set_status(self, sha: str, state: State, description: str, url: str | None = None) -> None:
        """Set the commit status `assay`; the description is cut to GitHub's 140 characters."""
        from github.GithubObject import NotSet

        with _asking("set the commit status", "statuses: write"):
            self.remote.get_commit(sha).create_status(
                state, url or NotSet, _shortened(description, DESCRIPTION_LENGTH), CONTEXT
            )

    def upsert_comment(self, pull_number: int, body: str) -> None:
        """Write the one report comment of a pull request: a later report replaces the earlier.

        Only a comment of our own login is replaced: anybody, other apps too, may write the marker,
        and whoever wrote a comment can change it again behind our verdict.
        """
        with _asking(f"comment on pull request {pull_number}", "pull-requests: write"):
            issue = self.remote.get_issue(pull_number)
            for comment in issue.get_comments():
                if (comment.body or "").startswith(MARKER) and self._is_ours(comment):
                    comment.edit(body)
                    return
            issue.create_comment(body)

    def _is_ours(self, comment: "IssueComment") -> bool:
        own = WORKFLOW_LOGIN if self.bot else self.client.get_user().login
        return comment.user is not None and comment.user.login == own  # None: a deleted account

    def pull_number(self, head_sha: str) -> int | None:
        """The open pull request to main that this commit is the head of, updated last, or None."""
        with _asking("list the pull requests", "pull-requests: read"):
            pulls = self.remote.get_pulls("open", sort="updated", direction="desc", base=BASE)
            for pull in islice(pulls, MAXIMUM_PULLS):
                if pull.head.sha == head_sha and self._is_to_main(pull):
                    return pull.number
        return None

    def _is_to_main(self, pull: "PullRequest") -> bool:
        repository = pull.base.repo
        own = repository is not None and repository.full_name.casefold() == self.name.casefold()
        return own and pull.base.ref == BASE

    def publish_model(self, tag: str, name: str, files: list[Path], body: str) -> None:
        """Publish a release with these files; if the tag has a release already, leave that.

        The release stays a draft, which no tag finds, until every file is there.
        """
        with _asking(f"publish the release {tag}", "contents: write"):
            if self._release(tag) is not None:
                return
            draft = self.remote.create_git_release(tag, name, body, draft=True)
            for path in files:
                draft.upload_asset(str(path), content_type="application/octet-stream")
            draft.update_release(name, body, draft=False)

    def fetch_model(self, tag: str, folder: Path) -> None:
        """Download all files of a release; `folder` is made, or replaced whole, at the end.

        Raises:
            NotCarriedOutError: there is no such release, or its files are over 2 GiB in all
                or badly named.
        """
        with _asking(f"download the release {tag}", "contents: read"):
            release = self._release(tag)
            assets = list(release.get_assets()) if release else []
            if not assets:
                raise NotCarriedOutError(
                    f"There is no release {tag} with files: publish it first.",
                    code="github.no-release",
                )
            require_sound(tag, assets)
            with replaced_folder(folder) as temporary:
                for asset in assets:
                    download(asset, temporary / asset.name)

    def fetch_asset(self, tag: str, name: str, path: Path) -> None:
        """Download one file of a release to a new path.

        Raises:
            NotCarriedOutError: there is no such release or file, or it is over 2 GiB.
        """
        with _asking(f"download {name} of the release {tag}", "contents: read"):
            release = self._release(tag)
            found = [one for one in release.get_assets() if one.name == name] if release else []
            if not found:
                raise NotCarriedOutError(
                    f"There is no release {tag!r:.80} with the file {name}: check both names.",
                    code="github.no-release-file",
                )
            require_sound(tag, found)
            download(found[0], path)

    def fetch_artifact(self, run: int, name: str, path: Path) -> None:
        """Download the archive of a workflow run's artifact, the last of that name, to a new path.

        Raises:
            NotCarriedOutError: there is no such run or artifact, it expired, or is over 2 GiB.
        """
        with _asking(f"download the artifact {name} of run {run}", "actions: read"):
            listed = self.remote.get_workflow_run(run).get_artifacts()
            found = [one for one in listed if one.name == name and not one.expired]
            if not found:
                raise NotCarriedOutError(
                    f"Run {run} has no artifact {name!r:.80}, or it expired: check both, or upload "
                    "it again.",
                    code="github.no-artifact",
                )
            download_archive(self.client.requester, max(found, key=lambda one: one.id), path)

    def _release(self, tag: str) -> "GitRelease | None":
        from github import UnknownObjectException

        try:
            return self.remote.get_release(tag)
        except UnknownObjectException:
            return None


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise NotCarriedOutError(
            f"{name} is not set, so GitHub cannot be reached: set it, as a workflow does.",
            code="github.no-variable",
        )
    return value


@contextmanager
def _asking(action: str, permission: str) -> Iterator[None]:
    """Turn a failure of the API into one sentence; the original may hold headers."""
    from github import BadAttributeException, GithubException
    from requests import HTTPError, RequestException

    try:
        yield
    except GithubException as error:
        text = error.data.get("message", "") if isinstance(error.data, dict) else ""
        raise _refusal(action, permission, error.status, str(text)) from None
    except HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise _refusal(action, permission, status) from None
    except BadAttributeException:
        raise NotCarriedOutError(
            f"GitHub did not {action}: its answer cannot be read: try again later.",
            code="github.bad-answer",
        ) from None
    except RequestException as error:
        raise NotCarriedOutError(
            f"GitHub could not be reached to {action} ({type(error).__name__}): try again later.",
            code="github.unreachable",
        ) from None


def _refusal(action: str, permission: str, status: int, text: str = "") -> NotCarriedOutError:
    reason = f", {_shortened(text, 200)}" if text else ""
    said = f"GitHub did not {action} (HTTP {status}{reason})"
    if status in {401, 403, 404}:
        return ReadOnlyError(
            f"{said}: check that the token is valid and grants `{permission}`.",
            code="github.not-allowed",
        )
    return NotCarriedOutError(f"{said}: try again later.", code="github.failed")


def _shortened(text: str, length: int) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def is_safe(name: str) -> bool:
    """Whether a file may have this name: no folder, no hidden file, no character of a shell."""
    return bool(_ASSET_NAME.fullmatch(name))


def require_sound(tag: str, assets: list["GitReleaseAsset"]) -> None:
    """Insist that the files of a release are few enough bytes and stay in their folder.

    Raises:
        NotCarriedOutError: they are over 2 GiB in all, or badly named.
    """
    names = [asset.name for asset in assets]
    if len(set(names)) < len(names) or not all(map(is_safe, names)):
        raise NotCarriedOutError(
            f"The release {tag} has files with unsafe names, so it was not downloaded: check who "
            "made it.",
            code="github.unsafe-name",
        )
    if sum(asset.size for asset in assets) > MAXIMUM_ASSET_BYTES:
        raise NotCarriedOutError(
            f"The files of release {tag} are over 2 GiB, so they were not downloaded: delete what "
            "is not of the model.",
            code="github.too-large",
        )


def download(asset: "GitReleaseAsset", path: Path) -> None:
    """Write a file of a release to a new path.

    Raises:
        NotCarriedOutError: it is not as long as the release says.
    """
    _, _, chunks = asset.download_asset(chunk_size=2**20)
    _write(chunks, asset.name, asset.size, path, asset.size)
    if path.stat().st_size != asset.size:
        raise NotCarriedOutError(
            f"{asset.name} is not {asset.size} bytes long: download it again.",
            code="github.incomplete-download",
        )


def download_archive(requester: "Requester", artifact: "Artifact", path: Path) -> None:
    """Write the archive of an artifact to a new path.

    GitHub answers with the address of a storage, which must not see the token, and since September
    2026 refuses the request of bytes that release files need (HTTP 415), as PyGithub sends it.

    Raises:
        NotCarriedOutError: there is no such address, or the archive is over 2 GiB.
    """
    import requests

    status, headers, _ = requester.requestJson("GET", artifact.archive_download_url)
    place = headers.get("location", "")
    # as safe as the API itself, which is plain HTTP in tests alone
    own = urlsplit(artifact.archive_download_url).scheme
    if status != HTTP_FOUND or urlsplit(place).scheme not in {"https", own}:
        raise NotCarriedOutError(
            f"GitHub did not say where the artifact is (HTTP {status}): try again later.",
            code="github.bad-answer",
        )
    with requests.get(place, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        chunks = answer.iter_content(2**20)
        _write(chunks, artifact.name, artifact.size_in_bytes, path, MAXIMUM_ASSET_BYTES)
    if path.stat().st_size > MAXIMUM_ASSET_BYTES:
        raise NotCarriedOutError(
            f"The artifact {artifact.name!r:.80} is over 2 GiB: divide the list.",
            code="github.too-large",
        )


def _write(chunks: Iterable[bytes], name: str, size: int, path: Path, most: int) -> None:
    from assay.progress import counting

    with (
        path.open("xb") as stream,
        counting(name, size, "B", unit_scale=True) as bar,
    ):
        for chunk in chunks:
            bar.update(stream.write(chunk))
            if stream.tell() > most:
                break
