"""Makes the comment in README.md, its pictures, and docs/report.html from a run of the example.

`make sample` runs this. A pull request replaces the forest by one tree and changes three rows; what
the verbs make of it is shown as it is, but that the comment's folds are emptied for the README.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

from demo import TEMPLATE, certify, generate, run, say

README = TEMPLATE / "README.md"
PAGE = TEMPLATE / "docs" / "report.html"
PICTURES = TEMPLATE / "docs" / "comment"
BLOCK = re.compile(r"(?<=<!-- comment -->\n).*?(?=<!-- /comment -->)", re.DOTALL)
FOLD = re.compile(r"(<details><summary>[^<]*</summary>).*?(</details>)", re.DOTALL)

MODEL = '''"""One tree on Magpie features."""

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.tree import DecisionTreeRegressor

from .features import build_features


def build_model(seed: int) -> Pipeline:
    """Make the unfitted model."""
    tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=seed)
    return make_pipeline(build_features(), tree)
'''
# what is new or altered is made up, near what it stands beside
NEW = "t90001,Ca2Si,-0.7"
REMOVED, RELABELLED, OLD, REVISED = ",Ag2Se,", ",CaC2,", "-0.205213", "-0.2075"


def propose(repository: Path) -> None:
    """Make the pull request on a branch of its own."""
    say("A pull request makes the model simpler and changes three rows.")
    run(repository, ["git", "switch", "--quiet", "--create", "one-tree"])
    (package,) = (path for path in (repository / "src").iterdir() if path.is_dir())
    (package / "model.py").write_text(MODEL, encoding="utf-8")
    table = repository / "data" / "train.csv"
    lines = [line for line in table.read_text().splitlines() if REMOVED not in line]
    lines = [line.replace(OLD, REVISED) if RELABELLED in line else line for line in lines]
    table.write_text("\n".join([*lines, NEW, ""]))
    run(repository, ["git", "commit", "--quiet", "--all", "--message", "Make do with one tree"])


def publish(repository: Path) -> None:
    """Write the comment into the README, with its pictures, and the page beside the docs."""
    from assay.github import MARKER
    from assay.report.comment import render_comment
    from assay.report.images import Exhibit, images
    from assay.report.page import render_page
    from assay.report.posting import gathered
    from assay.repository import read_repository

    os.chdir(repository)
    own = read_repository(repository)
    found = gathered(own, own.handover)
    inputs = replace(found, data_docs=None)  # they are not published beside it
    drawn = images(inputs)
    for image in drawn:
        (PICTURES / image.name).write_bytes(image.content)
    shown = [Exhibit(f"{PICTURES.relative_to(TEMPLATE)}/{one.name}", one.words) for one in drawn]
    comment = render_comment(inputs, exhibits=shown).removeprefix(MARKER).strip()
    emptied = FOLD.sub(r"\1\2", comment)
    README.write_text(BLOCK.sub(lambda _: f"\n{emptied}\n\n", README.read_text()), encoding="utf-8")
    PAGE.write_text(render_page(inputs), encoding="utf-8")


def main() -> None:
    """Certify main, propose, check, score, and publish what the reviewer of it reads."""
    repository = generate()
    certify(repository)
    propose(repository)
    run(repository, ["assay", "check"])
    run(repository, ["assay", "score"], expected=1)
    publish(repository)


if __name__ == "__main__":
    main()
