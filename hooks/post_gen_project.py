"""Makes the rendered folder a git repository of one commit, and says what comes next."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

EXAMPLE_ONLY = ("train.csv", "sealed_inputs.csv", "sealed_labels.csv", "README.md")
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
  git add -A && git commit -m "Divide and seal the data"
"""


def git(*arguments: str) -> None:
    """Run git without the person's hooks, signing and ignore rules."""
    neutral = ("core.hooksPath=", "core.excludesFile=", "core.autocrlf=false", "commit.gpgSign=0")
    options = [part for setting in neutral for part in ("-c", setting)]
    environment = {k: v for k, v in os.environ.items() if k not in {"GIT_DIR", "GIT_INDEX_FILE"}}
    subprocess.run(["git", *options, *arguments], check=True, env=environment)


def main() -> None:
    """Commit, then print the next steps; the answers stand in a raw string as in the other hook."""
    answers = json.loads(r"""<< cookiecutter | tojson >>""")
    own = answers["data"] != "example"
    git("init", "--quiet", "--initial-branch=main", "--template=")
    # caches that lay in the template go; the person's table, put aside by the other hook, stays
    git("clean", "-fdqX", "--exclude=!/.assay/")
    for name in EXAMPLE_ONLY if own else ():
        Path("data", name).unlink()
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
