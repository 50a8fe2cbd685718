"""Records that come from a pull request are untrusted data."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import NotCarriedOutError
from assay.records import (
    FORMAT,
    MAXIMUM_BYTES,
    CandidateCard,
    CheckReport,
    Finding,
    read_record,
)
from sentences import told

DIGEST = "0123456789abcdef" * 4
CARD = CandidateCard(
    model="m",
    target="y",
    unit="eV",
    claim="no-regression",
    commit="c",
    correlation_id="i",
    bundle_digest=DIGEST,
    predictions_digest=DIGEST,
    train_digest=DIGEST,
    sealed_inputs_digest=DIGEST,
    pool_digest=DIGEST,
    lock_digest=DIGEST,
    estimator="Ridge",
    rows=3,
    groups=2,
    features=4,
    interval_half_width=None,
    interval_coverage=None,
    metrics={"mae": 0.1},
)


def test_round_trip(tmp_path):
    """A record that was written is read as it was."""
    CARD.write(tmp_path / "card.json")
    assert read_record(CandidateCard, tmp_path / "card.json") == CARD


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bundle_digest", DIGEST[:-1]),
        ("bundle_digest", DIGEST.upper()),
        ("bundle_digest", DIGEST + "\n"),
        ("claim", "perfection"),
        ("rows", "many"),
        ("rows", None),
        ("rows", -1),
        ("groups", 10**9 + 1),
        ("features", 10**9 + 1),
        ("estimator", "x" * 2001),
        ("metrics", {"mae": float("nan")}),
        ("metrics", {"mae": float("inf")}),
        ("metrics", [0.1]),
        ("surprise", 1),
        ("interval_coverage", {"level": 0.9, "grouped": 1e300, "random": 0.9}),
    ],
)
def test_bad_fields(tmp_path, field, value):
    """A field of the wrong form, unknown or not finite is named; exit code 3."""
    path = tmp_path / "candidate.json"
    path.write_text(json.dumps({**json.loads(CARD.model_dump_json()), field: value}))
    with told(NotCarriedOutError, 3, "candidate.json", field):
        read_record(CandidateCard, path)


REPORT = {"check": "schema", "subject": DIGEST, "executed": 1}
FINDING = {"rule": "columns", "severity": "failure", "message": "m"}


def test_a_newer_format_may_say_more_and_nothing_less(tmp_path):
    """Unknown fields, even nested ones, are ignored of a newer format; the known stay strict."""
    path = tmp_path / "schema.json"
    newer = REPORT | {"format": FORMAT + 1, "findings": [FINDING | {"new": 1}], "new": {"a": 1}}
    path.write_text(json.dumps(newer))
    assert read_record(CheckReport, path).failed == ["columns"]
    for change in (
        {"format": FORMAT},
        {"format": str(FORMAT + 1)},
        {"format": None},
        {"executed": -1},
        {"check": "other"},
        {"subject": "0"},
        {"findings": [FINDING | {"severity": "note"}]},
    ):
        path.write_text(json.dumps(newer | change))
        with told(NotCarriedOutError, 3, "schema.json"):
            read_record(CheckReport, path)


COUNTS = {"folds", "out_of_fold", "predicted"}
YOUNGER = {*COUNTS, "fold_rule", "findings", "format", "machinery", "machinery_files"}
YOUNGER |= {"machinery_version"}


def test_card_of_an_older_version_can_be_read(tmp_path):
    """A card without what younger versions added is read, and its counts are unknown, not zero."""
    content = json.loads(CARD.model_dump_json(exclude=YOUNGER))
    assert YOUNGER.isdisjoint(content)
    (tmp_path / "candidate.json").write_text(json.dumps(content))
    assert read_record(CandidateCard, tmp_path / "candidate.json").machinery is None


@pytest.mark.parametrize("field", sorted({*CandidateCard.model_fields} - YOUNGER))
def test_missing_fields(tmp_path, field):
    """Every field of the card is needed, but for those that older versions did not write."""
    content = json.loads(CARD.model_dump_json())
    del content[field]
    (tmp_path / "candidate.json").write_text(json.dumps(content))
    with told(NotCarriedOutError, 3, "candidate.json", field):
        read_record(CandidateCard, tmp_path / "candidate.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"check": "schema", "executed": ' + b"9" * 5000 + b"}",
        pickle.dumps({"check": "schema"}),
    ],
    ids=["empty", "cut", "list", "null", "binary", "deep", "long number", "pickle"],
)
def test_no_record(tmp_path, content):
    """What is no such record is refused with a sentence, whatever it is."""
    (tmp_path / "schema.json").write_bytes(content)
    with told(NotCarriedOutError, 3, "schema.json", "CheckReport"):
        read_record(CheckReport, tmp_path / "schema.json")


def test_no_file(tmp_path):
    """A file that is not there says which step writes it."""
    with told(NotCarriedOutError, 3, "schema.json", "missing"):
        read_record(CheckReport, tmp_path / "schema.json")


def test_link(tmp_path):
    """A link is not followed, however good what it points to."""
    CARD.write(tmp_path / "real.json")
    (tmp_path / "candidate.json").symlink_to(tmp_path / "real.json")
    with told(NotCarriedOutError, 3, "candidate.json"):
        read_record(CandidateCard, tmp_path / "candidate.json")


def test_size(tmp_path):
    """A file over the limit is not read."""
    (tmp_path / "schema.json").write_bytes(b" " * (MAXIMUM_BYTES + 1))
    with told(NotCarriedOutError, 3, "schema.json", f"{MAXIMUM_BYTES:,}", "writes it again"):
        read_record(CheckReport, tmp_path / "schema.json")


@given(st.integers(0, 5), st.lists(st.sampled_from(["failure", "warning"]), max_size=4))
def test_passed(executed, severities):
    """A check passes if something ran and nothing failed; warnings do not matter."""
    findings = [Finding(rule="r", severity=severity, message="m") for severity in severities]
    report = CheckReport(check="schema", subject="0" * 64, executed=executed, findings=findings)
    assert report.passed == (executed > 0 and "failure" not in severities)


def test_many_findings(tmp_path):
    """A flood of findings is refused, so that no comment can be drowned."""
    finding = {"rule": "r", "severity": "failure", "message": "m"}
    content = {"check": "schema", "subject": "0" * 64, "executed": 1}
    content["findings"] = [finding] * 1001
    (tmp_path / "schema.json").write_text(json.dumps(content))
    with told(NotCarriedOutError, 3, "findings"):
        read_record(CheckReport, tmp_path / "schema.json")


@pytest.mark.parametrize("field", ["rows", "groups", "features"])
def test_count_of_endless_digits_is_refused(tmp_path, field):
    """A count as long as a page is refused by its name, in one sentence that does not repeat it."""
    text = CARD.model_dump_json()
    before = f'"{field}":{getattr(CARD, field)}'
    assert before in text
    path = tmp_path / "candidate.json"
    path.write_text(text.replace(before, f'"{field}":{"9" * 4000}'))
    with told(NotCarriedOutError, 3, "candidate.json", field, "less than or equal to 1000000000"):
        read_record(CandidateCard, path)
    path.write_text(text.replace(before, f'"{field}":{"9" * 100_000}'))
    with told(NotCarriedOutError, 3, "candidate.json", "number out of range"):
        read_record(CandidateCard, path)
