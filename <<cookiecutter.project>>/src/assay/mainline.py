"""What `main` holds, asked of git: the data and the settings that a change is measured against."""

from pathlib import Path

from assay.errors import UsageError
from assay.provenance import git_bytes
from assay.settings import FILE_NAME, Settings, parse_settings

# In Actions a pull request is checked out as a merge commit, whose first parent is main.
MAIN = ("origin/main", "main", "HEAD^1")


def content_on_main(root: Path, path: Path) -> bytes | None:
    """A file's content on main, or None: no git, no main, or no such file there."""
    revision = _revision(root)
    name = f"{revision}:./{path.relative_to(root).as_posix()}"
    return None if revision is None else git_bytes(root, "show", name)


def differs_from_main(root: Path, *paths: str) -> bool:
    """Whether files below these paths, as they stand in the folder, differ from main's."""
    revision = _revision(root)
    changed = (
        None if revision is None else git_bytes(root, "diff", "--name-only", revision, "--", *paths)
    )
    return bool(changed)


def tracked_files(root: Path) -> list[str]:
    """The files that git keeps, relative to the root; none where there is no git."""
    listed = git_bytes(root, "ls-files", "-z") or b""
    return [name.decode(errors="replace") for name in listed.split(b"\0") if name]


def _revision(root: Path) -> str | None:
    named = (name for name in MAIN if git_bytes(root, "rev-parse", "--verify", "--quiet", name))
    return next(named, None)


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
    if main.target.column == settings.target.column:
        names = ("lower", "upper", "element_value")
        bounds = {name: getattr(main.target, name) for name in names}
        if bounds["element_value"] is None:  # declared by the change, as a relation is
            bounds["element_value"] = settings.target.element_value
        kept["target"] = settings.target.model_copy(update=bounds)
    return settings.model_copy(update=kept)
