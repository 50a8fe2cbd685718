"""Trees of the newest scikit-learn, whose private attributes are read: the same numbers."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from agreement import agreement

from forests import KINDS
from programs import program, run

HERE = Path(__file__).parent


def test_every_kind_is_walked_here():
    """With the locked version the fast way is taken for each kind, and gives the same numbers."""
    assert {kind: agreement(kind) for kind in KINDS} == dict.fromkeys(KINDS, (True, None))


@pytest.mark.nightly("installs the newest scikit-learn; test_inference.py plants other layouts")
def test_the_newest_version_gives_the_same_numbers(tmp_path):
    """Whatever it keeps elsewhere, no number differs; what is not walked is a warning."""
    options = ["--quiet", "--no-deps", "--upgrade", "--python", sys.executable]
    done = run(program("uv"), "pip", "install", *options, "--target", tmp_path, "scikit-learn")
    assert done.returncode == 0, done.stderr
    paths = [str(tmp_path), str(HERE.parent), *sys.path]
    told = subprocess.run(
        [sys.executable, HERE / "agreement.py"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    (installed,) = tmp_path.glob("scikit_learn-*.dist-info")
    assert installed.name == f"scikit_learn-{found['version']}.dist-info", "or this shows nothing"
    assert [kind for kind, (same, _) in found["kinds"].items() if not same] == []
    left = {kind: reason for kind, (_, reason) in found["kinds"].items() if reason}
    if left:
        warnings.warn(f"scikit-learn {found['version']} itself predicts: {left}", stacklevel=1)
