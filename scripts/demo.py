"""Takes the example from the template to a certified batch of predictions.

`make demo` runs this. Every step is a command that a user would type; each must end as announced,
or the demonstration fails.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
GROUND = TEMPLATE / "demo"
CANDIDATES = "data/candidates/transport.csv"
# For machines on which git does not know who works there.
IDENTITY = {
    f"GIT_{role}_{part}": text
    for role in ("AUTHOR", "COMMITTER")
    for part, text in (("NAME", "A. Student"), ("EMAIL", "student@localhost"))
}
# One depth-limited tree: trains, predicts plausible numbers, and is clearly worse.
WORSE_MODEL = '''"""A worse model: a single shallow tree."""

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.tree import DecisionTreeRegressor

from .features import build_features


def build_model(seed: int) -> Pipeline:
    """Make the worse model."""
    return make_pipeline(build_features(), DecisionTreeRegressor(max_depth=4, random_state=seed))
'''


class UnexpectedEndError(Exception):
    """A step ended in another way than announced."""


def say(sentence: str) -> None:
    """Print a sentence of the story."""
    print(f"\n==> {sentence}", flush=True)


def run(repository: Path, command: Sequence[str], expected: int = 0) -> str:
    """Run a command in the repository, show what it prints, and insist on its exit code."""
    shown = " ".join(command)
    print(f"    $ {shown}", flush=True)
    environment = {**IDENTITY, **os.environ}
    if command[0] == "assay":
        command = [sys.executable, "-m", *command]
    process = subprocess.Popen(
        command, cwd=repository, env=environment, text=True, stdout=subprocess.PIPE
    )
    lines = []
    for line in process.stdout or []:
        print(f"      {line}", end="", flush=True)
        lines.append(line)
    if process.wait() != expected:
        raise UnexpectedEndError(f"'{shown}' ended with {process.returncode}, not {expected}.")
    return "".join(lines)


def generate() -> Path:
    """Generate the repository with default answers into a fresh folder."""
    shutil.rmtree(GROUND, ignore_errors=True)
    GROUND.mkdir()
    maker = str(Path(sys.executable).parent / "cookiecutter")
    subprocess.run(
        [maker, str(TEMPLATE), "--no-input", "--output-dir", str(GROUND)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return next(path for path in GROUND.iterdir() if path.is_dir())


def certify(repository: Path) -> None:
    """Seal the labels, check the model and have it certified."""
    say("The held-out labels are encrypted; the keys stay on this machine.")
    run(repository, ["assay", "init"])
    run(repository, ["git", "add", "--all"])
    run(repository, ["git", "commit", "--quiet", "--message", "Seal the held-out labels"])
    say("What every pull request goes through: data, training, sanity.")
    run(repository, ["assay", "check"])
    say("What only main's own code does: decide with the sealed labels, and certify.")
    run(repository, ["assay", "score"])
    run(repository, ["assay", "report"])


def predict(repository: Path) -> dict[str, object]:
    """Predict the shipped candidates with the certified model; returns the batch's record."""
    say("The certified model predicts the shipped candidates.")
    run(repository, ["assay", "predict", CANDIDATES])
    (record,) = (repository / "out" / "batches").glob("*/batch.json")
    return json.loads(record.read_text(encoding="utf-8"))


def refuse_worse_model(repository: Path) -> None:
    """Propose a worse model on a branch; the gate must turn it down."""
    say("A pull request proposes a worse model (one shallow tree); it must be refused.")
    (package,) = (path for path in (repository / "src").iterdir() if path.is_dir())
    run(repository, ["git", "switch", "--quiet", "--create", "worse-model"])
    (package / "model.py").write_text(WORSE_MODEL, encoding="utf-8")
    run(repository, ["git", "commit", "--quiet", "--all", "--message", "Simplify the model"])
    run(repository, ["assay", "train"])
    run(repository, ["assay", "sanity"])
    run(repository, ["assay", "score"], expected=1)
    run(repository, ["git", "switch", "--quiet", "main"])


def refuse_altered_bundle(repository: Path) -> None:
    """Change one byte of the certified bundle; it must not predict."""
    say("Somebody asks for predictions with a bundle that was altered by one byte.")
    (store,) = (repository / ".assay" / "models").iterdir()
    altered = repository / "out" / "altered"
    shutil.copytree(store, altered)
    model = altered / "bundle" / "model.skops"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    options = ["--bundle", "out/altered/bundle", "--certificate", "out/altered/certificate.json"]
    run(repository, ["assay", "predict", CANDIDATES, *options], expected=1)


def main() -> None:
    """Run the whole demonstration; exit 0 only if all of it happened."""
    start = time.monotonic()
    say("A model repository is generated with default answers.")
    repository = generate()
    try:
        certify(repository)
        batch = predict(repository)
        page = shutil.copytree(repository / "out" / "report", GROUND / "report") / "index.html"
        refuse_worse_model(repository)
        refuse_altered_bundle(repository)
    except UnexpectedEndError as error:
        sys.exit(f"demo: {error}")
    print(
        f"\nCertified model {str(batch['model_id'])[:12]}: {batch['predicted']} rows predicted, "
        f"{batch['quarantined']} quarantined; report {page.relative_to(TEMPLATE)} "
        f"({time.monotonic() - start:.0f} s)."
    )


if __name__ == "__main__":
    main()
