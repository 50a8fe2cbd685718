"""The files of a release on GitHub, which are judged by name and size before they are read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import NotCarriedOutError

if TYPE_CHECKING:
    from github.GitReleaseAsset import GitReleaseAsset

MAXIMUM_ASSET_BYTES = 2 * 2**30

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def require_sound(tag: str, assets: list["GitReleaseAsset"]) -> None:
    """Insist that the files of a release are few enough bytes and stay in their folder.

    Raises:
        NotCarriedOutError: they are over 2 GiB in all, or badly named.
    """
    names = [asset.name for asset in assets]
    if len(set(names)) < len(names) or not all(map(_ASSET_NAME.fullmatch, names)):
        raise NotCarriedOutError(f"The release {tag} has files with unsafe names: not downloaded.")
    if sum(asset.size for asset in assets) > MAXIMUM_ASSET_BYTES:
        raise NotCarriedOutError(f"The files of release {tag} are over 2 GiB: not downloaded.")


def download(asset: "GitReleaseAsset", path: Path) -> None:
    """Write a file of a release to a new path.

    Raises:
        NotCarriedOutError: it is not as long as the release says.
    """
    from tqdm import tqdm

    _, _, chunks = asset.download_asset(chunk_size=2**20)
    with (
        path.open("xb") as stream,
        tqdm(desc=asset.name, total=asset.size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for chunk in chunks:
            bar.update(stream.write(chunk))
            if stream.tell() > asset.size:
                break
    if path.stat().st_size != asset.size:
        raise NotCarriedOutError(f"{asset.name} is not {asset.size} bytes long: download it again.")
