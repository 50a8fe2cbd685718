"""The author's `build_model`, and in one sentence where the author's code stopped and why."""

import importlib
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.errors import AssayError, NotCarriedOutError, UsageError
from assay.predictions import MismatchedAnswerError
from assay.repository import Repository
from assay.texts import on_one_line, plural

LONGEST = 300
REMEDIES = (
    "leave the row out, take another featurizer, or give MatminerFeatures on_gap='nan' and put an "
    "imputer behind it in the pipeline"
)

Table = tuple[Path, Sequence[str]]

_FRAME = re.compile(r'^ *(?:\| *)*File "(.+?)", line (\d+)', re.MULTILINE)
# a bundle's own copy of the author's code, see `model.loading`
_BUNDLED = re.compile(r".*/assay-bundle-[^/]+/code/(.+)")


def place_of(root: Path, error: BaseException) -> str:
    """The author's file and line where an error came from, deepest first; "" if there is none.

    It is found in another process's traceback, too, and in a bundle's copy of the code.
    """
    if isinstance(error, SyntaxError) and error.filename:
        found = _own(root, error.filename)
        return f"{found}, line {error.lineno}" if found else ""
    text = "".join(traceback.format_exception(error))
    places = [(_own(root, file), line) for file, line in _FRAME.findall(text)]
    return next((f"{file}, line {line}" for file, line in reversed(places) if file), "")


def _own(root: Path, file: str) -> str:
    if bundled := _BUNDLED.fullmatch(file):
        return f"src/{bundled[1]}"
    path, source = Path(file), root / "src"
    if not path.is_relative_to(source) or path.is_relative_to(source / "assay"):
        return ""
    return path.relative_to(root).as_posix()


def told(error: BaseException) -> str:
    """The kind of an error and what it says, on one line."""
    said = " ".join(on_one_line(str(error)).split())[:LONGEST]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def not_running(root: Path, error: BaseException, doing: str, instead: str = "") -> AssayError:
    """The error to raise in place of one of the author's code: a sentence with file and line.

    Args:
        root: the repository.
        error: what was raised.
        doing: a clause such as "the model cannot be fitted".
        instead: the file to name where the traceback has none of the author's own.
    """
    if isinstance(error, MemoryError):
        return NotCarriedOutError(
            f"{doing}, since memory ran out: use a machine with more memory, or fewer features.",
            code="model.out-of-memory",
        )
    where = place_of(root, error) or instead
    said = str(error)[:-1] if isinstance(error, MismatchedAnswerError) else told(error)
    return UsageError(
        f"{where}{': ' if where else ''}{doing} ({said}); correct the code.",
        code="model.not-running",
    )


@contextmanager
def of_author(repository: Repository, doing: str, tables: Sequence[Table]) -> Iterator[None]:
    """Have an error of the author's code, or of a formula that it cannot use, be one sentence.

    Args:
        repository: whose code it is.
        doing: as of `not_running`.
        tables: the paths of the tables that the formulas stand in, each with its formulas.

    Raises:
        UsageError: in the place of whatever is no AssayError.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, AssayError) and not isinstance(error, MismatchedAnswerError):
            raise
        if gaps := getattr(error, "gaps", None):
            raise _with_rows(repository.root, dict(gaps.values()), tables) from None
        instead = f"src/{repository.settings.project.package}/model.py"
        raise not_running(repository.root, error, doing, instead) from error


def _with_rows(root: Path, gaps: dict[str, str], tables: Sequence[Table]) -> UsageError:
    """Names the first row of the tables that holds one of the formulas, and how many there are."""
    found = [
        (path, line, gaps[formula])
        for path, formulas in tables
        for line, formula in enumerate(formulas, start=2)
        if formula in gaps
    ]
    if not found:
        return UsageError(f"{next(iter(gaps.values()))}: {REMEDIES}.", code="features.no-value")
    path, line, sentence = found[0]
    more = f" (and {plural(len(found) - 1, 'further row')} like it)" if len(found) > 1 else ""
    shown = path.relative_to(root).as_posix()
    return UsageError(
        f"{shown}, line {line}: {on_one_line(sentence)}{more}; {REMEDIES}.",
        code="features.no-value",
    )


def load_builder(repository: Repository) -> Any:
    """The author's `build_model` from `src/<package>/model.py`, or the package of this name.

    Raises:
        UsageError: there is no such module or function, or it does not run.
    """
    root, settings = repository.root, repository.settings
    source = str(root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    name = f"{settings.project.package}.model"
    path = root / "src" / Path(*name.split(".")).with_suffix(".py")
    if not path.is_file() and (path.with_suffix("") / "__init__.py").is_file():
        path = path.with_suffix("") / "__init__.py"
    if not path.is_file():
        raise UsageError(
            f"{path.relative_to(root)} does not exist: restore it, or correct project.package in "
            "assay.toml.",
            code="model.no-module",
        )
    try:
        builder = importlib.import_module(name).build_model
        builder(settings.model.seed)
    except AttributeError as error:
        if "build_model" not in str(error):
            raise not_running(root, error, "build_model(seed) does not run", "src") from error
        raise UsageError(
            f"{path.relative_to(root)} must define build_model(seed).", code="model.no-builder"
        ) from None
    except Exception as error:
        raise not_running(root, error, "build_model(seed) does not run", "src") from error
    return builder
