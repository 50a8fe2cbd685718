"""What somebody else wrote may be nested as deeply as they like: it is one sentence, no crash."""

from pathlib import Path

import pytest

from assay.batch.queues import read_queue
from assay.errors import AssayError, RefusedError, UsageError
from assay.ledger.certificate import verify_content
from assay.ledger.entries import DamagedLedgerError, read_lines
from assay.records import CheckReport, read_record
from assay.sanity.own_tests import names_in
from assay.sealing.encryption import read_header
from assay.settings import parse_settings

DEPTH = 100_000
ARRAY = "[" * DEPTH + "]" * DEPTH
OBJECT = '{"a":' * DEPTH + "1" + "}" * DEPTH


def test_settings():
    """100,000 brackets in assay.toml are said to be too deep."""
    with pytest.raises(UsageError) as told:
        parse_settings(f"x = {ARRAY}")
    assert told.value.code == "settings.too-deep"


@pytest.mark.parametrize("text", [ARRAY, OBJECT])
def test_records_certificates_ledgers_and_labels(tmp_path: Path, text):
    """JSON of any depth is no record, no certificate, no line and no header."""
    path = tmp_path / "schema.json"
    path.write_text(text)
    with pytest.raises(AssayError):
        read_record(CheckReport, path)
    with pytest.raises(RefusedError):
        verify_content(text.encode(), "certificate.json", None)
    with pytest.raises(DamagedLedgerError):
        read_lines(text.encode() + b"\n", None)
    with pytest.raises(AssayError):
        read_header(text.encode() + b"\n", "sealed_labels.bin")


def test_queue_files(tmp_path: Path):
    """A queue file of nested lists is no queue file."""
    path = tmp_path / "slurm.yaml"
    path.write_text("[" * 5_000 + "]" * 5_000)
    with pytest.raises(UsageError):
        read_queue(path)


def test_files_of_tests():
    """A test file that Python itself cannot parse defines no test that we know of."""
    assert names_in(("x = " + "(" * DEPTH + ")" * DEPTH).encode()) == []
    assert names_in(("x = " + "-" * DEPTH + "1").encode()) == []
