"""Files that GitHub keeps for others, which are judged by name and size before they are read."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.errors import NotCarriedOutError

if TYPE_CHECKING:
    from github.Artifact import Artifact
    from github.GitReleaseAsset import GitReleaseAsset
    from github.Requester import Requester

MAXIMUM_ASSET_BYTES = 2 * 2**30
HTTP_FOUND, TIMEOUT = 302, 60

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


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
        raise NotCarriedOutError(f"The release {tag} has files with unsafe names: not downloaded.")
    if sum(asset.size for asset in assets) > MAXIMUM_ASSET_BYTES:
        raise NotCarriedOutError(f"The files of release {tag} are over 2 GiB: not downloaded.")


def download(asset: "GitReleaseAsset", path: Path) -> None:
    """Write a file of a release to a new path.

    Raises:
        NotCarriedOutError: it is not as long as the release says.
    """
    _, _, chunks = asset.download_asset(chunk_size=2**20)
    _write(chunks, asset.name, asset.size, path, asset.size)
    if path.stat().st_size != asset.size:
        raise NotCarriedOutError(f"{asset.name} is not {asset.size} bytes long: download it again.")


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
        raise NotCarriedOutError(f"GitHub did not say where the artifact is (HTTP {status}).")
    with requests.get(place, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        chunks = answer.iter_content(2**20)
        _write(chunks, artifact.name, artifact.size_in_bytes, path, MAXIMUM_ASSET_BYTES)
    if path.stat().st_size > MAXIMUM_ASSET_BYTES:
        raise NotCarriedOutError(f"The artifact {artifact.name!r:.80} is over 2 GiB.")


def _write(chunks: Iterable[bytes], name: str, size: int, path: Path, most: int) -> None:
    from tqdm import tqdm

    with (
        path.open("xb") as stream,
        tqdm(desc=name, total=size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for chunk in chunks:
            bar.update(stream.write(chunk))
            if stream.tell() > most:
                break
