"""The template that a repository is updated to: fetched, judged, built and rendered."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay import origins, provenance, wheels
from assay.commits import run_git
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.origins import RECORD
from assay.update.last_commit import LastCommit

NEUTRAL = ("core.hooksPath=", "core.excludesFile=", "core.autocrlf=false")
FOLDER = "<<cookiecutter.project>>"
WHEELS = Path("src", "assay", "wheels.py")
UPDATER = Path("src", "assay", "update", "update.py")
# The template's own builder, alone: neither this machinery nor a folder of this machine beside it.
BUILD = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("wheels", sys.argv[1])
wheels = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wheels)
try:
    print(wheels.build_wheel(Path(sys.argv[2]), Path(sys.argv[3])))
except (ValueError, OSError) as error:
    sys.exit(str(error))
"""


@dataclass(frozen=True)
class Rendered:
    """A rendered file: its content, and whether it is a program."""

    content: bytes
    program: bool


def render(template: Path, answers: Mapping[str, str], wheel: Path | None) -> dict[str, Rendered]:
    """Render a template, with the wheel in its place and without what git would not keep.

    Neither the person's settings of cookiecutter nor their earlier answers have a part in it, and
    no hook of the template runs.

    Args:
        template: its folder.
        answers: to the questions of `cookiecutter.json`; those it does not ask are left out.
        wheel: the machinery; None for a template from before there was one.

    Raises:
        NotCarriedOutError: the template does not render.
    """
    with tempfile.TemporaryDirectory(prefix="assay-rendered-") as name:
        folder = _cookiecutter(template, answers, Path(name))
        _git(folder, "init", "--quiet", "--template=")
        # caches that lay in the template
        _git(folder, "clean", "-fdqX")
        if wheel is not None:
            (folder / wheels.FOLDER).mkdir(exist_ok=True)
            place = folder / wheels.FOLDER / wheel.name
            place.write_bytes(wheel.read_bytes())
            _pin(folder, place)
        names = _git(folder, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
        return {name: _read(folder / name) for name in names if name and name != RECORD}


def _pin(folder: Path, wheel: Path) -> None:
    try:
        wheels.pin_wheel(folder, wheel)
    except (ValueError, OSError) as error:
        raise NotCarriedOutError(
            f"the template does not render a repository that takes the wheel ({error}): name "
            "another version of it with --to.",
            code="template.not-pinned",
        ) from None


def _read(path: Path) -> Rendered:
    return Rendered(path.read_bytes(), os.access(path, os.X_OK))


def _cookiecutter(template: Path, answers: Mapping[str, str], folder: Path) -> Path:
    from cookiecutter.exceptions import CookiecutterException
    from cookiecutter.main import cookiecutter
    from jinja2 import TemplateError

    settings = {"replay_dir": f"{folder}/replay", "cookiecutters_dir": f"{folder}/cloned"}
    (folder / "settings.yaml").write_text(json.dumps(settings), encoding="utf-8")
    try:
        asked = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
        made = cookiecutter(
            str(template),
            no_input=True,
            extra_context={
                key: value
                for key, value in answers.items()
                if key in asked and not key.startswith("_")
            },
            output_dir=str(folder / "made"),
            config_file=str(folder / "settings.yaml"),
            accept_hooks=False,
        )
    except (CookiecutterException, TemplateError, ValueError, OSError) as error:
        said = " ".join(str(error).split())[:300].rstrip(".")
        raise NotCarriedOutError(
            f"the template at {template} does not render ({type(error).__name__}: {said}): name "
            "another version of it with --to.",
            code="template.not-rendered",
        ) from None
    return Path(made)


def _git(folder: Path, *arguments: str) -> str:
    options = [part for setting in NEUTRAL for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *options, *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise NotCarriedOutError(
            f"git {arguments[0]} failed in a temporary folder: {done.stderr.decode().strip()}.",
            code="git.failed",
        )
    return done.stdout.decode(errors="surrogateescape")


@dataclass(frozen=True)
class Template:
    """A template at hand: its folder, the address it came from, the commit, and its version.

    `history` is a clone that knows its commits, if there is one.
    """

    folder: Path
    address: str | None
    commit: str | None
    version: str
    history: Path | None


@contextmanager
def fetched(named: str, revision: str | None) -> Iterator[Template]:
    """Give the template of that folder or address, which is there until the block ends.

    A folder is taken as it stands, unless a `revision` (tag, branch or commit) is named.

    Raises:
        UsageError: it is no template of this kind, or has no such revision.
        NotCarriedOutError: it cannot be fetched, or was downloaded in part.
    """
    local = _folder(named)
    if local is not None and revision is None:
        yield _template(local, origins.address(local))
        return
    with tempfile.TemporaryDirectory(prefix="assay-template-") as name:
        clone = Path(name) / "template"
        _clone(_address(named), clone)
        _check_out(clone, named, revision)
        yield _template(clone, origins.address(local or clone))


def _folder(named: str) -> Path | None:
    """The folder that is named, or None where there is none."""
    try:
        local = Path(named).expanduser()
        return local.resolve() if local.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # no such home, too long, or no path at all
        return None


def _address(named: str) -> str:
    """The address behind an abbreviation of cookiecutter's (`gh:owner/name`), or what is named."""
    from cookiecutter.config import BUILTIN_ABBREVIATIONS
    from cookiecutter.repository import expand_abbreviations

    local = _folder(named)
    if local is not None:
        return str(local)
    return str(expand_abbreviations(named, BUILTIN_ABBREVIATIONS))


def _clone(address: str, clone: Path) -> None:
    try:
        # as it was committed, whatever the person's settings make of line ends
        words = ("clone", "--quiet", "--no-checkout", "--config", "core.autocrlf=false")
        run_git(Path.cwd(), *words, "--", address, str(clone))
    except NotCarriedOutError as error:
        raise NotCarriedOutError(
            f"the template {address} cannot be fetched ({str(error).rstrip('.')}): check the "
            "address and the connection, or name a folder with `assay update --template FOLDER`.",
            code="template.not-fetched",
        ) from None


def _check_out(clone: Path, named: str, revision: str | None) -> None:
    names: tuple[str, ...] = ("HEAD",)
    if revision is not None:
        names = (f"refs/tags/{revision}", f"refs/remotes/origin/{revision}", revision)
    for name in names:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        commit = provenance.git(clone, *words)
        if commit:
            run_git(clone, "checkout", "--quiet", "--detach", commit)
            return
    raise UsageError(
        f"the template {named} has no tag, branch or commit {revision or 'at all'}: see them with "
        f"`git ls-remote {named}`.",
        code="template.unknown-revision",
    )


def _template(folder: Path, address: str | None) -> Template:
    version = _version(folder)
    commit = origins.commit(folder)
    return Template(folder, address, commit, version, folder if commit else None)


def _version(folder: Path) -> str:
    """The machinery's version.

    Raises:
        UsageError: the folder is no template of this kind.
        NotCarriedOutError: a part of it is not there.
    """
    parts = ("cookiecutter.json", FOLDER, str(WHEELS))
    missing = [part for part in parts if not (folder / part).exists()]
    if len(missing) == len(parts):
        raise UsageError(
            f"{folder} is not the Assay template: name its folder or address with "
            "`assay update --template`.",
            code="template.other-folder",
        )
    module = folder / WHEELS.with_name("__init__.py")
    text = module.read_text(encoding="utf-8") if module.is_file() else ""
    found = re.search(r'^__version__ = "([\w.]+)"$', text, re.MULTILINE)
    if missing or found is None:
        raise NotCarriedOutError(
            f"the template at {folder} has no {missing[0] if missing else 'src/assay'}, so it was "
            "downloaded in part: clone the whole repository with git and name that folder.",
            code="template.incomplete",
        )
    return found[1]


def require_newer(template: Template, last: LastCommit) -> str | None:
    """Refuse a template that is older than the repository, or beside what it was made from.

    Gives a sentence where that could not be judged by commits.

    Raises:
        RefusedError: it is older, or its history does not hold the repository's template.
    """
    older, newer = _numbers(template.version), _numbers(last.version)
    if older < newer or not (template.folder / UPDATER).is_file():
        raise RefusedError(
            f"the template is of version {template.version}, and this repository is of "
            f"{last.version} already: name a newer one with `--to`, or go back by "
            "`git revert` of the commit that updated it.",
            code="template.older",
        )
    recorded, present = (_bare(one) for one in (last.origin.commit, template.commit))
    if recorded is None or present is None or template.history is None:
        return "commits of the template are not known, so only the versions were compared."
    if provenance.git(template.history, "cat-file", "-e", f"{recorded}^{{commit}}") is None:
        return (
            f"the template's history does not hold commit {recorded[:12]}, which this repository "
            "was made from, so only the versions were compared."
        )
    if provenance.git(template.history, "merge-base", "--is-ancestor", recorded, present) is None:
        raise RefusedError(
            f"the template's commit {present[:12]} does not follow {recorded[:12]}, which this "
            "repository was made from: name one that does with `--to`; `git log --all --oneline "
            f"--ancestry-path {recorded[:12]}..` in the template lists them.",
            code="template.unrelated-commit",
        )
    return None


def _bare(commit: str | None) -> str | None:
    return None if commit is None else commit.partition("+")[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def build(template: Path, folder: Path) -> Path:
    """Have the template's own code build its wheel into `folder`; gives the wheel.

    Raises:
        NotCarriedOutError: it cannot be built.
    """
    words = [sys.executable, "-I", "-B", "-c", BUILD]
    done = subprocess.run(
        [*words, str(template / WHEELS), str(template), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:].rstrip(".")
        raise NotCarriedOutError(
            f"the template's machinery cannot be built ({said}): clone the whole "
            "template with git.",
            code="template.not-built",
        )
    return Path(done.stdout.strip())
