"""What a template renders for the answers of a repository, as its hook would leave it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay import wheels
from assay.errors import NotCarriedOutError
from assay.origins import RECORD

NEUTRAL = ("core.hooksPath=", "core.excludesFile=", "core.autocrlf=false")


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
            "another version of it with --to."
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
            "another version of it with --to."
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
            f"git {arguments[0]} failed in a temporary folder: {done.stderr.decode().strip()}."
        )
    return done.stdout.decode(errors="surrogateescape")
