"""The author's `build_model`, and a sentence where it does not run."""

import importlib
import sys
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.model.failures import not_running
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
            raise not_running(root, error, "build_model(seed) does not run", "src") from error
        raise UsageError(f"{path.relative_to(root)} must define build_model(seed).") from None
    except Exception as error:
        raise not_running(root, error, "build_model(seed) does not run", "src") from error
    return builder
