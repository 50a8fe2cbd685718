"""What a hostile pull request may hand over, and that the trusted job only ever reads it as data.

The job of score.yml runs whole in this process: `score`, then `report --post` to a stand-in of
GitHub. docs/explanation/security.md has the table of threats that these tests belong to.
"""

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.ledger.entries import DecisionEntry
from assay.records import MAXIMUM_COUNT, CheckReport, Finding, read_record
from assay.report.comment import MARKER
from assay.sealing.encryption import SEALING
from inert import HOSTILE, assert_inert
from report_samples import Tags
from toy import (
    assay,
    change_card,
    nearer,
    perturbed,
    predictions_of,
    read_card,
    recount,
    rewrite_predictions,
    write_rows,
)
from trusted_job import HEAD, PULL, Observation, TrustedJob, commands

pytestmark = pytest.mark.slow

RUN_PAGE = "https://github.invalid/group/toy/actions/runs/41"
COMMANDS = ("\n::error::forged", "##[add-mask]a", "::stop-commands::x\n")
FORMULA = "=cmd|' /C calc'!A0"
FILES = ("schema", "sanity", "candidate", "predictions", "train")

Tamper = Callable[[TrustedJob], object]


@pytest.fixture
def unpainted(undrawn: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture on the page, and empty ones beside the comment: all else is posted as ever.

    Hostile words meet the real pictures in `test_hostile_words_stay_words`.
    """
    monkeypatch.setattr("assay.drawing.Drawing.png", lambda _: b"\x89PNG\r\n\x1a\n")


def secret_of(job: TrustedJob) -> str:
    """The sealing key, as it stands in the one file that holds it."""
    return (Layout(job.checkout).keys / SEALING.file).read_text().strip()


def shown(job: TrustedJob, seen: Observation) -> str:
    """All that people and programs are shown: output, report, and what GitHub was told."""
    places = ("temp/handover/report/", "temp/handover/verdict", "github/", "runner/")
    texts = [
        content.decode(errors="replace")
        for path, (_, content) in seen.files.items()
        if path.startswith(places)
    ]
    return "\n".join([seen.printed, *seen.logged, *texts])


def assert_harmless(job: TrustedJob, seen: Observation) -> None:
    """Nothing handed over was obeyed: by a shell, the runner, Python, GitHub or a browser."""
    assert not commands(seen.printed)
    assert not list(job.folder.rglob("owned*"))
    assert secret_of(job) not in shown(job, seen)
    (comment,) = job.told("comments")[str(PULL)]
    assert_inert(comment["body"], RUN_PAGE)
    page = Tags(seen.text("temp", "handover", "report", "index.html"))
    assert not page.names & {"img", "iframe", "object"}
    assert [given for tag, given in page.tags if tag == "script"] == [{}]  # the one that sorts
    assert not [key for _, given in page.tags for key in given if key.startswith("on")]


# --- what is not read at all ---------------------------------------------------------------------


def _path(job: TrustedJob, name: str) -> Path:
    return Path(getattr(job.handover, name))


def _link(name: str) -> Tamper:
    """A link to the sealing key, as an archive made by hand may hold one."""

    def tamper(job: TrustedJob) -> None:
        _path(job, name).unlink()
        _path(job, name).symlink_to(Layout(job.checkout).keys / SEALING.file)

    return tamper


def _content(name: str, make: Callable[[TrustedJob], bytes]) -> Tamper:
    """Other content, which the card names as if all were well."""

    def tamper(job: TrustedJob) -> None:
        content = make(job)
        _path(job, name).write_bytes(content)
        if name in {"predictions", "train"}:
            change_card(job.handover, **{f"{name}_digest": digest_file(_path(job, name))})

    return tamper


def _special(name: str, make: Callable[[Path], None]) -> Tamper:
    def tamper(job: TrustedJob) -> None:
        _path(job, name).unlink()
        make(_path(job, name))

    return tamper


def _huge(name: str, size: int) -> Tamper:
    def tamper(job: TrustedJob) -> None:
        os.truncate(_path(job, name), size)
        if name in {"predictions", "train"}:
            change_card(job.handover, **{f"{name}_digest": digest_file(_path(job, name))})

    return tamper


class Bomb:
    """A pickle that makes a file where it is loaded."""

    def __reduce__(self):
        """What the loader calls."""
        return (open, ("owned-by-pickle", "w"))


def _pickle(_: TrustedJob) -> bytes:
    return pickle.dumps(Bomb(), protocol=0)


def _zip_bomb(_: TrustedJob) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("owned", bytes(50_000_000))
    return packed.getvalue()


def _cell(value: str) -> Tamper:
    """A cell in the place of the first sealed row's prediction."""

    def tamper(job: TrustedJob) -> None:
        rows: dict[str, Any] = {**predictions_of(job.handover), "s00001": value}
        write_rows(job.handover.predictions, ["row_id", "prediction"], rows.items())
        change_card(job.handover, predictions_digest=digest_file(job.handover.predictions))

    return tamper


def _extra(row: str) -> Tamper:
    """A row that nobody asked for."""
    return lambda job: rewrite_predictions(job.handover, lambda values: {**values, row: 0.0})


def _countless(job: TrustedJob) -> None:
    """A count of more digits than Python's own `int` would print."""
    text = job.handover.candidate.read_text()
    rows = json.loads(text)["rows"]
    job.handover.candidate.write_text(text.replace(f'"rows": {rows},', f'"rows": {"9" * 5000},'))


def _flood(job: TrustedJob) -> None:
    finding = {"rule": "r", "severity": "warning", "message": "m"}
    content = {"check": "schema", "executed": 1, "findings": [finding] * 1001}
    job.handover.schema.write_text(json.dumps(content))


def _header(job: TrustedJob) -> bytes:
    return f"row_id,##[add-mask]a,{HOSTILE[1]}\nt00001,a,b\n".encode()


REFUSED: dict[str, Tamper] = {
    **{f"{name} is a link to the key": _link(name) for name in FILES},
    **{f"{name} is a pipe": _special(name, os.mkfifo) for name in FILES[2:]},
    "candidate is a folder": _special("candidate", Path.mkdir),
    "no sanity": lambda job: job.handover.sanity.unlink(),
    **{f"{name} is a pickle": _content(name, _pickle) for name in ("candidate", "predictions")},
    **{f"{name} is a zip bomb": _content(name, _zip_bomb) for name in ("candidate", "predictions")},
    "candidate is huge": _huge("candidate", 20_000_000),
    "predictions are huge": _huge("predictions", 200_000_000),
    "train is huge": _huge("train", 200_000_000),
    "a row too many": _extra("s99999"),
    "not a number": _cell("NaN"),
    "too large a number": _cell("1e400"),
    "a spreadsheet's formula": _cell(FORMULA),
    **{f"a row that commands {n}": _extra(text) for n, text in enumerate(COMMANDS)},
    **{
        f"a field that commands {n}": lambda job, key=text: change_card(job.handover, **{key: 1})
        for n, text in enumerate(COMMANDS)
    },
    "a header that commands": _content("train", _header),
    "a flood of findings": _flood,
    "a count without end": _countless,
    "a negative count": lambda job: change_card(job.handover, groups=-1),
}


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("tamper", REFUSED.values(), ids=REFUSED)
def test_hostile_handover_is_an_error_and_no_more(job: TrustedJob, capfd, tamper: Tamper):
    """No verdict, no use, red status and comment that say why; nothing is obeyed or shown."""
    tamper(job)
    seen = job.run(capfd)
    assert seen.codes == (3, 0), seen.printed
    assert "Traceback" not in seen.printed
    assert job.ledger.head is None
    assert not job.handover.verdict.exists()
    (status,) = job.told("statuses")[HEAD]
    assert status["state"] == "error"
    assert "ERROR" in job.told("comments")[str(PULL)][0]["body"].splitlines()[1]
    assert_harmless(job, seen)


def test_check_for_commands_bites():
    """What the runner would obey is found on either form, and plain text is not."""
    assert commands("a\n  ::error file=a::b\nc")
    assert commands("assay: 'x##[add-mask]a' is bad.")
    assert not commands("assay: a::b, ## [x] and # #[add-mask]a.")


# --- what is scored as if it were not there ------------------------------------------------------


def _verdicts_everywhere(job: TrustedJob) -> None:
    """A second artifact, and a forged verdict, certificate and reference in every one."""
    for part in ("schema", "sanity", "candidate", "another", "bundle"):
        folder = job.handover.folder / part
        folder.mkdir(exist_ok=True)
        for name in ("verdict.json", "certificate.json", "reference.csv", "ledger.jsonl"):
            (folder / name).write_text('{"outcome": "PASS", "certified": true}')
        (folder / ".." / part / "..data").write_text("x")


def _rows_of_its_own(job: TrustedJob) -> None:
    """Train rows that main does not have, whose cells a spreadsheet would execute."""
    text = job.handover.train.read_text()
    job.handover.train.write_text(f'{text}t90001,"{FORMULA}",{FORMULA}\n')
    digest = digest_file(job.handover.train)
    rewrite_predictions(job.handover, lambda v: {**v, "t90001": 0.0}, train_digest=digest)
    recount(job.handover)


def _lies_about_itself(job: TrustedJob) -> None:
    """A card with figures and digests that are not true."""
    metrics = {"mae": -1e308, **dict.fromkeys(HOSTILE, 1.0)}
    fields = {"rows": MAXIMUM_COUNT, "groups": 0, "metrics": metrics, "interval_half_width": 1e308}
    digest = "f" * 64
    change_card(job.handover, **fields, bundle_digest=digest, lock_digest=digest, commit="d" * 40)


IGNORED = {
    "verdicts in every artifact": _verdicts_everywhere,
    "rows of its own": _rows_of_its_own,
    "a card that lies": _lies_about_itself,
}


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("tamper", IGNORED.values(), ids=IGNORED)
def test_hostile_extras_change_no_verdict(job: TrustedJob, capfd, tamper: Tamper):
    """What is not asked for is not looked at: the verdict is the one without it."""
    _do_well(job)
    job.run(capfd, report=False)
    plain = json.loads(job.handover.verdict.read_text())
    tamper(job)
    seen = job.run(capfd)
    verdict = json.loads(job.handover.verdict.read_text())
    same = ("outcome", "stage", "candidate_error", "reference_error", "margin", "certified")
    assert {key: verdict[key] for key in same} == {key: plain[key] for key in same}
    assert (plain["outcome"], plain["certified"]) == ("PASS", False)
    assert [status["state"] for status in job.told("statuses")[HEAD]] == ["success"]
    assert_harmless(job, seen)


def _do_well(job: TrustedJob) -> None:
    """Hand over predictions near the labels, such as an honest and very good model makes."""
    rewrite_predictions(job.handover, nearer(job.labels, 0.9))


# --- words ---------------------------------------------------------------------------------------

WORDS = (*HOSTILE, *COMMANDS, FORMULA, "$(touch owned)", "`touch owned`", "'; touch owned; '")


def test_hostile_words_stay_words(job: TrustedJob, capfd):
    """Shell, Markdown, HTML, formulas and runner commands in every field are shown, not obeyed."""
    findings = [
        Finding(rule=word, severity="warning", message=word, file=word, formula=word, value=word)
        for word in WORDS
    ]
    said = {"executed": 9, "findings": findings, "details": "".join(WORDS)}
    for path in (job.handover.schema, job.handover.sanity):
        read_record(CheckReport, path).model_copy(update=said).write(path)
    every = " ".join(WORDS)
    card = dict.fromkeys(
        ("model", "target", "unit", "estimator", "correlation_id", "commit"), every
    )
    change_card(job.handover, **card)
    seen = job.run(capfd)
    assert seen.codes[1] == 0
    comment = job.told("comments")[str(PULL)][0]["body"]
    assert comment.count("touch owned") >= len(HOSTILE)
    assert_harmless(job, seen)


def test_hostile_cells_and_file_names_stay_words(job: TrustedJob, toy: Path, capfd):
    """Whatever stands in a table or names a list goes through the data checks as words."""
    lines = [word.replace("\n", " ").replace('"', '""') for word in WORDS]
    rows = "".join(f't9{number:04d},"{word}",0.5\n' for number, word in enumerate(lines))
    train = Layout(toy).train
    train.write_text(train.read_text() + rows)
    (Layout(toy).candidates / "$(touch owned)<img src=x>@octocat.csv").write_text("formula\nNe\n")
    checked = assay(toy, "schema", GITHUB_ACTIONS="true")
    assert checked.returncode == 1, checked.stderr
    found = commands(checked.stdout + checked.stderr)
    assert found
    assert {command.split()[0] for command in found} <= {"::error", "::warning"}
    shutil.copyfile(Handover(Layout(toy).out).schema, job.handover.schema)
    seen = job.run(capfd)
    assert seen.codes == (3, 0)
    comment = job.told("comments")[str(PULL)][0]["body"]
    assert "touch owned" in comment
    assert "octocat" in comment
    assert_harmless(job, seen)


def test_check_for_harm_bites(job: TrustedJob, capfd, monkeypatch):
    """A report that shows words as they are, or a job that prints the key, is found."""
    change_card(job.handover, estimator=HOSTILE[1])
    monkeypatch.setattr("assay.report.comment.code", lambda text, *_, **__: text)
    with pytest.raises(AssertionError):
        assert_harmless(job, job.run(capfd))
    monkeypatch.undo()
    assert_harmless(job, job.run(capfd))
    monkeypatch.setattr("assay.verbs.checks.tell", lambda *_, **__: typer.echo(secret_of(job)))
    with pytest.raises(AssertionError):
        assert_harmless(job, job.run(capfd))


# --- predictions and commits ---------------------------------------------------------------------


def test_forged_predictions_certify_nothing(job: TrustedJob, capfd):
    """Predictions that the model did not make turn a pull request green; main's own run decides."""
    genuine = predictions_of(job.handover)
    _do_well(job)
    forged = read_card(job.handover).predictions_digest
    assert job.run(capfd, report=False).codes == (0,)
    job.trigger_main()
    rewrite_predictions(job.handover, lambda _: perturbed(5.0)(genuine))
    assert job.run(capfd, report=False).codes == (1,)
    decisions = [entry for entry in job.ledger.entries if isinstance(entry, DecisionEntry)]
    assert [entry.predictions_digest == forged for entry in decisions] == [True, False]
    assert not any(entry.certified for entry in decisions)
    assert job.told("releases") is None
    assert not job.handover.certificate.exists()


@pytest.mark.usefixtures("unpainted")
def test_forced_push_takes_no_status_along(job: TrustedJob, capfd):
    """The verdict stays with the commit that was checked; the pull request, moved on, has none."""
    pull = {"number": PULL, "state": "open", "head": {"sha": "d" * 40}}
    job.server.state.write("pulls.json", [pull])
    change_card(job.handover, commit="d" * 40)
    job.run(capfd)
    assert set(job.told("statuses")) == {HEAD}
    assert job.told("comments") is None
    assert {entry.commit for entry in job.ledger.entries} == {HEAD}


@pytest.mark.usefixtures("unpainted")
def test_others_comment_is_left_alone(job: TrustedJob, capfd):
    """A comment that imitates ours is neither taken for it nor changed."""
    forged = {"id": 900, "body": f"{MARKER}\n### ✅ PASS", "user": {"login": "x", "type": "User"}}
    job.server.state.write("comments.json", {str(PULL): [forged]})
    job.run(capfd)
    first, ours = job.told("comments")[str(PULL)]
    assert first == forged
    assert ours["user"]["type"] == "Bot"
