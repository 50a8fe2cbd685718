"""The repository that honest changes are made to: the shipped example, sealed and certified."""

import csv
import random
import subprocess
import sys
from pathlib import Path

from assay.compositions import chemical_system
from gauntlet.base import TEMPLATE, environment, git
from gauntlet.cases import POOL, TRAIN, rows_of, write_rows
from honest.verbs import carry_out

NAME = "formation-enthalpy"
HELD_BACK = "held_back.csv"
HELD_SYSTEMS, POOL_ROWS, CANDIDATES = 30, 6000, 40
VERBS = ("schema", "train", "sanity", "score")


def generate(folder: Path) -> Path:
    """Generate the example with its own model and fewer pool rows, nothing carried out yet.

    Some labelled rows are held back in `.git/held_back.csv`: those are the ones that are added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    subprocess.run([*command, "-o", str(folder)], check=True, env=environment(folder))
    root = folder / NAME
    _hold_back(root)
    write_rows(root, POOL, _some(rows_of(root, POOL), POOL_ROWS))
    candidates = root / "data" / "candidates" / "transport.csv"
    lines = candidates.read_text(encoding="utf-8").splitlines(keepends=True)
    candidates.write_text("".join(lines[: CANDIDATES + 1]), encoding="utf-8")
    settings = root / "assay.toml"
    settings.write_text(settings.read_text().replace("examples = 25", "examples = 3"))
    return root


def certify(root: Path) -> None:
    """Seal the labels and certify the model.

    Raises:
        RuntimeError: a verb did not end as it must; the message has its output.
    """
    _must(root, "init")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Seal the labels")
    for verb in VERBS:
        _must(root, verb)


def held_back(root: Path) -> list[dict[str, str]]:
    """Labelled rows that the base does not have, of chemical systems that it does not have."""
    with (root / ".git" / HELD_BACK).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _some(rows: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    kept = sorted(random.Random(0).sample(range(len(rows)), count))
    return [rows[place] for place in kept]


def _hold_back(root: Path) -> None:
    rows = rows_of(root, TRAIN)
    systems = [chemical_system(row["formula"]) for row in rows]
    late = set(random.Random(0).sample(sorted(set(systems)), HELD_SYSTEMS))
    kept = [row for row, system in zip(rows, systems, strict=True) if system not in late]
    rest = [row for row, system in zip(rows, systems, strict=True) if system in late]
    write_rows(root, TRAIN, kept)
    with (root / ".git" / HELD_BACK).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rest[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rest)


def _must(root: Path, verb: str) -> None:
    code, said = carry_out(root, verb)
    if code:
        raise RuntimeError(f"assay {verb} ended with {code}: {said}")
