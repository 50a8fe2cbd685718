"""Makes a hundred honest changes, and writes what became of each: `make honest`."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is imported: a fork must not meet its threads

from honest.base import make_base  # noqa: E402
from honest.changes import all_changes  # noqa: E402
from honest.harness import PASSED, run  # noqa: E402
from honest.tables import RECORD, publish  # noqa: E402
from honest.verbs import import_all  # noqa: E402


def main() -> None:
    """Exit 1 if a change does not pass."""
    chosen = _arguments()
    import_all()
    changes = [one for one in all_changes() if _wanted(one, chosen.names)]
    with tempfile.TemporaryDirectory() as place:
        base, endings, start = _base(chosen.base, Path(place)), {}, time.monotonic()
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="honest", description=__doc__)
    parser.add_argument("names", nargs="*", help="run these changes or kinds of changes alone")
    parser.add_argument("--update", action="store_true", help=f"put them into {RECORD.name}")
    parser.add_argument("--base", type=Path, help="the base of an earlier run, or where to keep it")
    return parser.parse_args()


def _wanted(change: object, names: list[str]) -> bool:
    return not names or any(name in (change.name, change.kind) for name in names)


def _base(kept: Path | None, place: Path) -> Path:
    if kept is None:
        return make_base(place)
    (found,) = list(kept.glob("*/assay.toml")) or [None]
    return found.parent if found else make_base(kept)


if __name__ == "__main__":
    main()
