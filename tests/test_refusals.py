"""Why a verb was not carried out: written beside the records, and shown in the report."""

import shutil
from types import SimpleNamespace

import pytest

from assay.errors import CheckFailedError, NotCarriedOutError, UsageError
from assay.layout import Handover, Layout
from assay.records import MAXIMUM_TEXT, Refusal, read_record
from assay.scoring import score as scoring
from assay.verbs import checks
from assay.verbs.console import recorded
from toy import assay

pytestmark = pytest.mark.usefixtures("laptop")


@pytest.fixture
def handover(toy, monkeypatch) -> Handover:
    """The output folder of a toy repository that the process stands in."""
    monkeypatch.chdir(toy)
    return Handover(Layout(toy).out)


def said(handover: Handover, part: str) -> Refusal:
    """The refusal of a part."""
    return read_record(Refusal, handover.refusal(part))


def test_an_expected_error_is_written_down_and_goes_on(toy, handover):
    """The sentence is kept with its exit code, and paths in it start at the repository."""
    with pytest.raises(UsageError), recorded(handover, "schema"):
        raise UsageError(f"{toy}/data/train.csv, row 3: mend it.")
    assert said(handover, "schema") == Refusal(said="data/train.csv, row 3: mend it.", exit_code=2)


def test_a_crash_is_told_by_its_kind_alone(handover):
    """What an unexpected error says could hold labels, so it is not written down."""
    with pytest.raises(KeyError), recorded(handover, "score"):
        raise KeyError("label 0.25")
    assert said(handover, "score").exit_code == 3
    assert "KeyError" in said(handover, "score").said
    assert "0.25" not in said(handover, "score").said


def test_a_failed_check_is_no_refusal(handover):
    """It has a record of its own; a refusal of an earlier time is taken away."""
    handover.refusal("sanity").parent.mkdir(parents=True, exist_ok=True)
    handover.refusal("sanity").write_text("{}")
    with pytest.raises(CheckFailedError), recorded(handover, "sanity"):
        raise CheckFailedError("sanity found 1 failures.")
    assert not handover.refusal("sanity").exists()


def test_a_long_text_is_cut_to_what_a_record_may_hold(handover):
    """Whatever an error says, the record of it can be read."""
    with pytest.raises(UsageError), recorded(handover, "candidate"):
        raise UsageError("x" * (MAXIMUM_TEXT + 1))
    assert len(said(handover, "candidate").said) == MAXIMUM_TEXT


def test_name_that_is_not_utf8_is_told_all_the_same(handover):
    """What no record can hold is left out of it, and the error goes on as it came."""
    with pytest.raises(UsageError), recorded(handover, "schema"):
        raise UsageError("data/candidates/\udcff.csv has\nno rows.")
    assert said(handover, "schema").said == "data/candidates/ .csv has no rows."


def test_verdict_outlives_what_fails_after_it(handover, monkeypatch):
    """A verdict that is in the ledger is not said to be missing when its model cannot be kept."""

    def fail(*_: object, **__: object) -> None:
        raise NotCarriedOutError("the release cannot be written.")

    verdict = SimpleNamespace(certified=True, bundle_digest="0" * 64)
    monkeypatch.setattr(scoring, "score", lambda *_: verdict)
    monkeypatch.setattr(checks, "_spread", fail)
    with pytest.raises(NotCarriedOutError, match="release"):
        checks.score()
    assert not handover.refusal("score").exists()
    monkeypatch.setattr(scoring, "score", fail)
    with pytest.raises(NotCarriedOutError):
        checks.score()
    assert "release" in said(handover, "score").said


def test_the_error_itself_is_told_where_nothing_can_be_written(handover):
    """A folder that takes no file, here since a file has its name, changes nothing of the error."""
    place = handover.refusal("score").parent
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(exist_ok=True)
    place.write_text("")
    with pytest.raises(UsageError, match="mend it"), recorded(handover, "score"):
        raise UsageError("assay.toml: mend it.")


def test_nothing_is_written_outside_of_a_repository(tmp_path, monkeypatch):
    """A verb in some other folder leaves nothing there."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError), recorded(Handover(tmp_path / "out"), "schema"):
        raise UsageError("there is no assay.toml.")
    assert list(tmp_path.iterdir()) == []


def test_verbs_leave_a_refusal_until_they_can_be_carried_out(toy, handover):
    """A misspelt key stops a verb, which says so in its refusal; set right, it leaves none."""
    right = (toy / "assay.toml").read_text()
    (toy / "assay.toml").write_text(right.replace("[target]", "[target]\nunti = 1"))
    for verb, part in (("schema", "schema"), ("train", "candidate"), ("score", "score")):
        assert assay(toy, verb).returncode == 2
        assert "unti" in said(handover, part).said
    (toy / "assay.toml").write_text(right)
    assert assay(toy, "train").returncode == 0
    assert not handover.refusal("candidate").exists()
