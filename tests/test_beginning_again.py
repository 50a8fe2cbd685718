"""What a person is told to do after `init`, and how an `init` is undone, is one and works."""

import re
import shutil
from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.initialization import KEPT, next_steps, read_source
from assay.intake.choices import Choices
from assay.layout import Layout
from conftest import ROOT, TEMPLATE
from mini import initialize, kept
from toy import commit, git

TARGET = "gap [eV]"


@pytest.fixture
def root(mini: Path) -> Path:
    """A repository on main before `init`; the table lies where the template puts it."""
    (mini / KEPT).mkdir(parents=True)
    shutil.move(mini / "mine.csv", mini / KEPT / "mine.csv")
    (mini / ".gitignore").write_text("/out/\n/.assay/\n")
    git(mini, "init", "--quiet", "--initial-branch=main")
    commit(mini, "Begin")
    return mini


@pytest.mark.parametrize("committed", [True, False])
def test_an_init_can_be_undone(root, committed):
    """After the commands of the guide nothing of the seal is left, and `init` runs again."""
    before = kept(root)
    initialize(root, None, TARGET, None)
    first = (root / "data" / "sealed_labels.bin").read_bytes()
    if committed:
        commit(root, "Seal the held-out labels")
        git(root, "reset", "--quiet", "--hard", "HEAD~1")
    else:
        git(root, "restore", ".")
        git(root, "clean", "--quiet", "-fd", "data", "certificate.pub")
    shutil.rmtree(Layout(root).keys)
    shutil.rmtree(root / "out")
    left = {name: one for name, one in kept(root).items() if not name.startswith(".git/")}
    assert left == {name: one for name, one in before.items() if not name.startswith(".git/")}
    initialize(root, None, TARGET, None)
    assert (root / "data" / "sealed_labels.bin").read_bytes() != first


def test_everybody_names_the_same_files(root):
    """Hook, guides, tutorial, README and `init` itself have one list of what to commit."""
    (root / "README.md").write_text("# Mine\n")
    pages = ["hooks/post_gen_project.py", "docs/howto/own-data.md", "docs/howto/seal.md"]
    pages += ["docs/tutorial/first-steps.md", f"{TEMPLATE.name}/README.md"]
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in pages] + [next_steps(root)]
    lists = [re.findall(r"git add ([^&\n]*certificate\.pub[^&\n]*)", text) for text in texts]
    assert all(lists)
    assert {one.strip() for found in lists for one in found} == {
        "data src assay.toml certificate.pub README.md"
    }


def test_messages_name_the_file_of_the_person(root):
    """What is wrong with the copy that the template made is said of the table by its own name."""
    (root / KEPT / "mine.csv").write_text("formula,formula\nNaCl,1\n")
    with pytest.raises(UsageError) as caught:
        read_source(root, None, Choices())
    assert str(caught.value).startswith("mine.csv")
    assert str(KEPT) not in str(caught.value)
