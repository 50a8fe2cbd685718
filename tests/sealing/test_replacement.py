"""`assay seal renew`: one command says what a renewal costs, and then does the whole of it."""

import pytest
from typer.testing import CliRunner

from assay.cli import app
from assay.layout import Layout
from assay.ledger.record import read_ledger
from assay.repository import read_repository
from assay.schema.check import check_schema
from assay.sealing import replacement
from assay.sealing.encryption import SEALING, read
from assay.sealing.labels import sealed_digest
from assay.sealing.releases import folder_of, is_released, read_release
from mini import ANIONS, csv_of, initialize, kept
from toy import commit, git

TARGET = "gap [eV]"
CATIONS = ("Rb", "Cs", "Sr", "Ba", "Sc", "V", "Cr", "Mn")
FRESH = {f"{c}{a}": 2 + 0.01 * i for i, c in enumerate(CATIONS) for a in ANIONS}


@pytest.fixture
def root(mini, monkeypatch):
    """A sealed repository on main whose set is in use, with fresh rows beside it."""
    (mini / "mine.csv").rename(mini.parent / "mine.csv")
    initialize(mini, str(mini.parent / "mine.csv"), TARGET, None)
    (mini / ".gitignore").write_text("/out/\n/.assay/\n")
    git(mini, "init", "--quiet", "--initial-branch=main")
    git(mini, "config", "user.name", "A. Tester")
    git(mini, "config", "user.email", "tester@localhost")
    commit(mini, "Begin")
    (mini.parent / "fresh.csv").write_text(csv_of(FRESH))
    monkeypatch.chdir(mini)
    return mini


def renew(*options):
    """Run the verb as in a script, where nobody answers."""
    return CliRunner().invoke(app, ["seal", "renew", "../fresh.csv", *options])


def test_it_says_what_it_costs_before_it_does_anything(root):
    """Without a word of agreement the cost is printed and nothing is changed or published."""
    before, name = kept(root), sealed_digest(Layout(root))
    asked = renew()
    assert asked.exception.code == "labels.not-agreed"
    for cost in (name[:12], "become public", "100 that are left", "baseline", SEALING.variable):
        assert cost in asked.stdout
    assert kept(root) == before
    assert read_ledger(root).retirement(name) is None


def test_one_command_renews_the_set(root):
    """Labels are published, the ledger has the end, the new set is sealed under a new key.

    Its pull request passes the data checks beside main, which still has the old set.
    """
    layout = Layout(root)
    name, key = sealed_digest(layout), read(Layout(root), SEALING)
    done = renew("--yes")
    assert done.exit_code == 0, done.output
    assert read_ledger(root).retirement(name) is not None
    read_release(folder_of(layout, name))
    assert sealed_digest(layout) != name
    assert read(layout, SEALING) != key
    report = check_schema(read_repository(root))
    assert (report.failures, report.details.endswith("compared with main")) == ([], True)


def test_rows_that_cannot_be_sealed_publish_nothing(root):
    """What is wrong with the new rows is found while the old labels are still secret."""
    (root.parent / "fresh.csv").write_text(csv_of({**FRESH, "Li7O": 1.0}))
    name = sealed_digest(Layout(root))
    refused = renew("--yes")
    assert refused.exception.code == "data.public-system"
    assert not is_released(Layout(root), name)
    assert read_ledger(root).retirement(name) is None


def test_what_was_cut_short_is_brought_to_its_end(root, monkeypatch):
    """After a crash between the two halves the same command does the second one alone."""
    layout = Layout(root)
    name = sealed_digest(layout)
    with monkeypatch.context() as patch:
        patch.setattr(replacement.renewal, "carry_out", lambda *_: 1 / 0)
        assert isinstance(renew("--yes").exception, ZeroDivisionError)
    assert is_released(layout, name)
    assert sealed_digest(layout) == name
    again = renew("--yes")
    assert again.exit_code == 0, again.output
    assert "are public already" in again.stdout
    assert sealed_digest(layout) != name
