"""What every expected error must be: one sentence that names the place and says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.errors import AssayError


@contextmanager
def told(kind: type[AssayError], code: int, *parts: str) -> Iterator[None]:
    """Expect an error of this kind and exit code, whose sentence holds every part."""
    with pytest.raises(kind) as caught:
        yield
    assert type(caught.value) is kind
    assert caught.value.exit_code == code
    assert_sentence(str(caught.value), *parts)


def assert_sentence(text: str, *parts: str) -> None:
    """One line that ends with a full stop, holds the parts, and goes on to a remedy.

    On the command line its code stands behind it.
    """
    assert "\n" not in text
    assert re.search(r"\.( \[[a-z]+\.[a-z-]+\])?$", text), text
    assert re.search(r"[:;,] ?\w", text), f"no remedy in {text!r}"
    for part in parts:
        assert part in text, text


def leftovers(folder: Path) -> list[str]:
    """Temporary files of an interrupted write: names that start with a point."""
    return [path.name for path in folder.rglob(".*") if path.is_file()]


def snapshot(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
