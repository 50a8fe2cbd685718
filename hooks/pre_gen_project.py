"""Refuses answers that would render a broken repository, with one sentence, before it is made."""

import csv
import json
import keyword
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

EXAMPLE = {"target": "formation_enthalpy", "unit": "eV/atom"}
INSTALLED = """
assay cryptography github great_expectations hatchling hypothesis jinja2 joblib matminer matplotlib
mlflow numpy pandas pyarrow pydantic pygithub pymatgen pytest pyyaml ruff scikit_learn scipy
securesystemslib sklearn skops test tests tqdm typer yaml
"""
TAKEN = {*re.findall(r"\w+", INSTALLED), *sys.stdlib_module_names, *keyword.kwlist}


def problems(answers: dict[str, str]) -> Iterator[str]:
    """One sentence for each thing that is wrong with the answers."""
    project, target = answers["project"], answers["target"]
    for question in ("author", "target", "unit"):
        text = answers[question]
        if not text.isprintable() or not text.strip() or set(text) & set('"\\<>'):
            yield f'{question}: {text!r} must be printable text without ", \\, < and >.'
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}[A-Za-z0-9]", project):
        yield f"project: {project!r} must be 2 to 64 letters, digits, - and _."
    if answers["__package"] in TAKEN:
        yield f"project: {project!r} is taken by a Python package or keyword; take another name."
    if not re.search(r"\w", answers["author"]):
        yield f"author: {answers['author']!r} must hold a letter."
    if target.strip() != target or target in {"formula", "row_id"}:
        yield f"target: {target!r} must be a column other than formula and row_id."
    if shutil.which("git") is None:
        yield "git is not installed: install it, then try again."
    yield from example_problems(answers) if answers["data"] == "example" else data_problems(answers)


def example_problems(answers: dict[str, str]) -> Iterator[str]:
    """The example has one target, in one unit."""
    for question, value in EXAMPLE.items():
        if answers[question] != value:
            yield f"{question}: the example has {value!r}; keep it, or name your own CSV at data."


def data_problems(answers: dict[str, str]) -> Iterator[str]:
    """The person's table can be read; a relative path starts where the new folder is made."""
    path = Path("..", Path(answers["data"]).expanduser())
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (OSError, ValueError, csv.Error) as error:
        yield f"data: {answers['data']!r} cannot be read as a UTF-8 CSV: {error}."
        return
    for column in ("formula", answers["target"]):
        if column not in header:
            yield f"data: {answers['data']!r} has no column {column!r}."


def main() -> None:
    """Judge the answers, which stand in a raw string: JSON never holds three quotes in a row."""
    sentence = next(problems(json.loads(r"""<< cookiecutter | tojson >>""")), None)
    if sentence:
        sys.exit(sentence)


if __name__ == "__main__":
    main()
