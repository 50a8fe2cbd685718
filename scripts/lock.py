"""Fits the lock of generated repositories to what assay and they need; `make lock` runs this.

A repository is rendered without its hook, given the wheel of `src/assay` as the hook would, and
made to lock itself. The template keeps that lock without the wheel's entry.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from assay import wheels

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "<<cookiecutter.project>>" / wheels.LOCK
GROUND = ROOT / "build" / "lock"


def main() -> None:
    """Render, lock, and keep the lock; an argument is for uv, such as `--upgrade`."""
    programs = str(Path(sys.executable).parent)
    shutil.rmtree(GROUND, ignore_errors=True)
    render = ("--no-input", "--accept-hooks", "no", "--output-dir", str(GROUND))
    subprocess.run([f"{programs}/cookiecutter", str(ROOT), *render], check=True)
    (repository,) = GROUND.iterdir()
    wheels.pin_wheel(repository, wheels.build_wheel(ROOT, repository / wheels.FOLDER))
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    lock = ["make", "--directory", str(repository), "lock", f"UPGRADE={' '.join(sys.argv[1:])}"]
    subprocess.run(lock, env=environment, check=True)
    text = (repository / wheels.LOCK).read_text(encoding="utf-8")
    LOCK.write_text(wheels.without_entry(text), encoding="utf-8")


if __name__ == "__main__":
    main()
