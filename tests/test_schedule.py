"""Which tests run when, and that none is left out whose inputs changed."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import schedule
from once import once
from schedule import DURATIONS, INPUTS, PURE, ROOT, digest, digests, read, unchanged

GOALS = ("test", "test-all")
TABLE = {"tests/test_slow.py": ("src/*.py",)}
CONFTEST = """
from pathlib import Path

import schedule
from schedule import *

schedule.ROOT = Path(__file__).parent
schedule.DURATIONS, schedule.DIGESTS = schedule.ROOT / "seconds", schedule.ROOT / "digests"
schedule.SHARED, schedule.INPUTS = (), {"test_slow.py": ("input.txt",)}
"""
SHARING = """
import time
from pathlib import Path

from once import once


def make(folder):
    time.sleep(1)
    with Path(__file__).with_name("made").open("a") as stream:
        stream.write("x")


def test_it(tmp_path_factory):
    assert once(tmp_path_factory, "world", make).is_dir()
"""
INI = "[pytest]\naddopts = --strict-markers\nmarkers =\n  nightly(reason): at night\n  slow: long\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one module and one slow test file, whose whole run is on record."""
    for name in ("src/a.py", "tests/test_slow.py", *schedule.SHARED):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n")
    (tmp_path / "record.json").write_text(json.dumps(digests(tmp_path, TABLE)))
    return tmp_path


def left_out(root: Path) -> set[str]:
    """The test files that need not run."""
    return unchanged(root, TABLE, root / "record.json")


@pytest.mark.parametrize("name", ["src/a.py", "src/b.py", "tests/test_slow.py", *schedule.SHARED])
def test_a_changed_or_new_input_has_its_tests_run(root: Path, name: str) -> None:
    """One byte more in an input, a file more, another lock or another test, and nothing else."""
    assert left_out(root) == set(TABLE)
    (root / "README.md").write_text("x")
    assert left_out(root) == set(TABLE)
    with (root / name).open("a") as stream:
        stream.write("2")
    assert left_out(root) == set()


def test_an_input_that_is_gone_or_renamed_has_its_tests_run(root: Path) -> None:
    """The names of the inputs count, too."""
    (root / "src" / "a.py").rename(root / "src" / "b.py")
    assert left_out(root) == set()


def test_without_a_record_everything_runs(root: Path) -> None:
    """A record that is not there, or does not name the file, leaves nothing out."""
    (root / "record.json").write_text("{}")
    assert left_out(root) == set()
    (root / "record.json").unlink()
    assert left_out(root) == set()


def imported(file: Path) -> Iterator[Path]:
    """The files of this repository that a file imports, at its head or in a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        for name in names:
            for base in (file.parent, *(ROOT / place for place in ("src", "tests", "scripts", ""))):
                module = base.joinpath(*name.split("."))
                yield from filter(Path.is_file, (module.with_suffix(".py"), module / "__init__.py"))


def all_imported(file: Path) -> set[Path]:
    """The same at any distance, with the packages that are imported on the way."""
    found, left = {file}, [file]
    while left:
        new = set(imported(left.pop())) - found
        new |= {one.with_name("__init__.py") for one in new} - found
        left += sorted(path for path in new if path.is_file())
        found |= new
    return {path for path in found if path.is_file()}


@pytest.mark.parametrize("file", PURE)
def test_all_that_a_pure_test_imports_is_an_input(file: str) -> None:
    """A module that is imported and no input could change unseen; one taken away is missed."""
    inputs = {path for one in (file, *PURE[file]) for path in ROOT.glob(one)}
    wanted = all_imported(ROOT / file)
    assert wanted - inputs == set()
    assert wanted - {path for path in inputs if path.parent.name != "assay"} != set()


def test_every_pattern_finds_a_file() -> None:
    """No input was moved away from under its pattern, and no file of a record is gone."""
    for file, patterns in INPUTS.items():
        for pattern in (file, *patterns, *schedule.SHARED):
            assert digest(ROOT, [pattern]) != digest(ROOT, []), pattern
    assert [file for file in read(DURATIONS) if not (ROOT / file).is_file()] == []


def started(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder whose conftest has these hooks."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_run_is_recorded_and_then_not_repeated(tmp_path: Path) -> None:
    """What passed is left out until its input changes, the longest file begins, and it is said."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "input.txt").write_text("1")
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    (tmp_path / "test_slow.py").write_text("import time\ndef test_slow(): time.sleep(0.2)\n")
    assert "2 passed" in started(tmp_path, "--record").stdout
    assert set(json.loads((tmp_path / "seconds").read_text())) == {"test_a.py", "test_slow.py"}
    ordered = started(tmp_path).stdout
    assert ordered.index("test_slow.py::") < ordered.index("test_a.py::")
    again = started(tmp_path, "--changed").stdout
    assert "1 passed, 1 deselected" in again
    assert "left out, as their inputs have not changed: test_slow.py" in again
    (tmp_path / "input.txt").write_text("2")
    assert "2 passed" in started(tmp_path, "--changed").stdout
    # neither a run that fails nor a part of one is a record
    for part in (["-k", "a"], ["-m", "not nightly"], ["test_a.py::test_a"]):
        assert started(tmp_path, "--record", *part).returncode == pytest.ExitCode.USAGE_ERROR
    (tmp_path / "test_a.py").write_text("def test_a(): assert False\n")
    assert started(tmp_path, "--record").returncode == 1
    assert "1 failed, 1 passed" in started(tmp_path, "--changed").stdout


def test_what_is_made_for_all_is_made_once_and_charged_to_none(tmp_path: Path) -> None:
    """Two processes share what the first one makes; a failure leaves nothing that looks made."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(SHARING)
    done = started(tmp_path, "-p", "xdist", "-n", "2", "--dist", "loadfile", "--record")
    assert "2 passed" in done.stdout
    assert (tmp_path / "made").read_text() == "x"
    assert all(spent < 1 for spent in json.loads((tmp_path / "seconds").read_text()).values())


def test_what_failed_is_not_taken_for_made(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever asks next makes it again, from nothing."""

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("planted")

    with pytest.raises(OSError, match="planted"):
        once(tmp_path_factory, "planted", fail)
    assert list(once(tmp_path_factory, "planted", lambda _: None).iterdir()) == []


def test_a_file_that_took_long_is_slow(tmp_path: Path) -> None:
    """By its seconds on record, without a mark of its own."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text("def test_it(): pass\n")
    (tmp_path / "seconds").write_text(json.dumps({"test_a.py": 9.0, "test_b.py": 11.0}))
    quick = started(tmp_path, "-m", "not slow").stdout
    assert "1 passed, 1 deselected" in quick
    assert "test_a.py::test_it PASSED" in quick


def test_a_nightly_test_says_why(tmp_path: Path) -> None:
    """Without a reason the run does not begin."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    text = "import pytest\n@pytest.mark.nightly{}\ndef test_it(): pass\n"
    (tmp_path / "test_it.py").write_text(text.format("('long')"))
    assert started(tmp_path).returncode == 0
    (tmp_path / "test_it.py").write_text(text.format(""))
    done = started(tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_it.py::test_it" in done.stdout + done.stderr


def test_the_night_leaves_nothing_out() -> None:
    """`make test-all` names no mark and asks for no change; the nightly workflow runs it."""
    makefile = (ROOT / "Makefile").read_text()
    push, night = (re.search(rf"^{goal}:.*\n\t(.*)", makefile, re.MULTILINE) for goal in GOALS)
    assert push is not None
    assert night is not None
    assert "not nightly" in push[1]
    assert "--changed" in push[1]
    assert "nightly" not in night[1]
    assert "--changed" not in night[1]
    workflow = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    assert "run: make test-all" in workflow
    assert "run: make bake" in workflow
