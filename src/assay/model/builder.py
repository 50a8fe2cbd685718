"""The author's `build_model`, and a sentence where it does not run."""

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.settings import Settings


def load_builder(root: Path, settings: Settings) -> Any:
    """The author's `build_model` from `src/<package>/model.py`.

    Raises:
        UsageError: there is no such module or function, or it does not run.
    """
    source = str(root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    name = f"{settings.project.package}.model"
    path = root / "src" / Path(*name.split(".")).with_suffix(".py")
    if not path.is_file():
        raise UsageError(
            f"{path.relative_to(root)} does not exist: restore it, or correct project.package in "
            "assay.toml."
        )
    try:
        builder = importlib.import_module(name).build_model
        builder(settings.model.seed)
    except AttributeError as error:
        if "build_model" not in str(error):
            raise _not_running(root, error) from error
        raise UsageError(f"{path.relative_to(root)} must define build_model(seed).") from None
    except Exception as error:
        raise _not_running(root, error) from error
    return builder


def _not_running(root: Path, error: Exception) -> UsageError:
    """Says where the author's own code stopped, and why."""
    own = str(root / "src")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if own in frame.filename]
    inside = [frame for frame in frames if f"{own}/assay/" not in frame.filename]
    where = "src"
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{Path(error.filename).relative_to(root)}, line {error.lineno}"
    elif inside:
        where = f"{Path(inside[-1].filename).relative_to(root)}, line {inside[-1].lineno}"
    said = " ".join(str(error).split()) or type(error).__name__
    return UsageError(f"{where}: build_model(seed) does not run ({said}); mend it.")
