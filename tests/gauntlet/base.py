"""The repository that planted pull requests are made against: generated, sealed, certified."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from assay import wheels
from assay.compositions import chemical_system
from assay.files import replaced_folder
from environments import unpack_machinery
from gauntlet.cases import TRAIN, rows_of, write_rows
from gauntlet.sources import BASE

TEMPLATE = Path(__file__).parents[2]
CANDIDATES = 60
# What the planted repository declares, so that the properties which need a declaration have one.
RELATIONS = """
[[sanity.monotonic]]
along = "O"
direction = "decreasing"
between = ["Ti4O", "TiO"]
tolerance = 0.3

[[sanity.symmetric]]
exchange = ["Zr", "Hf"]
tolerance = 0.8
"""
# What was corrected on main before, of a row that is gone since.
PAST = """row_id,column,old,new,reason,source
t09999,formation_enthalpy,-0.5,-0.25,per formula in table 3 of the source,doi:10.1000/0
"""
HELD_BACK = 60
PERSON = {
    f"GIT_{role}_{part}": text
    for role in ("AUTHOR", "COMMITTER")
    for part, text in (("NAME", "A. Student"), ("EMAIL", "student@localhost"))
}


def environment(root: Path) -> dict[str, str]:
    """The environment of a laptop that has the repository's own machinery and nothing else."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("GITHUB_", "ASSAY_", "MLFLOW_", "GIT_", "PYTEST_"))
    }
    machinery = {"PYTHONPATH": str(_machinery(root))} if (root / wheels.FOLDER).is_dir() else {}
    return kept | PERSON | machinery | {"GIT_CONFIG_GLOBAL": os.devnull}


def _machinery(root: Path) -> Path:
    """The repository's wheel, installed where git does not see it; once for each wheel."""
    (wheel,) = (root / wheels.FOLDER).glob("*.whl")
    folder = root / ".git" / "machinery" / wheel.stem
    if not folder.is_dir():
        with replaced_folder(folder) as target:
            unpack_machinery(root, target)
    return folder


def git(root: Path, *arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(
        ["git", "-C", str(root), *arguments],
        env=environment(root),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def assay(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in a repository, with that repository's machinery and further variables."""
    return subprocess.run(
        [sys.executable, "-m", "assay", *arguments],
        cwd=root,
        env=environment(root) | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def make_base(folder: Path) -> Path:
    """Generate the repository with a quick model, seal its labels and certify the model.

    Raises:
        RuntimeError: a verb did not end as it must; its output is told.
    """
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    subprocess.run([*command, "-o", str(folder)], env=environment(folder), check=True)
    root = folder / "formation-enthalpy"
    (root / "src" / "formation_enthalpy" / "model.py").write_text(BASE)
    _declare(root / "assay.toml")
    _hold_back(root)
    (root / "data" / "corrections.csv").write_text(PAST)
    _shorten(root / "data" / "candidates" / "transport.csv")
    _must(root, "init")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Take a quick model and seal the labels")
    _must(root, "check")
    _must(root, "score")
    return root


def switched_off(base: Path, folder: Path, check: str) -> Path:
    """A copy of the base on whose main a check's failures are warnings."""
    root = Path(shutil.copytree(base, folder / "base", symlinks=True))
    with (root / "assay.toml").open("a", encoding="utf-8") as stream:
        stream.write(f'\n[severity]\n"{check}" = "warning"\n')
    git(root, "commit", "--quiet", "--all", "--message", f"Take {check} for a warning")
    return root


def _declare(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# element_value = 0.0", "element_value = 0.0") + RELATIONS)


def _hold_back(root: Path) -> None:
    # rows for a good change: the last systems by name; and a column of where rows come from
    rows = [row | {"source": "transport"} for row in rows_of(root, TRAIN)]
    systems = sorted({chemical_system(row["formula"]) for row in rows})
    late = set(systems[-HELD_BACK:])
    write_rows(root, TRAIN, [row for row in rows if chemical_system(row["formula"]) not in late])
    kept = [row for row in rows if chemical_system(row["formula"]) in late]
    with (root / ".git" / "held_back.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(kept[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def _shorten(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: CANDIDATES + 1]), encoding="utf-8")


def _must(root: Path, verb: str) -> None:
    done = assay(root, verb)
    if done.returncode:
        raise RuntimeError(f"assay {verb} ended with {done.returncode}: {done.stdout}{done.stderr}")
