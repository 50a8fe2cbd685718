"""Baking: every answer gives a sound repository, or a sentence and nothing at all."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from acting import make_quick
from assay.settings import read_settings
from conftest import ROOT, TEMPLATE, commit, find_python, git, neutral_environment
from programs import missing, program, run

OWN_TABLE = "formula,band gap (eV)\nNaCl,8.5\nGaAs,1.4\n"
OWN = {"data": "own.csv", "target": "band gap (eV)", "unit": "eV"}
DELIMITERS = ("<<", ">>", "<%", "%>", "<#", "#>")


def texts(folder: Path) -> dict[Path, str]:
    """The text files of a tree by relative path, caches and git's own left out."""
    hidden = {".git", "__pycache__", "node_modules", ".ruff_cache", ".venv"}
    return {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".whl"
        and not hidden & set(path.relative_to(folder).parts)
    }


def copied_verbatim(path: Path) -> bool:
    """Whether cookiecutter copies this file of the template without rendering it."""
    patterns = json.loads((ROOT / "cookiecutter.json").read_text())["_copy_without_render"]
    return any(path.is_relative_to(pattern) for pattern in patterns if "*" not in pattern)


def assert_sound(repository: Path) -> None:
    """One clean commit on main; every configuration file can be read; no trace of rendering."""
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-list", "--count", "main") == "1"
    settings = read_settings(repository)
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == settings.project.name
    ast.parse((repository / "src" / settings.project.package / "model.py").read_text())
    citation = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["title"] == project["name"]
    assert citation["authors"] == project["authors"]
    assert (repository / "LICENSE").read_text(encoding="utf-8").count(project["authors"][0]["name"])
    json.loads((repository / ".cookiecutter.json").read_text())


def test_at_most_six_questions():
    """Every question has a prompt, and there are no more than six."""
    content = json.loads((ROOT / "cookiecutter.json").read_text())
    questions = [key for key in content if not key.startswith("_")]
    assert len(questions) <= 6
    assert set(questions) == set(content["__prompts__"])


def test_default_is_sound(rendered):
    """The default answers give a repository with a clean first commit and readable settings."""
    assert_sound(rendered)
    settings = read_settings(rendered)
    assert (settings.target.column, settings.target.unit) == ("formation_enthalpy", "eV/atom")
    assert git(rendered, "log", "-1", "--format=%an <%ae>") == "A. Student <author@localhost>"


def test_answers_are_recorded(rendered):
    """The six answers are in the repository."""
    answers = json.loads((rendered / ".cookiecutter.json").read_text())["answers"]
    defaults = json.loads((ROOT / "cookiecutter.json").read_text())
    # of one's own data these two are found by `assay init`
    defaults |= {"target": "formation_enthalpy", "unit": "eV/atom"}
    for question, answer in answers.items():
        default = defaults[question]
        assert answer == (default[0] if isinstance(default, list) else default)
    assert len(answers) == 6


def test_rendering_leaves_no_trace(rendered):
    """No delimiter, no path of this machine and no index address is in the rendered files."""
    places = map(re.escape, (str(ROOT), str(rendered.parent), str(Path.home())))
    traces = re.compile("|".join([r"cookiecutter\.[a-z_]", *places]))
    for path, text in texts(rendered).items():
        for delimiter in ("<<", "<%", "%>", "<#"):
            assert delimiter not in text, path
        assert not traces.search(text), path
        assert not re.search(r"(?<!emit-)index-url|https?://[^/\s]+/(simple|packages)/", text), path


def test_rendering_is_deterministic(bake, rendered):
    """The same answers give the same tree, wherever and whenever."""
    again = bake()
    assert git(again.repository, "rev-parse", "HEAD^{tree}") == git(
        rendered, "rev-parse", "HEAD^{tree}"
    )


def test_questions_answered_with_return(tmp_path, tmp_path_factory, rendered):
    """Pressing return at every question gives the default repository."""
    done = subprocess.run(
        [program("cookiecutter"), str(ROOT)],
        input="\n" * 6,
        env=neutral_environment(tmp_path_factory.mktemp("home")),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Next:" in done.stdout
    made = tmp_path / rendered.name
    assert git(made, "rev-parse", "HEAD^{tree}") == git(rendered, "rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("data", ["example", "own.csv"])
@pytest.mark.parametrize("licence", ["MIT", "BSD-3-Clause", "proprietary"])
def test_every_choice(bake, tmp_path, licence, data):
    """Each licence with each kind of data renders soundly and says what it grants."""
    (tmp_path / "own.csv").write_text(OWN_TABLE)
    answers = OWN if data == "own.csv" else {}
    baked = bake(project="My-Model_2", license=licence, **answers)
    assert baked.code == 0, baked.printed
    assert_sound(baked.repository)
    opening = {"MIT": "MIT License", "BSD-3-Clause": "BSD 3-Clause", "proprietary": "Copyright"}
    assert (baked.repository / "LICENSE").read_text().startswith(opening[licence])
    assert read_settings(baked.repository).project.package == "my_model_2"


def test_own_data_stay_out_of_git(bake, tmp_path):
    """A person's table is kept for `assay init`, ignored by git; the example's labels are gone."""
    (tmp_path / "own.csv").write_text(OWN_TABLE)
    baked = bake(**OWN)
    kept = baked.repository / ".assay" / "source" / "own.csv"
    assert kept.read_text() == OWN_TABLE
    assert git(baked.repository, "check-ignore", ".assay/source/own.csv")
    assert not git(baked.repository, "ls-files", "data")
    # what a form or a command offers is there once `assay init` has run
    form = (baked.repository / ".github" / "workflows" / "predict.yml").read_text()
    assert "default: data/pool.csv" in form
    assert "transport" not in (baked.repository / "README.md").read_text()
    assert "8.5" not in git(baked.repository, "log", "-p", "--", "data/*.csv", ".assay", "*.toml")
    assert "assay init" in baked.printed
    assert read_settings(baked.repository).target.column == OWN["target"]


def test_any_file_is_taken_as_it_is(bake, tmp_path):
    """What a table holds is for `assay init` to say: target and unit are left to it unless told."""
    (tmp_path / "heat 7.xlsx").write_bytes(b"PK\x03\x04")
    baked = bake(data="heat 7.xlsx")
    assert baked.code == 0, baked.printed
    assert (baked.repository / ".assay" / "source" / "heat 7.xlsx").is_file()
    target = read_settings(baked.repository).target
    assert (target.column, target.unit) == ("?", "?")


@pytest.mark.parametrize(
    "answers",
    [
        {"author": "Zoë Ångström 😀"},
        {"author": "Miles O'Brien, PhD; rm -rf $HOME `id`"},
        {"author": "{{ 7 * 7 }} {% raw %} ${{ secrets.X }}"},
        {"author": "# %s %(a)s {project}"},
        {"project": "A1"},
        {"project": "x" * 64},
    ],
    ids=lambda answers: next(iter(answers.values()))[:20],
)
def test_odd_but_sound_answers(bake, answers):
    """Odd text arrives as it was typed."""
    baked = bake(**answers)
    assert baked.code == 0, baked.printed
    assert_sound(baked.repository)
    project = tomllib.loads((baked.repository / "pyproject.toml").read_text())["project"]
    assert project["authors"][0]["name"] == answers.get("author", "A. Student")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"project": "my model"}, "project: 'my model' must be"),
        ({"project": "mödel"}, "project: 'mödel' must be"),
        ({"project": 'a"b'}, "must be 2 to 64 letters"),
        ({"project": "-model"}, "must be 2 to 64 letters"),
        ({"project": "class"}, "taken by a Python package or keyword"),
        ({"project": "assay"}, "taken by a Python package or keyword"),
        ({"project": "NumPy"}, "taken by a Python package or keyword"),
        ({"project": "scikit-learn"}, "taken by a Python package or keyword"),
        ({"project": "statistics"}, "taken by a Python package or keyword"),
        ({"project": "../x"}, "project: one folder name"),
        ({"project": "a/b"}, "project: one folder name"),
        ({"project": "x" * 300}, "project: one folder name"),
        ({"project": ".."}, "already exists"),
        ({"project": ""}, "already exists"),
        ({"author": 'A. "B" C'}, "author: 'A. \"B\" C' must be printable"),
        ({"author": '"""'}, "must be printable"),
        ({"author": "'''"}, "must hold a letter"),
        ({"author": "back\\slash"}, "must be printable"),
        ({"author": "two\nlines"}, "must be printable"),
        ({"author": "bell\a"}, "must be printable"),
        ({"author": "<script>"}, "must be printable"),
        ({"author": '""" + __import__("os").abort() + r"""'}, "must be printable"),
        ({"author": " "}, "must be printable"),
        ({"unit": ""}, "unit: '' must be printable"),
        ({"target": "band_gap"}, "target: the example has 'formation_enthalpy'; keep it"),
        ({"unit": "kJ/mol"}, "unit: the example has 'eV/atom'; keep it"),
        ({"data": "nowhere.csv"}, "/nowhere.csv): give the whole path of your table"),
        ({"data": "."}, "data: '.' is no file"),
        ({"data": "paper.csv"}, "data: 'paper.csv' is a PDF: "),
        ({"data": "own.csv", "target": "formula"}, "a column other than formula"),
        ({"data": "own.csv", "target": " x"}, "a column other than formula"),
        ({"license": "GPL"}, "GPL provided for choice variable license"),
    ],
)
def test_unsound_answer_is_refused(bake, tmp_path, answers, sentence):
    """A bad answer ends with exit code 1 and one sentence; not a file is left behind."""
    (tmp_path / "own.csv").write_text(OWN_TABLE)
    (tmp_path / "paper.csv").write_bytes(b"%PDF-1.7")
    before = {*tmp_path.rglob("*"), *tmp_path.parent.iterdir()}
    baked = bake(**answers)
    assert baked.code == 1
    assert sentence in baked.printed
    assert {*tmp_path.rglob("*"), *tmp_path.parent.iterdir()} == before


def made_elsewhere(folder: Path, home: Path, data: str) -> subprocess.CompletedProcess[str]:
    """Call cookiecutter in a folder, as a shell does, with `-o out` and a table of one's own."""
    answers = [f"{question}={answer}" for question, answer in {**OWN, "data": data}.items()]
    return subprocess.run(
        [program("cookiecutter"), str(ROOT), "--no-input", "-o", "out", *answers],
        env=neutral_environment(home) | {"PWD": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("place", ["own.csv", "out/own.csv"])
def test_relative_table_with_an_output_folder(tmp_path, tmp_path_factory, place):
    """With -o a relative path starts where cookiecutter was called, or in the output folder."""
    (tmp_path / "out").mkdir()
    (tmp_path / place).write_text(OWN_TABLE)
    done = made_elsewhere(tmp_path, tmp_path_factory.mktemp("home"), "own.csv")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "out" / "formation-enthalpy"
    assert (made / ".assay" / "source" / "own.csv").read_text() == OWN_TABLE
    assert f"cd {made}\n" in done.stdout


def test_relative_table_that_may_be_either_is_refused(tmp_path, tmp_path_factory):
    """Two tables of that name are both named, and neither is taken."""
    (tmp_path / "out").mkdir()
    for place in ("own.csv", "out/own.csv"):
        (tmp_path / place).write_text(OWN_TABLE)
    done = made_elsewhere(tmp_path, tmp_path_factory.mktemp("home"), "own.csv")
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert f"may mean two files ({tmp_path}/own.csv and {tmp_path}/out/own.csv)" in told
    assert not (tmp_path / "out" / "formation-enthalpy").exists()


def test_existing_folder_is_left_alone(bake, tmp_path):
    """A folder of that name is neither written to nor removed."""
    work = tmp_path / "formation-enthalpy" / "thesis.txt"
    work.parent.mkdir()
    work.write_text("years of work")
    baked = bake()
    assert baked.code == 1
    assert "already exists" in baked.printed
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [work]


def test_own_git_configuration_does_not_interfere(tmp_path, tmp_path_factory):
    """Hooks that fail, signing without a key and global ignore rules do not spoil the commit."""
    home = tmp_path_factory.mktemp("home")
    (home / "hooks").mkdir()
    hook = home / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / "ignore").write_text("*.csv\nsrc/\n")
    (home / "gitconfig").write_text(
        f"[core]\nhooksPath = {home}/hooks\nexcludesFile = {home}/ignore\nautocrlf = true\n"
        "[commit]\ngpgSign = true\n[user]\nname = Some One\nemail = one@example.org\n"
    )
    done = subprocess.run(
        [program("cookiecutter"), str(ROOT), "--no-input"],
        env=neutral_environment(home) | {"GIT_CONFIG_GLOBAL": str(home / "gitconfig")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / "formation-enthalpy"
    assert "data/train.csv" in git(made, "ls-files").split()
    assert git(made, "log", "-1", "--format=%an %ae") == "A. Student one@example.org"


def test_caches_of_the_template_are_not_rendered(rendered):
    """Nothing that git ignores is in a fresh repository."""
    assert git(rendered, "status", "--porcelain", "--ignored") == ""


def findings_of_jinja(path: Path, text: str) -> list[str]:
    """What breaks the rules of rendering in one file of the template.

    Names are substituted; blocks stand only where a licence or the kind of data decides; Python and
    workflows have neither; no line may look like a line statement.
    """
    verbatim = copied_verbatim(path) or path.suffix == ".py"
    used = [delimiter for delimiter in DELIMITERS if delimiter in text]
    if copied_verbatim(path):
        return []
    if verbatim:
        return used
    names = re.findall(r"<<(.*?)>>", text, flags=re.DOTALL)
    bad = [name for name in names if not re.search(r"cookiecutter\.\w+", name)]
    return bad + re.findall(r"^\s*#%.*", text, flags=re.MULTILINE)


def test_only_names_are_substituted():
    """Python has no Jinja, other files substitute answers, and no line is a line statement."""
    for path, text in texts(TEMPLATE).items():
        assert findings_of_jinja(path, text) == [], path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/x/model.py", "a = 1 << 2"),
        ("Makefile", "#% if x"),
        ("README.md", "cat << EOF >> file"),
    ],
)
def test_planted_jinja_is_found(path, text):
    """The rules of rendering bite."""
    assert findings_of_jinja(Path(path), text)


@pytest.mark.parametrize("hook", ["pre_gen_project.py", "post_gen_project.py"])
def test_hook_is_small_standard_python(hook):
    """A hook is valid Python where it stands, short, and imports the standard library alone."""
    text = (ROOT / "hooks" / hook).read_text()
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    modules |= {
        name.name for node in imports for name in node.names if isinstance(node, ast.Import)
    }
    assert {module.split(".")[0] for module in modules} <= {*sys.stdlib_module_names, "assay"}
    assert len(text.splitlines()) < 130


def test_contributing_is_short(rendered):
    """CONTRIBUTING fits on a page, and the commands it names exist in the Makefile."""
    text = (rendered / "CONTRIBUTING.md").read_text()
    assert len(text.splitlines()) < 60
    targets = set(
        re.findall(r"^([a-z]+):", (rendered / "Makefile").read_text(), flags=re.MULTILINE)
    )
    readme = (rendered / "README.md").read_text()
    named = re.findall(r"(?:^|`)make ([a-z ]+)", text + readme, flags=re.MULTILINE)
    assert {word for words in named for word in words.split()} <= targets
    assert named


@pytest.mark.parametrize("goal", ["check", "score", "report", "predict"])
def test_goals_of_make_are_verbs(repository, goal):
    """`make GOAL` runs the verb of that name and no other, and the repository's papers name it."""
    (repository / ".venv").mkdir()
    (repository / ".venv" / "installed").touch()
    done = run("make", "--dry-run", goal, folder=repository, MAKEFLAGS="")
    assert re.findall(r"bin/assay (\w+)", done.stdout) == [goal], done.stdout + done.stderr
    papers = (repository / "README.md").read_text() + (repository / "CONTRIBUTING.md").read_text()
    assert re.search(rf"make ([a-z]+ )*{goal}", papers)


def test_own_lint_holds(rendered):
    """The repository's own style check is green, and sees a planted fault."""
    ruff = program("ruff")
    done = run(ruff, "check", "--no-cache", folder=rendered)
    assert done.returncode == 0, done.stdout
    planted = (ruff, "check", "--no-cache", "--stdin-filename", "src/x.py", "-")
    fault = run(*planted, folder=rendered, text="import os\n")
    assert "F401" in fault.stdout


NOTEBOOK = [
    "%matplotlib inline\n!ls ../data",
    "import os, sys\nimport pandas as pd\nfrom random import *\nimport numpy as np",
    "df = pd.read_csv('../data/train.csv')\ndf.head()",
    "def f(X, verbose = True):\n    assert len(X)>0; print(X)\n    return X",
    "try:\n    f(df)\nexcept:\n    pass\nl = [x for x in range(3)]\nl",
    "%%time\nnp.random.seed(0)\n" + "x = 1 " + "+ 1 " * 60,
]


@pytest.mark.parametrize("place", ["notebooks/explore.ipynb", "explore.ipynb", "src/look.ipynb"])
def test_an_everyday_notebook_is_no_lint_error(repository, place):
    """Magics, prints, unsorted imports and bare expressions of a notebook leave the check green."""
    cells = [
        {"cell_type": "code", "execution_count": 1, "id": f"c{n}", "metadata": {}, "outputs": [],
         "source": text.splitlines(keepends=True)}
        for n, text in enumerate(NOTEBOOK)
    ]  # fmt: skip
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = repository / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    ruff = program("ruff")
    done = run(ruff, "check", "--no-cache", folder=repository)
    assert done.returncode == 0, done.stdout
    assert run(ruff, "check", "--no-cache", "--isolated", place, folder=repository).returncode == 1


def test_own_tests_can_be_collected(rendered):
    """There are tests in the repository, and pytest can import them all."""
    done = run(
        program("python"),
        *("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
        folder=rendered,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.nightly(
    "test_initialization.py divides own tables, and act checks the example, on every push"
)
@pytest.mark.slow
def test_own_data_reach_the_gate(bake, tmp_path, rendered):
    """A person's table is divided and sealed by `assay init` and then passes the checks."""
    lines = (rendered / "data" / "train.csv").read_text().splitlines()[1::4]
    rows = [line.split(",", 1)[1] for line in lines]
    (tmp_path / "own.csv").write_text("\n".join(["formula,dH (eV/atom)", *rows]) + "\n")
    made = bake(data="own.csv", target="dH (eV/atom)").repository
    assay = (sys.executable, "-m", "assay")
    refused = run(*assay, "check", folder=made)
    assert (refused.returncode, "assay init" in refused.stderr) == (2, True)
    # as many trees and examples as show that the way is open
    make_quick(made)
    commit(made, "Make it quick")
    for verb in ("init", "check"):
        done = run(*assay, verb, folder=made)
        assert done.returncode == 0, done.stdout + done.stderr
    settings = read_settings(made)
    assert (settings.target.column, settings.target.kind) == ("dH (eV/atom)", "number")
    assert 0 < settings.gate.margin < 0.1
    git(made, "add", "--all")
    staged = set(git(made, "ls-files").split())
    assert {"data/sealed_labels.bin", "data/README.md", "certificate.pub"} <= staged
    assert not any("sealed_labels.csv" in name or ".assay" in name for name in staged)


def test_what_a_linked_environment_leads_to_is_not_replaced(repository, tmp_path):
    """`make setup` would clear it: it is refused with what to do, and nothing is touched."""
    kept = tmp_path / "shared"
    kept.mkdir()
    (kept / "a").write_text("kept")
    (repository / ".venv").symlink_to(kept)
    done = run("make", "setup", folder=repository, MAKEFLAGS="")
    assert done.returncode == 2
    assert "remove the link" in done.stderr
    assert [path.name for path in kept.iterdir()] == ["a"]


@pytest.mark.nightly("installs every package again; `make bake` runs it on each push in CI")
@pytest.mark.slow
@pytest.mark.parametrize(
    "version",
    [*(pytest.param(older, marks=pytest.mark.wide) for older in ("3.11", "3.12")), "3.13"],
)
def test_full_bake(repository, version):
    """From its lock the repository installs, and its lint, tests and checks are green."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine; CI has it")
    # what is compiled is kept, as on any machine: every process would compile all libraries anew
    clean = {"MAKEFLAGS": "", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
    for goal in ("setup", "lint", "test", "check"):
        done = run("make", goal, folder=repository, **clean, PYTHON=str(python))
        assert done.returncode == 0, f"make {goal}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    told = run(".venv/bin/python", "--version", folder=repository).stdout
    assert told.startswith(f"Python {version}.")
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.wide
def test_install_without_uv(repository, tmp_path):
    """Where there is no uv the Makefile takes venv and pip, and the command line works."""
    without_uv = tmp_path / "bin"
    without_uv.mkdir()
    for name in ("sh", "touch", "git", "rm"):
        (without_uv / name).symlink_to(program(name))
    python = find_python("3.11") or find_python("3.12") or find_python("3.13")
    if python is None:
        missing("Python 3.11 to 3.13")
    done = run(
        program("make"), "setup", folder=repository, PATH=str(without_uv), PYTHON=str(python)
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "assay" in run(".venv/bin/assay", "--help", folder=repository).stdout
