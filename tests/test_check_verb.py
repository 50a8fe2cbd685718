"""`assay check` checks the data beside the training, and says the same as one after the other."""

import signal
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from assay.cli import app
from assay.errors import NotCarriedOutError, UsageError
from assay.verbs import checks
from assay.verbs.beside import VerbBeside, verb_beside

SAID = "assay: 1 data check failed: fix what is listed above. [report.failed-check]\n"


@pytest.fixture
def check(monkeypatch, trained_toy):
    """Run the verb with data checks and training that end as a test says; gives what it did."""

    def run(data=(0, "schema: fine\n", ""), error=None):
        done = []

        @contextmanager
        def beside(verb, options):
            done.append("data checks begun")
            yield SimpleNamespace(ended=lambda: data)

        def trained():
            done.append("trained")
            if error is not None:
                raise error
            return "card"

        monkeypatch.chdir(trained_toy)
        monkeypatch.setattr(checks, "verb_beside", beside)
        monkeypatch.setattr(checks, "_trained", trained)
        monkeypatch.setattr(checks, "_tell_card", lambda *_, **__: print("train: fine"))  # noqa: T201
        monkeypatch.setattr(checks, "sanity", lambda **_: print("sanity: fine"))  # noqa: T201
        result = CliRunner().invoke(app, ["check"])
        return result, done

    return run


def test_all_is_said_in_order(check):
    """The data checks begin before the training, and what they say stands first."""
    result, done = check()
    assert done == ["data checks begun", "trained"]
    assert result.stdout.splitlines() == ["schema: fine", "train: fine", "sanity: fine"]
    assert result.exit_code == 0


def test_failed_data_checks_decide(check):
    """Their exit code is that of the verb, their sentence the last one, and no model is tested."""
    result, _ = check((1, "schema: 1 failed\n", SAID))
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        ["schema: 1 failed", "train: fine"],
    )
    assert result.stderr == SAID


def test_both_errors_are_said(check):
    """Where both fail, both are said; the same sentence once."""
    error = UsageError("model.py: no build_model: write one.", code="model.no-builder")
    result, _ = check((1, "", SAID), error)
    assert (result.exit_code, result.stderr.splitlines()[-1] + "\n") == (1, SAID)
    assert "[model.no-builder]" in result.stderr
    same = UsageError("fix what is listed above.", code="model.no-builder")
    assert check((1, "", SAID), same)[0].stderr == SAID


def test_an_error_of_the_training_alone_goes_on(check):
    """Where the data hold, the training's own error ends the verb, after what the checks said."""
    error = UsageError("model.py: no build_model: write one.", code="model.no-builder")
    result, _ = check(error=error)
    assert result.exception is error
    assert result.stdout == "schema: fine\n"


def test_a_verb_beside_says_what_it_says_alone():
    """Exit code and both streams come back whole, from a process that runs this very assay."""
    with verb_beside("--version") as other:
        code, output, errors = other.ended()
    assert (code, errors) == (0, "")
    assert output.startswith("assay ")


def test_a_verb_beside_ends_with_its_context():
    """Nothing runs on when this process has an error, or the person is out of patience."""
    with verb_beside("schema") as other:
        assert other.process.poll() is None
    assert other.process.poll() == -signal.SIGKILL


def test_a_verb_that_is_killed_is_no_pass(tmp_path):
    """A process that was ended from outside said nothing, and counts as not carried out."""
    killed = SimpleNamespace(wait=lambda: -9)
    with pytest.raises(NotCarriedOutError) as caught:
        VerbBeside("schema", killed, None, None).ended()
    assert caught.value.code == "machinery.killed"
