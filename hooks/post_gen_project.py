"""Adds the machinery to the rendered folder as one wheel, commits, and prints the next steps."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

EXAMPLE_ONLY = (
    *("train.csv", "sealed_inputs.csv", "sealed_labels.csv", "pool.csv", "README.md"),
    "candidates/transport.csv",
)
STEPS = """
Made {place}. Next:

  cd {place}
{identity}  make setup                 # installs what requirements.lock names
{init}  make check                 # data, training, sanity, as a pull request runs them

README.md goes on from there.
"""
IDENTITY = """  git config user.name "{author}"          # git does not know you yet
  git config user.email you@example.org
"""
INIT = """  .venv/bin/assay init       # divides your table and seals the held-out labels
  git add data src assay.toml certificate.pub README.md
  git commit -m "Seal the held-out labels"
"""


def git(*arguments: str) -> None:
    """Run git without the person's hooks, signing and ignore rules."""
    neutral = ("core.hooksPath=", "core.excludesFile=", "core.autocrlf=false", "commit.gpgSign=0")
    options = [part for setting in neutral for part in ("-c", setting)]
    environment = {k: v for k, v in os.environ.items() if k not in {"GIT_DIR", "GIT_INDEX_FILE"}}
    subprocess.run(["git", *options, *arguments], check=True, env=environment)


def template_of(answers: dict[str, str]) -> Path:
    """The template's folder, which cookiecutter names from where the person called it."""
    named = Path(answers["_repo_dir"])
    bases = (Path(os.environ.get("PWD", "..")), Path(".."), Path("../.."))
    found = [place for base in bases if (place := (base / named).resolve()).is_dir()]
    whole = [place for place in found if (place / "src" / "assay" / "wheels.py").is_file()]
    if not whole:
        sys.exit(
            f"The template at {found[0] if found else named} has no src/assay, so it was "
            "downloaded in part: clone the whole repository with git and name that folder.\n"
            "Nothing was made. What follows is cookiecutter's own trace."
        )
    return whole[0]


def install_machinery(template: Path, answers: dict[str, str]) -> None:
    """Build the wheel into `wheels/`, name it in the lock, and record where all came from."""
    sys.dont_write_bytecode = True  # the template stays as it was
    sys.path.insert(0, str(template / "src"))
    from assay import origins, wheels

    here = Path.cwd()
    wheels.pin_wheel(here, wheels.build_wheel(template, here / wheels.FOLDER))
    git("add", "--all")
    asked = {key: value for key, value in answers.items() if not key.startswith("_")}
    # where the person's table lay is theirs to know
    origins.write_origin(here, template, asked | {"data": Path(answers["data"]).name})


def main() -> None:
    """Commit, then print the next steps; the answers stand in a raw string as in the other hook."""
    answers = json.loads(r"""<< cookiecutter | tojson >>""")
    own = answers["data"] != "example"
    template = template_of(answers)
    git("init", "--quiet", "--initial-branch=main", "--template=")
    # caches that lay in the template go; the person's table, put aside by the other hook, stays
    git("clean", "-fdqX", "--exclude=!/.assay/")
    for name in EXAMPLE_ONLY if own else ():
        Path("data", name).unlink()
    install_machinery(template, answers)
    git("add", "--all")
    email = subprocess.run(["git", "config", "user.email"], capture_output=True, check=False).stdout
    identity = f"user.email={email.decode().strip() or 'author@localhost'}"
    message = "Make the repository from the Assay template"
    git("-c", f"user.name={answers['author']}", "-c", identity, "commit", "-qm", message)
    known = "" if email.strip() else IDENTITY.format(author=answers["author"])
    here = Path.cwd()
    place = here.name if here.parent == Path(os.environ.get("PWD", "..")).resolve() else str(here)
    init = INIT if own else ""
    print(STEPS.format(place=shlex.quote(place), identity=known, init=init))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"git could not make the repository ({error.cmd[-1]}): its message is above.")
    except (OSError, ValueError) as error:
        sys.exit(f"The repository could not be made: {error}")
