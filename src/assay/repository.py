"""A model repository: where it is, its settings, and its base branch."""

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from assay.commits import run_git
from assay.errors import NotCarriedOutError, UsageError
from assay.layout import Handover, Layout
from assay.provenance import event, git_bytes
from assay.records import MAXIMUM_FILES
from assay.settings import FILE_NAME, Settings, parse_settings, read_settings

# whole, since a tag may be called main or origin/main, and git would take it first
NAMES = ("refs/remotes/origin/main", "refs/heads/main")
MACHINERY = (
    *(".github", "wheels", "Makefile", "GNUmakefile", "makefile", "pyproject.toml", "pytest.ini"),
    *("tox.ini", "setup.cfg", "setup.py", "assay.toml", "certificate.pub", ":(glob)**/conftest.py"),
    ":(glob)**/sitecustomize.py",
)


@dataclass(frozen=True)
class BaseBranch:
    """Main, which a change is compared with, as the clone at `root` knows it, if it does."""

    root: Path

    @cached_property
    def revision(self) -> str | None:
        """Main by its name, or the first parent of a merge, as Actions checks out a change.

        Of a push to main it is main as it was before, if it was there before; of what a merge
        queue would merge, what that builds on.
        """
        if self.is_pushed:
            return self._parent(str(event().get("before", "")))
        if os.environ.get("GITHUB_EVENT_NAME") == "merge_group":
            return self._parent(str((event().get("merge_group") or {}).get("base_sha", "")))
        merged = ("HEAD^1",) if self._commit("HEAD^2") else ()
        return next((name for name in (*NAMES, *merged) if self._commit(name)), None)

    @property
    def is_pushed(self) -> bool:
        """Whether this is the run of a push to main, in which main itself is what changed."""
        return os.environ.get("GITHUB_EVENT_NAME") == "push"

    def _parent(self, named: str) -> str | None:
        """The commit that an event names, or the first parent where this clone does not have it."""
        if named and not named.strip("0"):
            return None  # the branch is new
        known = named and self._commit(f"{named}^{{commit}}")
        return named if known else ("HEAD^1" if self._commit("HEAD^1") else None)

    def _commit(self, revision: str) -> bytes | None:
        return git_bytes(self.root, "rev-parse", "--verify", "--quiet", revision)

    @property
    def start(self) -> str | None:
        """The commit after which the change begins; None where it is the last commit alone."""
        revision = self.revision
        if revision is None or self._commit(revision) == self._commit("HEAD"):
            return "HEAD^1" if self._commit("HEAD^1") else None
        return revision

    @property
    def name(self) -> str:
        """What to call it in a git command: `origin/main`, `main`, or the merge's first parent."""
        name = self.revision or "main"
        return name.removeprefix("refs/remotes/").removeprefix("refs/heads/")

    def require(self) -> None:
        """Make sure that a change is checked by main's limits, and not by its own.

        Raises:
            NotCarriedOutError: a pull request, or what a queue would merge, is checked in Actions,
                and main is not at hand.
        """
        changes = {"pull_request", "merge_group"}
        if os.environ.get("GITHUB_EVENT_NAME") in changes and self.revision is None:
            raise NotCarriedOutError(
                "main, whose limits are in force for a pull request, is not in this checkout: "
                "check out its merge commit with a `fetch-depth` of 2 or more.",
                code="git.no-main",
            )

    def content(self, path: Path) -> bytes | None:
        """A file's content on main, or None: no git, no main, or no such file there."""
        name = f"{self.revision}:./{path.relative_to(self.root).as_posix()}"
        return None if self.revision is None else git_bytes(self.root, "show", name)

    @cached_property
    def settings(self) -> Settings | None:
        """Main's `assay.toml`, or None where it is not at hand or cannot be read."""
        content = self.content(self.root / FILE_NAME)
        try:
            return None if content is None else parse_settings(content.decode())
        except (UsageError, UnicodeDecodeError):
            return None

    def changed_files(self, *paths: str) -> list[str]:
        """The files below these paths that differ from main's, relative to the root, or are gone.

        As they stand in the folder, committed or not.
        """
        if self.revision is None:
            return []
        words = ("diff", "--name-only", "--relative", "--no-renames", "-z")
        return _names(run_git(self.root, *words, self.revision, "--", *paths))

    def machinery_files(self) -> list[str]:
        """What differs from main's of what runs and judges a model: workflows, wheel, policy.

        At most as many as a record holds.
        """
        return self.changed_files(*MACHINERY)[:MAXIMUM_FILES]


@dataclass(frozen=True)
class Repository:
    """The model repository at `root` and its `assay.toml`, read once where a verb begins.

    `settings` are those of the checkout, or others by which its files are to be read.
    """

    root: Path
    settings: Settings

    @property
    def layout(self) -> Layout:
        """Where things lie in it."""
        return Layout(self.root)

    @property
    def handover(self) -> Handover:
        """What its own checks and its own training hand over, in `out`."""
        return Handover(self.layout.out)

    @cached_property
    def base(self) -> BaseBranch:
        """Main as this clone knows it."""
        return BaseBranch(self.root)

    @property
    def in_force(self) -> "Repository":
        """The same with the settings by which a change is checked."""
        main = None if self.base.is_pushed else self.base.settings
        return replace(self, settings=in_force(self.settings, main))

    def tracked_files(self) -> list[str]:
        """The files that git keeps, relative to the root; none where there is no git."""
        return _names(git_bytes(self.root, "ls-files", "-z"))


def read_repository(root: Path) -> Repository:
    """The repository at `root` with its own settings; raises as `read_settings` does."""
    return Repository(root, read_settings(root))


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


def _names(listed: bytes | None) -> list[str]:
    return [name.decode(errors="replace") for name in (listed or b"").split(b"\0") if name]
