"""Digests, writing that leaves either the old file or the whole new one, and private folders."""

import atexit
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# to rename a folder to a name that others may take at the same time
ATTEMPTS = 5
# within which a folder that was just made is locked
SECONDS_TO_LOCK = 60

# The private folders of this process. Each is locked by its descriptor as long as the process is
# there, however it ends.
_private: dict[Path, int] = {}


def digest_bytes(content: bytes) -> str:
    """SHA-256 of `content` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_tree(folder: Path) -> str:
    """SHA-256 over the sorted relative names and contents of all files in a folder.

    Raises as `manifest_of` does.
    """
    return digest_bytes(manifest_of(folder))


def manifest_of(folder: Path) -> bytes:
    """What `sha256sum` prints for all files of a folder, in the order of their names.

    Anybody can make it with a shell, and check a copy of the folder with `sha256sum --check`.

    Raises:
        ValueError: the folder holds a link or a special file, or a name with control characters.
        OSError: a folder in it cannot be listed.
    """
    lines = []
    for path in sorted(_inside(folder), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise ValueError(f"{name!r} is not a regular file")
        # a line end in a name could make one file's line look like those of two files
        if not name.isprintable() or "\\" in name:
            raise ValueError(f"{name!r} has a control character or backslash in its name")
        if path.is_file():
            lines.append(f"{digest_file(path)}  {name}\n")
    return "".join(lines).encode()


def _inside(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error  # rglob would leave out what it may not list, and code could hide there

    for parent, folders, files in os.walk(folder, onerror=refuse):
        yield from (Path(parent, name) for name in (*folders, *files))


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write to a temporary name beside `path`, then rename; the folder is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)  # a key must be on the disk before its name is
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_bytes` does."""
    write_bytes(path, text.encode())


@contextmanager
def replaced_folder(
    folder: Path, keep: Callable[[Path], object] = lambda _: False
) -> Iterator[Path]:
    """Give an empty temporary folder that takes the place of `folder` when the block ends well.

    Whoever writes the same folder at the same time does no harm: the last one stays, or the first
    one if `keep` says of it that it may.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)
        _take_the_place(temporary, folder, keep)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_the_place(temporary: Path, folder: Path, keep: Callable[[Path], object]) -> None:
    for attempt in range(ATTEMPTS):
        try:
            temporary.rename(folder)  # fails if there is one that holds anything
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or attempt + 1 == ATTEMPTS:
                raise
            if keep(folder):
                return
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return


def private_folder(prefix: str) -> Path:
    """Make a temporary folder that this process alone uses, and that goes when the process ends.

    A process that is killed leaves its folder: the next one on this machine that asks for a folder
    of the same prefix removes it.
    """
    prefix = f"{prefix}{os.uname().nodename}-"
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or gone
            _remove_if_left(folder)
    if not _private:
        atexit.register(remove_private_folders)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    _private[folder] = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # a file system without locks, where nothing is taken for left
        fcntl.flock(_private[folder], fcntl.LOCK_SH)
    return folder


def remove_private_folder(folder: Path) -> None:
    """Remove a private folder before its process ends."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder in _private:
        os.close(_private.pop(folder))


def remove_private_folders() -> None:
    """Remove all of them; for a process that is about to end without what `atexit` was told."""
    for folder in list(_private):
        remove_private_folder(folder)


def _remove_if_left(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid == os.getuid() and time.time() - status.st_mtime > SECONDS_TO_LOCK:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
