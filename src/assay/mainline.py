"""What `main` holds, asked of git: the data and the settings that a change is measured against."""

import os
from pathlib import Path

from assay.errors import NotCarriedOutError, UsageError
from assay.provenance import git_bytes
from assay.records import MAXIMUM_FILES
from assay.settings import FILE_NAME, Settings, parse_settings

# whole, since a tag may be called main or origin/main, and git would take it first
MACHINERY = (
    *(".github", "wheels", "Makefile", "GNUmakefile", "makefile", "pyproject.toml", "pytest.ini"),
    *("tox.ini", "setup.cfg", "setup.py", "assay.toml", "certificate.pub", ":(glob)**/conftest.py"),
    ":(glob)**/sitecustomize.py",
)
NAMES = ("refs/remotes/origin/main", "refs/heads/main")


def content_on_main(root: Path, path: Path) -> bytes | None:
    """A file's content on main, or None: no git, no main, or no such file there."""
    revision = _revision(root)
    name = f"{revision}:./{path.relative_to(root).as_posix()}"
    return None if revision is None else git_bytes(root, "show", name)


def differs_from_main(root: Path, *paths: str) -> bool:
    """Whether files below these paths, as they stand in the folder, differ from main's."""
    return bool(changed_files(root, *paths))


def changed_files(root: Path, *paths: str) -> list[str]:
    """The files below these paths that differ from main's, relative to the root, or are gone."""
    revision = _revision(root)
    if revision is None:
        return []
    words = ("diff", "--name-only", "--relative", "--no-renames", "-z", revision, "--", *paths)
    return _names(git_bytes(root, *words))


def machinery_files(root: Path) -> list[str]:
    """What differs from main's of what runs and judges a model: workflows, wheel, options, policy.

    At most as many as a record holds.
    """
    return changed_files(root, *MACHINERY)[:MAXIMUM_FILES]


def tracked_files(root: Path) -> list[str]:
    """The files that git keeps, relative to the root; none where there is no git."""
    return _names(git_bytes(root, "ls-files", "-z"))


def _names(listed: bytes | None) -> list[str]:
    return [name.decode(errors="replace") for name in (listed or b"").split(b"\0") if name]


def name_of_main(root: Path) -> str:
    """What to call main in a git command: `origin/main`, `main`, or the merge's first parent."""
    return (_revision(root) or "main").removeprefix("refs/remotes/").removeprefix("refs/heads/")


def require_main(root: Path) -> None:
    """Make sure that a pull request is checked by main's limits, and not by its own.

    Raises:
        NotCarriedOutError: a pull request is checked in Actions, and main is not at hand.
    """
    if os.environ.get("GITHUB_EVENT_NAME") == "pull_request" and _revision(root) is None:
        raise NotCarriedOutError(
            "main, whose limits are in force for a pull request, is not in this checkout: check "
            "out its merge commit with `fetch-depth: 2`."
        )


def _revision(root: Path) -> str | None:
    """Main by its name, or the first parent of a merge, as which Actions checks out a change."""
    merged = ("HEAD^1",) if _is_known(root, "HEAD^2") else ()
    return next((name for name in (*NAMES, *merged) if _is_known(root, name)), None)


def _is_known(root: Path, revision: str) -> bool:
    return bool(git_bytes(root, "rev-parse", "--verify", "--quiet", revision))


def settings_on_main(root: Path) -> Settings | None:
    """Main's `assay.toml`, or None where it is not at hand or cannot be read."""
    content = content_on_main(root, root / FILE_NAME)
    try:
        return None if content is None else parse_settings(content.decode())
    except (UsageError, UnicodeDecodeError):
        return None


def in_force(settings: Settings, main: Settings | None) -> Settings:
    """The settings by which a change is checked: tolerances, severities and bounds are main's.

    Otherwise a change could loosen the checks that it must pass. What it sets takes effect once it
    stands on main.
    """
    if main is None:
        return settings
    kept = {name: getattr(main, name) for name in ("data", "severity")}
    # relations that a change declares must hold at once, beside those of main
    declared = {
        name: tuple(dict.fromkeys((*getattr(main.sanity, name), *getattr(settings.sanity, name))))
        for name in ("monotonic", "symmetric")
    }
    kept["sanity"] = main.sanity.model_copy(update=declared)
    of_main = (main.target.kind, main.target.unit)
    if of_main == (settings.target.kind, settings.target.unit):  # its column may be renamed
        names = ("lower", "upper", "element_value")
        bounds = {name: getattr(main.target, name) for name in names}
        if bounds["element_value"] is None:  # declared by the change, as a relation is
            bounds["element_value"] = settings.target.element_value
        kept["target"] = settings.target.model_copy(update=bounds)
    return settings.model_copy(update=kept)
