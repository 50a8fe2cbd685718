"""Makes a hundred honest changes, and writes what became of each: `make honest`."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gauntlet.base import environment
from honest.changes import Change, all_changes
from honest.endings import PASSED, run
from honest.example import certify, generate
from honest.verbs import import_all
from honest.verdicts_page import RECORD, publish

STARTED = "HONEST_MACHINERY"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Exit 1 if a change does not pass."""
    chosen = _arguments()
    changes = [one for one in all_changes() if _wanted(one, chosen.names)]
    with tempfile.TemporaryDirectory() as place:
        base = _base(chosen.base or Path(place) / "base")
        import_all()
        if not (base / "out" / "verdict.json").is_file():
            certify(base)
        endings, start = {}, time.monotonic()
        for number, change in enumerate(changes):
            folder = Path(place) / str(number)
            folder.mkdir()
            endings[change.name] = ending = run(change, base, folder)
            print(
                f"{change.name}: {ending.ended} {ending.by or ''} {ending.said}"
                f" [{ending.seconds:.0f} s]",
                flush=True,
            )
            if chosen.update:
                publish([change], endings)
    well = sum(ending.ended in PASSED for ending in endings.values())
    print(f"{well} of {len(endings)} pass; {(time.monotonic() - start) / 60:.1f} minutes")
    sys.exit(well < len(endings))


def _base(folder: Path) -> Path:
    """The base in a folder, where this process runs by the base's own machinery.

    It is started again for that, so that nothing that is edited meanwhile has a part in it, and
    with one thread, since threads do not survive the forks.
    """
    found = [path.parent for path in folder.glob("*/assay.toml")]
    base = found[0] if found else generate(folder)
    if STARTED not in os.environ:
        own = environment(base)
        paths = os.pathsep.join([own["PYTHONPATH"], str(Path(__file__).parents[1])])
        os.environ.update(own | {"PYTHONPATH": paths, STARTED: "1"} | ONE_THREAD)
        arguments = [name for name in sys.argv[1:] if name != f"--base={folder}"]
        command = [sys.executable, "-m", "honest.bot", *arguments, f"--base={folder}"]
        raise SystemExit(subprocess.run(command, check=False).returncode)
    return base


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="honest", description=__doc__)
    parser.add_argument("names", nargs="*", help="run these changes or kinds of changes alone")
    parser.add_argument("--update", action="store_true", help=f"put them into {RECORD.name}")
    parser.add_argument("--base", type=Path, help="the base of an earlier run, or where to keep it")
    return parser.parse_args()


def _wanted(change: Change, names: list[str]) -> bool:
    return not names or any(name in (change.name, change.kind) for name in names)


if __name__ == "__main__":
    main()
