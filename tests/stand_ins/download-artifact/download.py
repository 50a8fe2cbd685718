"""Copies artifacts as download-artifact does: by name or by a pattern."""

import os
import shutil
import sys
from fnmatch import fnmatchcase
from pathlib import Path


def names(store: Path, name: str, pattern: str) -> list[str]:
    """The artifacts meant: the one named, or all that the pattern, perhaps with braces, matches."""
    if name:
        return [name]
    braces = pattern.startswith("{") and pattern.endswith("}")
    globs = pattern[1:-1].split(",") if braces else [pattern]
    there = sorted(path.name for path in store.iterdir()) if store.is_dir() else []
    return [one for one in there if any(fnmatchcase(one, glob) for glob in globs)]


def main() -> int:
    """Copy; 1 when a named artifact is missing or another run's is asked for without a token.

    One artifact alone goes to the path itself, several go to folders of their names below it
    unless they are to be merged.
    """
    run, target = os.environ["RUN"], Path(os.environ["TARGET"])
    if run != os.environ["GITHUB_RUN_ID"] and not os.environ["TOKEN"]:
        sys.stdout.write("Another run's artifacts need a token\n")
        return 1
    store = Path(os.environ["STAND_IN_ARTIFACTS"]) / run
    found = names(store, os.environ["NAME"], os.environ["PATTERN"])
    for name in found:
        if not (store / name).is_dir():
            sys.stdout.write(f"Artifact '{name}' not found\n")
            return 1
        flat = len(found) == 1 or os.environ["MERGE"] == "true"
        place = target if flat else target / name
        shutil.copytree(store / name, place, dirs_exist_ok=True, symlinks=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
