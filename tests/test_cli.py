"""The command line: exit codes, JSON, and a quick start."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assay import cli
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.layout import Handover, Layout
from assay.records import VerdictRecord
from toy import PACKAGE, assay, environment, perturbed, rewrite_predictions

pytestmark = pytest.mark.usefixtures("laptop")
HEAVY = {
    "github",
    "great_expectations",
    "hypothesis",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "pymatgen",
    "scipy",
    "sklearn",
}


@pytest.fixture
def at(monkeypatch):
    """Run a verb in this process at some repository: `at(root, "score").code`."""

    def go(root: Path, *arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", ["assay", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return go


def test_help_imports_nothing_heavy(tmp_path):
    """`assay --help` starts without any of the scientific libraries."""
    code = (
        "import sys\n"
        "sys.argv = ['assay', '--help']\n"
        "from assay.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print('LOADED', *sorted({n.split('.')[0] for n in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & HEAVY
    for verb in (
        "init",
        "plan",
        "schema",
        "train",
        "sanity",
        "check",
        "score",
        "report",
        "predict",
        "verify",
        "trace",
        "diff",
        "data",
        "seal",
        "revoke",
        "ledger",
    ):
        assert f" {verb} " in done.stdout


def test_every_verb_has_one_line_of_help():
    """The list of verbs says in one line each what they do."""
    commands = typer.main.get_command(cli.app).commands
    for command in [
        *commands.values(),
        *commands["data"].commands.values(),
        *commands["seal"].commands.values(),
        *commands["ledger"].commands.values(),
    ]:
        assert command.get_short_help_str(100).endswith("."), command.name
        assert not command.get_short_help_str(100).endswith("..."), command.name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailedError("a"), 1),
        (RefusedError("a"), 1),
        (UsageError("a"), 2),
        (NotCarriedOutError("a"), 3),
        (ZeroDivisionError("0.123456"), 3),
    ],
)
def test_each_end_has_its_code(  # noqa: PLR0913 (fixtures)
    at, trained_toy, monkeypatch, capsys, error, code
):
    """Failed and refused 1, usage 2, not carried out 3, and a crash is never a failed check."""
    import assay.batch.verification

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(assay.batch.verification, "verify_path", fail)
    assert at(trained_toy, "verify", "x") == code
    told = capsys.readouterr().err
    last = told.splitlines()[-1]
    assert last.startswith("assay: ")
    assert last.endswith(" [machinery.internal-error]") == isinstance(error, ZeroDivisionError)
    assert ("Traceback" in told) == isinstance(error, ZeroDivisionError)


def test_an_error_ends_with_its_code(at, tmp_path, capsys):
    """The code stands in brackets behind the sentence, and with --json both are on stdout."""
    assert at(tmp_path, "train") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith(" [settings.missing]\n")
    assert at(tmp_path, "train", "--json") == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert (error["code"], error["exit_code"]) == ("settings.missing", 2)
    assert told.err == f"assay: {error['said']} [settings.missing]\n"


def test_a_failed_check_without_a_record_is_an_error_in_json(at, trained_toy, monkeypatch, capsys):
    """One document is on stdout: the record that a verb printed, or else the error."""
    import assay.batch.verification

    def fail(*_: object) -> None:
        raise CheckFailedError("a", code="batch.planted")

    monkeypatch.setattr(assay.batch.verification, "verify_path", fail)
    assert at(trained_toy, "verify", "x", "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "batch.planted"
    assert at(trained_toy, "verify", "x") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("module", "function", "arguments"),
    [
        ("scoring.score", "score", ["score"]),
        ("sealing.rotation", "rotate", ["seal", "rotate"]),
        ("sealing.retirement", "retire", ["seal", "retire", "--early"]),
        ("sealing.renewal", "read_fresh", ["seal", "fresh", "new.csv"]),
    ],
)
def test_crash_where_labels_are_open_tells_no_values(  # noqa: PLR0913 (fixtures)
    at, trained_toy, monkeypatch, capsys, module, function, arguments
):
    """Where labels are open a crash names its kind alone: no traceback, no message."""

    def crash(*_: object, **__: object) -> None:
        raise ValueError("label 0.123456")

    monkeypatch.setattr(importlib.import_module(f"assay.{module}"), function, crash)
    assert at(trained_toy, *arguments) == 3
    told = capsys.readouterr()
    assert "0.123456" not in told.out + told.err
    assert "Traceback" not in told.err
    assert "ValueError" in told.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nonsense"], "nonsense"),
        (["predict"], "Missing argument"),
        (["train", "--fast"], "--fast"),
    ],
)
def test_wrong_usage_is_2(arguments, word):
    """An unknown verb, a missing argument or an unknown option."""
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2
    assert word in done.output


def test_outside_a_repository_is_2(at, tmp_path, capsys):
    """Elsewhere the message says where to go."""
    assert at(tmp_path, "train") == 2
    assert "in a model repository" in capsys.readouterr().err


def test_error_in_a_subfolder_names_the_repository(at, toy, capsys):
    """Called further down, a verb says of which repository it speaks; at its top it need not."""
    for folder, beginning in ((toy / "data", f"assay in {toy}: "), (toy, "assay: ")):
        assert at(folder, "verify", "nowhere") == 2
        assert capsys.readouterr().err.startswith(beginning)


def test_subfolder_trains_the_repository_around_it(toy):
    """In `data/` the root's own code is trained and written beside it, whatever lies around.

    Planted: packages of the same name above the repository and in the current folder.
    """
    card = json.loads((toy / "out" / "candidate" / "candidate.json").read_text())
    (toy.parent / "assay.toml").write_text((toy / "assay.toml").read_text())
    for folder in (toy.parent / "src" / PACKAGE, toy / "data" / PACKAGE):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "model.py").write_text("raise RuntimeError('this is not the model')\n")
    before = set((toy / "data").iterdir())
    done = assay(toy / "data", "train", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bundle_digest"] == card["bundle_digest"]
    assert set((toy / "data").iterdir()) == before
    done = assay(toy / "data", "predict", "candidates/few.csv", "--uncertified")
    assert done.returncode == 0, done.stderr
    table = done.stdout.rsplit(" -> ", maxsplit=1)[1].strip()
    assert (toy / "data" / table / "predictions.csv").is_file()


def test_nothing_above_a_repository_is_taken(toy):
    """A repository of git that lacks `assay.toml` does not run the code of what it lies in."""
    inner = toy / "notes" / "deep"
    inner.mkdir(parents=True)
    assert assay(inner, "ledger", "show").returncode == 0, "without a boundary it is found"
    (toy / "notes" / ".git").mkdir()
    done = assay(inner, "train")
    assert done.returncode == 2
    assert f"{inner / 'assay.toml'} does not exist" in done.stderr


def test_score_predict_verify_report_from_the_command_line(certified, capsys, at):
    """The whole trusted half, each verb with --json giving one JSON document and exit code 0."""
    few = str(Layout(certified).candidates / "few.csv")
    records = {}
    for verb, arguments in (
        ("score", []),
        ("predict", [few]),
        ("verify", ["out/certificate.json"]),
    ):
        assert at(certified, verb, *arguments, "--json") == 0
        records[verb] = json.loads(capsys.readouterr().out)
    assert records["score"]["outcome"] == "PASS"
    assert records["predict"]["recipe"]["certified"]
    assert records["predict"]["predicted"] == 3
    assert records["verify"]["bundle_digest"] == records["predict"]["model_id"]
    assert at(certified, "report") == 0
    assert "index.html" in capsys.readouterr().out


def test_diff_tells_what_changed(certified, capsys, at):
    """A batch beside itself holds (0); beside an altered copy it differs (1), and says by what."""
    few = str(Layout(certified).candidates / "few.csv")
    assert at(certified, "predict", few, "--json") == 0
    batch = Layout(certified).out / "batches" / json.loads(capsys.readouterr().out)["batch_id"]
    assert at(certified, "diff", str(batch), str(batch / "predictions.csv")) == 0
    assert "0 changed" in capsys.readouterr().out
    assert at(certified, "trace", batch.name) == 0
    assert "certified" in capsys.readouterr().out
    assert at(certified, "trace", "asy-nothing") == 2
    assert "asy-nothing" in capsys.readouterr().err
    rows = (batch / "predictions.csv").read_text().splitlines()
    cells = rows[1].split(",")
    altered = certified / "altered.csv"
    altered.write_text("\n".join([rows[0], ",".join([cells[0], "9.5", *cells[2:]]), *rows[2:], ""]))
    assert at(certified, "diff", str(batch), str(altered), "--json") == 1
    told = capsys.readouterr()
    (difference,) = json.loads(told.out)["differences"]
    assert (difference["shared"], difference["changed"]) == (3, 1)
    assert "was altered" in json.loads(told.out)["causes"][0]
    assert told.err.startswith("assay: 1 row differs")
    assert at(certified, "diff", str(batch)) == 2


def test_refused_batch_says_why_in_the_run(certified, tmp_path):
    """A dispatch that ends red has its sentence in the summary, which people look at."""
    summary = tmp_path / "summary.md"
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = assay(certified, "batch", "sign", "nowhere", **actions)
    assert done.returncode
    sentence = re.sub(r" \[[a-z.-]+\]$", "", done.stderr.splitlines()[-1].removeprefix("assay: "))
    assert f"::error::{sentence}" in done.stdout
    heading, _, text = summary.read_text().partition("\n\n")
    assert heading == "## Not carried out"
    assert text.strip() == f"`{sentence}`"


def test_worse_model_ends_with_1(certified, capsys, at):
    """FAIL is exit code 1, with the verdict on the record and in one sentence."""
    rewrite_predictions(Handover(Layout(certified).out), perturbed(0.5))
    assert at(certified, "score", "--json") == 1
    told = capsys.readouterr()
    assert VerdictRecord.model_validate_json(told.out).outcome == "FAIL"
    assert told.err.splitlines()[-1].startswith("assay: FAIL: ")


def test_inconclusive_ends_with_1(certified, capsys, at):
    """What cannot be decided does not pass."""
    rewrite_predictions(Handover(Layout(certified).out), perturbed(1.0, only="s"))
    assert at(certified, "score") == 1
    assert "INCONCLUSIVE" in capsys.readouterr().err


def test_nothing_predicts_without_a_certificate(toy, capsys, at):
    """No champion, no certificate, another's certificate: 1; and with --uncertified marked rows."""
    few = str(Layout(toy).candidates / "few.csv")
    assert at(toy, "predict", few) == 1
    assert "no model is certified yet" in capsys.readouterr().err
    assert at(toy, "predict", few, "--bundle", "out/bundle") == 1
    assert "no certificate" in capsys.readouterr().err
    assert at(toy, "predict", few, "--uncertified") == 0
    assert "UNCERTIFIED" in capsys.readouterr().out


def test_altered_bundle_of_the_store_is_refused(certified, capsys, at):
    """The champion is verified every time, wherever it was found."""
    (model,) = Layout(certified).models.glob("*/bundle/MLmodel")
    model.write_text(model.read_text() + "# altered\n")
    assert at(certified, "predict", str(Layout(certified).candidates / "few.csv")) == 1
    assert "altered" in capsys.readouterr().err


def test_predictions_start_from_main_only(certified, capsys, at, monkeypatch):
    """In Actions a dispatch from a branch is refused before anything is looked for."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/idea")
    assert at(certified, "predict", "none.csv") == 1
    assert "refs/heads/main" in capsys.readouterr().err


def test_train_prints_json_alone(toy):
    """Standard output holds the record and nothing else; progress goes to standard error."""
    done = assay(toy, "train", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["estimator"] == "Ridge"
    assert "WARNING" not in done.stderr


def test_published_model_is_promoted_last(certified, monkeypatch, at):
    """If publishing fails the alias does not move, and scoring again mends it."""
    from assay.batch import authorization
    from assay.model import tracking

    order = []
    monkeypatch.setattr(authorization, "publish", lambda *_: order.append("publish"))
    monkeypatch.setattr(tracking, "promote", lambda *_: order.append("promote"))
    assert at(certified, "score", "--publish") == 0
    assert order == ["publish", "promote"]
    assert os.environ.get("GITHUB_ACTIONS") is None
