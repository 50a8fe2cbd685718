"""pytest, started twice: for the properties of assay, and for the tests of the author.

Nothing that the repository configures reaches the first run: no `conftest.py`, no options, no
plugins but assay's and Hypothesis' own, no environment variables of either. The model's own code
runs there, as a model must, and what it did to the counts shows in them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.errors import NotCarriedOutError
from assay.sanity.reproduction import PLUGIN
from assay.sanity.tiers import MARKER, property_files

HYPOTHESIS = "_hypothesis_pytestplugin"
SETTINGS = "[pytest]\naddopts = --strict-markers\n"
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_NO_PLUGINS": "1"}

Content = dict[str, Any]


def run_kit(root: Path, bundle: Path, loader: str, *, fast: bool) -> Content:
    """Run the properties of assay, where nothing of the repository configures pytest."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "pytest.ini")
        settings.write_text(SETTINGS, encoding="utf-8")
        own = ["--noconftest", "-c", str(settings), "-p", HYPOTHESIS]
        # -P: no file of the repository's folder stands for pytest or Hypothesis
        command = [sys.executable, "-P", "-m", "pytest", *map(str, property_files()), *own]
        return _run(command, root, bundle, loader, fast=fast, variables=ALONE)


def run_own(root: Path, bundle: Path, loader: str, *, fast: bool) -> Content | None:
    """Run the repository's own tests, or None where it has none.

    The properties of assay are collected beside them, as plain `pytest` does, and not run.
    """
    if not (root / "tests").is_dir():
        return None
    command = [sys.executable, "-m", "pytest", *map(str, property_files()), str(root / "tests")]
    # named, as pytest would look for it above all files, of which assay's may lie elsewhere
    command += ["-c", str(root / "pyproject.toml")] if (root / "pyproject.toml").is_file() else []
    command += ["--assay-own", "--continue-on-collection-errors"]
    return _run(command, root, bundle, loader, fast=fast, variables={})


def _run(  # noqa: PLR0913 (one command of six parts)
    command: Sequence[str],
    root: Path,
    bundle: Path,
    loader: str,
    *,
    fast: bool,
    variables: dict[str, str],
) -> Content:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        options = [f"--rootdir={root}", "-p", PLUGIN, "-p", "no:cacheprovider", "-v"]
        options += ["-m", f"not {MARKER}"] if fast else []
        options += [f"--assay-bundle={bundle.resolve()}", f"--assay-loader={loader}"]
        options += [f"--assay-record={record}"]
        code, printed = _followed([*command, *options], root, variables)
        if not record.is_file():
            raise NotCarriedOutError(
                f"pytest ended with code {code} before it could report: "
                f"{' '.join(printed.split())[-600:]}"
            )
        return dict(json.loads(record.read_text(encoding="utf-8")))


def _followed(command: list[str], root: Path, variables: dict[str, str]) -> tuple[int, str]:
    """Run pytest with a bar that counts its tests; its exit code and all it printed."""
    from tqdm import tqdm

    lines = []
    with (
        subprocess.Popen(
            command,
            cwd=root,
            env=_environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
        tqdm(desc="sanity", unit=" properties", disable=None, leave=False) as progress,
    ):
        for line in process.stdout or ():
            lines.append(line)
            progress.update("::" in line and "%]" in line)
    return process.returncode, "".join(lines)


def _environment() -> dict[str, str]:
    # a user's own options of pytest and Hypothesis must not change what is run
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "HYPOTHESIS_"))
    }
    source = str(Path(__file__).parents[2])
    paths = [source, kept["PYTHONPATH"]] if kept.get("PYTHONPATH") else [source]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
