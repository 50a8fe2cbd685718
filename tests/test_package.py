"""The package outside of the template, as docs/howto/use-the-package.md shows it."""

import re
import sysconfig
import venv
from pathlib import Path

import pytest

from conftest import ROOT
from programs import program, run

PAGE = ROOT / "docs" / "howto" / "use-the-package.md"
BLOCK = re.compile(r"```(?:python|toml)\n# (\S+)\n(.*?)```", re.DOTALL)
CLEAN = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}

pytestmark = pytest.mark.slow  # it installs the package and starts a pytest of its own


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's own files, in a folder with an environment in which the package is installed."""
    folder = tmp_path_factory.mktemp("gaps")
    for name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    venv.create(folder / ".venv", symlinks=True)
    (site,) = (folder / ".venv").glob("lib/python3*/site-packages")
    # what the package depends on is there already; the package itself is installed
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / ".venv" / "bin" / "python"
    install = ("pip", "install", "--python", python, "--no-deps", "--no-build-isolation", ROOT)
    done = run(program("uv"), *install, folder=folder, **CLEAN)
    assert done.returncode == 0, done.stderr
    return folder


def pytest_of(project: Path, *options: str) -> str:
    """What pytest prints of the project."""
    python = project / ".venv" / "bin" / "python"
    command = (python, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", *options)
    done = run(*command, folder=project, **CLEAN)
    return done.stdout + done.stderr


def test_the_five_lines_test_a_model_of_ones_own(project):
    """Every property runs and holds, with the installed package and not this checkout's."""
    assert len([line for line in (project / "test_gaps.py").read_text().splitlines() if line]) == 5
    printed = pytest_of(project)
    assert "7 passed" in printed, printed
    python = project / ".venv" / "bin" / "python"
    place = run(python, "-c", "import assay; print(assay.__file__)", folder=project, **CLEAN)
    assert place.stdout.startswith(str(project))


def test_the_five_lines_find_a_mistake(project):
    """A model whose answer depends on the spelling fails the property that says so."""
    module = project / "gaps.py"
    sound = module.read_text()
    call = 'MODEL.predict(pd.DataFrame({"formula": formulas}))'
    assert call in sound
    module.write_text(sound.replace(call, "[float(len(text)) for text in formulas]"))
    try:
        printed = pytest_of(project, "-k", "equivalent_spellings")
    finally:
        module.write_text(sound)
    assert re.search(r"FAILED test_gaps\.py::test_equivalent_spellings_agree", printed), printed


def test_the_page_prints_what_it_says(project):
    """The example of the gate's statistics prints the sentence on the page."""
    done = run(project / ".venv" / "bin" / "python", "compare.py", folder=project, **CLEAN)
    assert done.stdout.strip()
    assert f"`{done.stdout.strip()}`" in PAGE.read_text(encoding="utf-8")


def test_the_command_line_comes_with_it(project):
    """`assay` is installed, and says outside of a repository what it needs."""
    command = project / ".venv" / "bin" / "assay"
    assert run(command, "--help", folder=project, **CLEAN).returncode == 0
    refused = run(command, "check", folder=project, **CLEAN)
    assert (refused.returncode, "assay.toml" in refused.stderr) == (2, True)
