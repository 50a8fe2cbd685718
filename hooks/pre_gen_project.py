"""Refuses answers that would render a broken repository, with one sentence, before it is made.

A table of the person's own is copied to where git does not see it, since labels that were ever
committed could not be sealed any more.
"""

import json
import keyword
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

EXAMPLE = {"target": "formation_enthalpy", "unit": "eV/atom"}
INSTALLED = """
assay assay_materials cookiecutter cryptography dask dask_jobqueue distributed github
great_expectations hatchling hypothesis jinja2 joblib matminer matplotlib mlflow nh3 numba numpy
packaging pandas pyarrow pydantic pygithub pymatgen pytest python_calamine pyyaml ruff
scikit_learn scipy securesystemslib setuptools sklearn skops test tests tomlkit tqdm typer yaml
"""
TAKEN = {*re.findall(r"\w+", INSTALLED), *sys.stdlib_module_names, *keyword.kwlist}


def problems(answers: dict[str, str]) -> Iterator[str]:
    """One sentence for each thing that is wrong with the answers."""
    project, target = answers["project"], answers["target"]
    if sys.version_info < (3, 11):  # noqa: UP036 (cookiecutter runs on older ones, too)
        yield "cookiecutter runs on a Python older than 3.11: uvx --python 3.12 cookiecutter ..."
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
            yield f"{question}: the example has {value!r}; keep it, or name your own table at data."


def places(data: str) -> list[Path]:
    """Files that the answer may mean: from where cookiecutter was called, and from its -o.

    Hooks run in the new folder; where the person stood is known from the shell alone.
    """
    bases = (os.environ.get("PWD", ".."), "..")
    paths = [Path(base, Path(data).expanduser()).resolve() for base in bases]
    return list(dict.fromkeys(paths))


def data_problems(answers: dict[str, str]) -> Iterator[str]:
    """The person's table is there, once, and may be one; what is in it, `assay init` says."""
    paths, answer = places(answers["data"]), f"data: {answers['data']!r}"
    files = [path for path in paths if path.is_file()]
    named = " and ".join(map(str, files or paths))
    if len(files) != 1:
        what = "may mean two files" if files else "is no file"
        yield f"{answer} {what} ({named}): give the whole path of your table, or 'example'."
    elif (other_kind := judge(answers)) and (told := other_kind(files[0])) is not None:
        yield f"{answer} {told}."


def judge(answers: dict[str, str]) -> Callable[[Path], str | None] | None:
    """The template's own judge of files that are no table; None where the template is not found."""
    bases = (os.environ.get("PWD", ".."), "..", "../..")
    sources = [Path(base, answers.get("_repo_dir", ""), "src").resolve() for base in bases]
    source = next((one for one in sources if (one / "assay" / "file_kinds.py").is_file()), None)
    if source is None:
        return None
    sys.dont_write_bytecode = True  # the template stays as it was
    sys.path.insert(0, str(source))
    from assay.file_kinds import other_kind

    return other_kind


def main() -> None:
    """Judge the answers, which stand in a raw string: JSON never holds three quotes in a row."""
    answers = json.loads(r"""<< cookiecutter | tojson >>""")
    if sentence := next(problems(answers), None):
        sys.exit(f"{sentence}\nNothing was made. What follows is cookiecutter's own trace.")
    if answers["data"] != "example":
        (table,) = filter(Path.is_file, places(answers["data"]))
        kept = Path(".assay", "source", table.name)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(table, kept)


if __name__ == "__main__":
    main()
