"""What lies in a repository beside its packages is not imported where the keys are.

Every module that a verb might import is planted at the root and in `src/` on main, each of which
leaves a mark when it runs; the trusted jobs' verbs are then run as the workflows run them.
"""

import subprocess
from pathlib import Path

import pytest

from assay import wheels
from assay.layout import Handover, Layout
from assay.sealing.encryption import SEALING, SIGNING
from environments import ROOT, make_environment
from sealed import seal_labels
from toy import PACKAGE, change_card, commit, environment, read_card

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("laptop")]

# those that Python looks for by itself, those that libraries try, and what everybody imports
NAMES = ("sitecustomize", "usercustomize", "simplejson", "typing_extensions", "pickle", "numpy")
MARK = "import pathlib\npathlib.Path({marks!r}, {name!r}).touch()\n"


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """The folder where a planted module leaves its mark."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def hostile(toy: Path, marks: Path) -> Path:
    """Main of a sealed repository with the planted modules, its lock installed in `.venv`."""
    seal_labels(Layout(toy))
    for folder in (toy, toy / "src"):
        for name in NAMES:
            mark = MARK.format(marks=str(marks), name=f"{folder.name}-{name}")
            (folder / f"{name}.py").write_text(mark)
    package = toy / "src" / PACKAGE / "__init__.py"
    package.write_text(package.read_text() + MARK.format(marks=str(marks), name="package"))
    change_card(Handover(Layout(toy).out), commit=commit(toy, "Merge what nobody looked at"))
    carrier = toy.with_name("carrier")
    wheels.build_wheel(ROOT, carrier / wheels.FOLDER)
    make_environment(carrier, toy / ".venv")
    return toy


def step(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A step of a trusted job: the installed command, in the checkout."""
    return subprocess.run(
        [root / ".venv" / "bin" / "assay", *arguments],
        cwd=root,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def keys_of(root: Path) -> dict[str, str]:
    """The keys as the environment `heldout` gives them; they lie in no file any more."""
    found = {}
    for key in (SEALING, SIGNING):
        path = root / ".assay" / "keys" / key.file
        found[key.variable] = path.read_text().strip()
        path.unlink()
    return found


def make_editable(root: Path) -> None:
    """Put the author's `src/` on Python's path, as `make setup` does."""
    (site,) = (root / ".venv").glob("lib/python3*/site-packages")
    (site / "_author.pth").write_text(f"{root / 'src'}\n")


def test_nothing_beside_the_packages_runs_where_the_keys_are(hostile: Path, marks: Path):
    """No verb of the trusted jobs imports what lies in main's root or `src/`, and each works."""
    keys = keys_of(hostile)
    digest = read_card(Handover(Layout(hostile).out)).bundle_digest
    verbs = (
        ("score",),
        ("report",),
        ("ledger", "show"),
        ("ledger", "verify"),
        ("predict", "data/candidates/few.csv", "--scheduler", "local", "--shard-rows", "1"),
        ("batch", "sign"),
        ("verify", "out/certificate.json"),
        ("revoke", digest, "--reason", "it was planted"),
    )
    for verb in verbs:
        done = step(hostile, *verb, **keys)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)
        assert sorted(path.name for path in marks.iterdir()) == [], verb


def test_an_editable_installation_would_run_what_is_planted(hostile: Path, marks: Path):
    """The planted modules do run, with the keys in reach, where `src/` is on Python's path."""
    make_editable(hostile)
    step(hostile, "--version", **keys_of(hostile))
    assert "src-sitecustomize" in {path.name for path in marks.iterdir()}


def test_a_module_run_by_its_name_would_run_what_is_planted(hostile: Path, marks: Path):
    """`python -m assay` looks in the current folder first, so no workflow uses it."""
    python = hostile / ".venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "assay", "score"],
        cwd=hostile,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert {path.name for path in marks.iterdir()}
