"""The two runs of pytest: side by side, each reported, and gone when what started them is."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.sanity import runs

START = """
import sys
from pathlib import Path
from assay.sanity import runs

root = Path(sys.argv[1])
files = iter([[root / "kit" / "test_kit.py"], []])
runs.property_files = lambda: next(files)
runs.run_both(root, root, "none:none", fast=False)
"""
WAITING = """
import os
import time
from pathlib import Path


def test_waits():
    Path("NAME.part").write_text(str(os.getpid()))
    Path("NAME.part").rename("NAME.pid")
    time.sleep(300)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file of tests that stand for assay's properties, and one of the author."""
    for folder in ("kit", "tests"):
        (tmp_path / folder).mkdir()
    files = iter([[tmp_path / "kit" / "test_kit.py"], []])  # the author's run collects nothing else
    monkeypatch.setattr(runs, "property_files", lambda: next(files))
    return tmp_path


def write(root: Path, kit: str, own: str) -> None:
    """Write the tests of either run."""
    head = "import os\nimport time\nfrom pathlib import Path\nimport pytest\n\n"
    (root / "kit" / "test_kit.py").write_text(head + textwrap.dedent(kit))
    (root / "tests" / "test_own.py").write_text(head + textwrap.dedent(own))


def outcomes(content: runs.Content | None) -> dict[str, str]:
    """How each test ended."""
    assert content is not None
    return {test["name"]: test["outcome"] for test in content["tests"]}


OWN = """
@pytest.mark.slow_sanity
def test_slow():
    assert Path("kit-ended").exists()


def test_quick():
    Path("own-began").touch()
"""
KIT = """
def test_meets_the_other():
    end = time.monotonic() + 60
    while not Path("own-began").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_lasts():
    time.sleep(0.5)
    Path("kit-ended").touch()
"""


def test_both_run_at_once_and_the_slow_tier_waits(root: Path) -> None:
    """A test of the author runs beside a property; its slow suite comes after the first run."""
    write(root, KIT, OWN)
    kit, own = runs.run_both(root, root, "none:none", fast=False)
    assert outcomes(kit) == dict.fromkeys(("test_meets_the_other", "test_lasts"), "passed")
    assert outcomes(own) == {"test_quick": "passed", "test_slow": "passed"}


def test_a_failure_of_either_is_reported(root: Path) -> None:
    """What fails in one run is in its record whatever the other did; the slow suite is left out."""
    write(
        root, "def test_kit():\n    assert False\n", OWN + "\n\ndef test_own():\n    assert False"
    )
    kit, own = runs.run_both(root, root, "none:none", fast=False)
    assert outcomes(kit) == {"test_kit": "failed"}
    assert kit["withheld"]
    assert outcomes(own) == {"test_quick": "passed", "test_own": "failed"}
    assert not (root / "kit-ended").exists()


SEED = """
def test_seed():
    from hypothesis import core

    assert core.global_force_seed == 0
"""


def test_draws_are_pinned_by_the_seed_zero_too(root: Path) -> None:
    """Hypothesis draws with the seed of `assay.toml` in both runs, of which 0 is one."""
    write(root, SEED, SEED)
    both = runs.run_both(root, root, "none:none", fast=False)
    assert [outcomes(one) for one in both] == [{"test_seed": "passed"}] * 2


@pytest.mark.parametrize("crashed", ["kit", "own"])
def test_a_crash_of_either_is_no_pass(root: Path, crashed: str) -> None:
    """Where one run ends without a record nothing is said, and nobody waits for the other."""
    tests = {"kit": "def test_kit():\n    pass\n", "own": "def test_own():\n    time.sleep(300)\n"}
    if crashed == "own":
        tests["own"] = "def test_own():\n    pass\n"
    tests[crashed] = f"def test_{crashed}():\n    os._exit(7)\n"
    write(root, **tests)
    began = time.monotonic()
    with pytest.raises(NotCarriedOutError, match="code 7"):
        runs.run_both(root, root, "none:none", fast=False)
    assert time.monotonic() - began < 200


def test_killing_what_started_them_leaves_no_process(root: Path) -> None:
    """After SIGKILL, which nothing can answer, both runs end, in the middle of a test."""
    for name, folder in (("kit", "kit"), ("own", "tests")):
        (root / folder / f"test_{name}.py").write_text(WAITING.replace("NAME", name))
    parent = subprocess.Popen([sys.executable, "-c", START, str(root)], stdout=subprocess.DEVNULL)
    pids = [_pid(root / f"{name}.pid") for name in ("kit", "own")]
    assert all(map(_runs, pids))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _ends(*pids)


def test_killing_what_asked_another_process_ends_that_one(tmp_path: Path) -> None:
    """The process that predicts elsewhere ends with the run that started it."""
    loader = WAITING.replace("NAME", str(tmp_path / "elsewhere")).replace("test_waits()", "load(_)")
    (tmp_path / "waiting.py").write_text(loader)
    asked = "predict_elsewhere('waiting:load', Path(), Path(), [])"
    begin = f"from assay.sanity.subprocess_model import *; {asked}"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", begin], env=environment)
    pid = _pid(tmp_path / "elsewhere.pid")
    parent.kill()
    parent.wait()
    assert _ends(pid)


def _ends(*pids: int) -> bool:
    end = time.monotonic() + 30
    while any(map(_runs, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(_runs, pids))


def _pid(path: Path) -> int:
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    return int(path.read_text())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not state.stdout.startswith("Z") and bool(state.stdout.strip())
