"""`assay verify`: what holds, and what was altered."""

from pathlib import Path

import pytest

from assay.batch.jobs import predict_batch
from assay.batch.verification import verify_path
from assay.errors import RefusedError, UsageError
from assay.files import digest_bytes, digest_file
from assay.layout import Handover, Layout
from assay.repository import read_repository
from assay.tables import read_table, table_text, write_table
from toy import permission_of, read_card

pytestmark = pytest.mark.usefixtures("laptop")


def predicted(root: Path, *, certified: bool = True) -> Path:
    """The folder of a batch."""
    permission = permission_of(root, certified=certified)
    few = Layout(root).candidates / "few.csv"
    record = predict_batch(read_repository(root), few, permission)
    return Layout(root).out / "batches" / record.folder


def test_certificate_bundle_and_batch_hold(certified):
    """All three, and the table itself, are verified against the same certificate."""
    out = Layout(certified).out
    folder = predicted(certified)
    digest = read_card(Handover(out)).bundle_digest
    tables = (folder / "predictions.csv", folder / "predictions.parquet")
    for path in (out / "certificate.json", out / "bundle", folder, *tables):
        sentence, details = verify_path(read_repository(certified), path)
        assert sentence.startswith("holds")
        assert details["bundle_digest"] == digest


def test_altered_bundle_is_refused(certified):
    """A bundle is checked against the certificate beside it."""
    bundle = Layout(certified).out / "bundle"
    (bundle / "MLmodel").write_text("x")
    with pytest.raises(RefusedError, match="but its certificate is for"):
        verify_path(read_repository(certified), bundle)


@pytest.mark.parametrize("change", ["value", "row", "model"])
def test_altered_table_is_refused(certified, change):
    """A changed number, a lost row or another model's id is noticed."""
    table = predicted(certified) / "predictions.csv"
    lines = table.read_text().splitlines()
    if change == "value":
        cells = lines[1].split(",")
        cells[1] = "9.9"
        lines[1] = ",".join(cells)
    if change == "row":
        del lines[1]
    if change == "model":
        lines = [
            line.replace(read_card(Handover(Layout(certified).out)).bundle_digest, "0" * 64)
            for line in lines
        ]
    table.write_text("\n".join(lines) + "\n")
    for path in (table, table.parent):
        with pytest.raises(RefusedError, match="not the table"):
            verify_path(read_repository(certified), path)


def test_batch_of_a_model_without_certificate_is_refused(certified):
    """An uncertified batch, or one whose record claims a model that is not at hand."""
    with pytest.raises(RefusedError, match="without a certificate"):
        verify_path(read_repository(certified), predicted(certified, certified=False))
    folder = predicted(certified)
    record = folder / "batch.json"
    digest = read_card(Handover(Layout(certified).out)).bundle_digest
    record.write_text(record.read_text().replace(digest, "0" * 64))
    with pytest.raises(RefusedError, match="another model"):
        verify_path(read_repository(certified), folder)
    (folder / "certificate.json").unlink()
    with pytest.raises(RefusedError, match="no certificate"):
        verify_path(read_repository(certified), folder)


def test_foreign_rows_under_a_true_record_are_refused(certified):
    """Rows of another model are refused even if the record was made to name the table."""
    folder = predicted(certified)
    table, record = folder / "predictions.csv", folder / "batch.json"
    before = digest_file(table)
    digest = read_card(Handover(Layout(certified).out)).bundle_digest
    table.write_text(table.read_text().replace(digest, "0" * 64, 1))
    record.write_text(record.read_text().replace(before, digest_file(table)))
    with pytest.raises(RefusedError, match="model_id is '000"):
        verify_path(read_repository(certified), folder)


def test_id_of_a_batch_is_as_good_as_its_folder(certified):
    """What stands in each row, and names the folder, is verified from anywhere."""
    folder = predicted(certified)
    named = verify_path(read_repository(certified), Path(folder.name))
    assert named == verify_path(read_repository(certified), folder)


def test_anything_else_is_a_usage_error(certified):
    """A path that is nothing of the kind is named."""
    with pytest.raises(UsageError, match="no certificate, bundle, batch or retired set"):
        verify_path(read_repository(certified), certified / "data")
    with pytest.raises(RefusedError, match="not a certificate"):
        verify_path(read_repository(certified), certified / "assay.toml")


@pytest.mark.parametrize("factor", [-99.0, 1 + 1e-7])
def test_table_with_other_numbers_and_a_record_to_match_is_refused(certified, factor):
    """Neither table nor record is signed, so the rows are predicted again from the bundle.

    What is changed in the seventh digit is noticed; what is only rounded to nine holds.
    """
    folder = predicted(certified)
    table, record = folder / "predictions.csv", folder / "batch.json"
    honest = digest_file(table)
    lines = table.read_text().splitlines()
    cells = lines[2].split(",")
    cells[1] = repr(float(cells[1]) * factor)
    table.write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]) + "\n")
    record.write_text(record.read_text().replace(honest, digest_file(table)))
    with pytest.raises(RefusedError, match=r"line 3: prediction is .*, but it must be"):
        verify_path(read_repository(certified), folder)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("unit", "kJ/mol"),
        ("lower", "-99.0"),
        ("upper", "nothing"),
        ("in_domain", "False"),
        ("domain_reason", "a reason"),
        ("batch_id", "another"),
        ("prediction_id", "0123456789abcdef"),
    ],
)
def test_whatever_stands_beside_the_prediction_is_made_again_too(certified, column, cell):
    """Another interval, unit, domain or id in a row is refused, whatever the record names."""
    folder = predicted(certified)
    table, record = folder / "predictions.csv", folder / "batch.json"
    honest = digest_file(table)
    rows = read_table(table, ["formula"])
    rows.loc[1, column] = cell
    write_table(rows, table)
    record.write_text(record.read_text().replace(honest, digest_file(table)))
    with pytest.raises(RefusedError, match=f"line 3: {column} is '{cell}', but it must be"):
        verify_path(read_repository(certified), folder)
    write_table(rows.drop(columns=column), table)
    again = record.read_text().replace(digest_of(rows), digest_file(table))
    record.write_text(again)
    with pytest.raises(RefusedError, match=f"has no column {column}"):
        verify_path(read_repository(certified), folder)


def digest_of(rows):
    """The digest of a table as it is written."""
    return digest_bytes(table_text(rows).encode())
