"""Where a list of candidates comes from: a file, a release's file, or an artifact of a run."""

import lzma
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from assay.assets import MAXIMUM_ASSET_BYTES, is_safe
from assay.errors import NotCarriedOutError, UsageError
from assay.layout import Layout

# a prefix such as `release:` is no beginning of a path that anybody has
_RELEASE = re.compile(r"release:(?P<tag>[^/]+)/(?P<file>[^/]+)")
_ARTIFACT = re.compile(r"artifact:(?P<run>[1-9]\d{0,18})/(?P<name>[^/]+)(?:/(?P<file>.+))?")
_LISTS = (".csv", ".csv.gz", ".parquet")
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def obtain(root: Path, source: str) -> Path:
    """The list that is meant: a path as it is, or what `out/candidates` holds once it is fetched.

    `release:TAG/FILE` is a file of this repository's release, `artifact:RUN/NAME` or
    `artifact:RUN/NAME/FILE` a list in an artifact of one of its workflow runs.

    Raises:
        UsageError: it is neither, the artifact holds no or several lists, or in Actions the path
            leads out of the repository.
        NotCarriedOutError: GitHub does not hand it over.
    """
    if not source.startswith(("release:", "artifact:")):
        return _in_repository(root, source)
    release, artifact = _RELEASE.fullmatch(source), _ARTIFACT.fullmatch(source)
    folder = Layout(root).out / "candidates"
    folder.mkdir(parents=True, exist_ok=True)
    if release:
        return _from_release(folder, release["tag"], release["file"])
    if artifact:
        return _from_artifact(folder, int(artifact["run"]), artifact["name"], artifact["file"])
    raise UsageError(
        f"{source!r:.120} names no list: write a path, release:TAG/FILE or artifact:RUN/NAME."
    )


def _in_repository(root: Path, source: str) -> Path:
    if os.environ.get("GITHUB_ACTIONS") and not Path(source).resolve().is_relative_to(
        root.resolve()
    ):
        raise UsageError(f"{source!r:.120} is no path in this repository: write one.")
    return Path(source)


def _from_release(folder: Path, tag: str, file: str) -> Path:
    from assay.github import Repository

    _require_safe(file)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        found = Path(name) / "list"
        Repository.from_environment().fetch_asset(tag, file, found)
        return found.replace(folder / file)


def _from_artifact(folder: Path, run: int, artifact: str, file: str | None) -> Path:
    from assay.github import Repository

    with tempfile.TemporaryDirectory(dir=folder) as name:
        archive, found = Path(name) / "archive", Path(name) / "list"
        Repository.from_environment().fetch_artifact(run, artifact, archive)
        member = _take(archive, artifact, file, found)
        return found.replace(folder / member)


def _take(archive: Path, artifact: str, file: str | None, place: Path) -> str:
    """Write the list in an artifact's archive to a place; gives its name without folders."""
    try:
        with zipfile.ZipFile(archive) as content:
            lists = [one for one in content.infolist() if one.filename.lower().endswith(_LISTS)]
            chosen = [one for one in lists if file is None or one.filename == file]
            if len(chosen) != 1:
                raise UsageError(
                    f"the artifact {artifact!r:.80} holds {len(chosen)} such lists: name one as "
                    "artifact:RUN/NAME/FILE (CSV, gzipped CSV or Parquet)."
                )
            name = Path(chosen[0].filename).name
            _require_safe(name)
            if chosen[0].file_size > MAXIMUM_ASSET_BYTES:
                raise NotCarriedOutError(f"{name} in it unpacks to over 2 GiB: not unpacked.")
            with content.open(chosen[0]) as source, place.open("xb") as stream:
                shutil.copyfileobj(source, stream, 2**20)
            return name
    except (*DAMAGED, RuntimeError, OSError, EOFError, ValueError) as error:
        raise NotCarriedOutError(
            f"the artifact {artifact!r:.80} cannot be unpacked ({type(error).__name__}): upload it "
            "again."
        ) from None


def _require_safe(name: str) -> None:
    if not is_safe(name):
        raise UsageError(
            f"the list is called {name!r:.80}: give it a name of letters, digits, dots, dashes and "
            "underscores."
        )
