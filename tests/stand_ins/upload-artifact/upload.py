"""Copies files as upload-artifact does: below their least common folder, hidden files left out."""

import os
import shutil
import sys
from pathlib import Path


def visible_files(path: Path) -> list[Path]:
    """The file itself, or all files below a folder whose relative path has no hidden part."""
    if path.is_file():
        return [path]
    found = [item for item in path.rglob("*") if item.is_file()]
    if os.environ["HIDDEN"] == "true":
        return found
    return [item for item in found if not any(p[0] == "." for p in item.relative_to(path).parts)]


def main() -> int:
    """Copy; 1 when nothing is there and `if-no-files-found` is error, or the name is taken."""
    paths = [Path(line).absolute() for line in os.environ["PATHS"].split("\n") if line.strip()]
    files = [file for path in paths for file in visible_files(path)]
    if not files:
        sys.stdout.write(f"No files were found with the provided path: {paths}\n")
        return int(os.environ["IF_NONE"] == "error")
    whole = len(paths) == 1 and paths[0].is_dir()
    base = paths[0] if whole else Path(os.path.commonpath([file.parent for file in files]))
    store = Path(os.environ["STAND_IN_ARTIFACTS"]) / os.environ["GITHUB_RUN_ID"]
    target = store / os.environ["NAME"]
    if target.exists() and os.environ["OVERWRITE"] == "true":
        shutil.rmtree(target)
    if target.exists():
        sys.stdout.write(
            f"an artifact with this name already exists on the workflow run: {target.name}\n"
        )
        return 1
    for file in files:
        copy = target / file.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
