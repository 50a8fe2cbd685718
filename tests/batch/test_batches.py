"""A batch is what its bundle makes of the list: whatever was altered in it is refused by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.batch import authorization
from assay.batch.authorization import authorize
from assay.batch.jobs import predict_batch
from assay.batch.verification import verify_path
from assay.errors import CheckFailedError, RefusedError, UsageError
from assay.features import MagpieFeatures
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.ledger.certificate import issue, read_signer, verify
from assay.model.bundle import METADATA, BundleMetadata
from assay.model.saving import save_bundle
from assay.records import read_record
from assay.repository import read_repository
from assay.scoring.score import score
from assay.tables import read_table, write_table
from toy import (
    PACKAGE,
    assay,
    change_card,
    domain_of,
    pool_formulas,
    write_rows,
)

pytestmark = pytest.mark.usefixtures("laptop")

HEADER = ["tag", "formula", "=note"]
ROWS = [
    ("a", "NaCl", "=1+1"),
    ("b", "Xx", ""),
    ("c", "MgO", "-0.5"),
    ("d", "=HYPERLINK(1)", "-x"),
    ("e", "Fe2O3", "'quoted"),
]
Edit = Callable[[Path], object]


def listed(root: Path) -> Path:
    """The list that the batches are made of; a spreadsheet would execute some of its cells."""
    path = root / "list.csv"
    write_rows(path, HEADER, ROWS)
    return path


def batch_of(root: Path, model: authorization.StoredModel | None = None) -> Path:
    """The folder of its batch, by the toy's model or another certified one."""
    handover, repository = Handover(Layout(root).out), read_repository(root)
    model = model or authorization.StoredModel(handover.bundle, handover.certificate)
    permission = authorize(repository, model.bundle, model.certificate)
    record = predict_batch(repository, listed(root), permission)
    return Layout(root).out / "batches" / record.folder


def classifier(root: Path, names: tuple[str, str] | None = None) -> authorization.StoredModel:
    """A model of a class in the place of the toy's, and certified in its place."""
    out = Handover(Layout(root).out)
    formulas = pool_formulas()[:60]
    model = make_pipeline(MagpieFeatures(), StandardScaler(), LogisticRegression())
    model.fit(pd.DataFrame({"formula": formulas}), ["O" in formula for formula in formulas])
    known = read_record(BundleMetadata, out.bundle / METADATA)
    changes = {"kind": "class", "target": "oxide", "unit": "1", "interval_half_width": None}
    changes |= {"interval_quantile": None, "classes": names}
    package = root / "src" / PACKAGE
    digest = save_bundle(
        model, out.bundle, known.model_copy(update=changes), domain_of(formulas), package
    )
    change_card(out, bundle_digest=digest)
    assert score(read_repository(root), out, None).certified
    return authorization.store(Layout(root), digest, out.bundle, out.certificate)


def verified(root: Path, folder: Path, *, with_list: bool = False) -> str:
    """What `assay verify` says."""
    candidates = root / "list.csv" if with_list else None
    return verify_path(read_repository(root), folder, candidates)[0]


def note(folder: Path, **fields: object) -> None:
    """Write fields into the record, which nobody signed."""
    record = folder / "batch.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **fields}))


def note_recipe(folder: Path, **fields: object) -> None:
    """Write fields into the record's recipe."""
    recipe = json.loads((folder / "batch.json").read_text())["recipe"]
    note(folder, recipe={**recipe, **fields})


def strip(path: Path) -> None:
    """Take out of a Parquet file what it says of itself."""
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    note_files(path.parent)


def note_files(folder: Path) -> None:
    """Write the digests of the files, as they are now, into the record."""
    record = json.loads((folder / "batch.json").read_text())
    note(folder, files={name: digest_file(folder / name) for name in record["files"]})


def edit_csv(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Edit the table of predictions, with a record to match."""
    table = folder / "predictions.csv"
    write_table(edit(read_table(table, ["formula"])), table)
    note_files(folder)


def edit_parquet(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Edit the Parquet file."""
    path = folder / "predictions.parquet"
    account = pq.read_schema(path).metadata
    edited = pa.Table.from_pandas(edit(pd.read_parquet(path)), preserve_index=False)
    pq.write_table(edited.replace_schema_metadata(account), path)
    note_files(folder)


def edit_quarantine(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Edit the quarantine."""
    path = folder / "quarantine.csv"
    write_table(edit(read_table(path, ["formula"], empty=True)), path)
    note_files(folder)


def cell(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """An edit of one cell."""

    def edit(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[row, column] = value
        return rows

    return edit


def raw(path: Path, old: bytes, new: bytes) -> None:
    """Exchange bytes of a file once, with a record to match."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    note_files(path.parent)


def exchange_names(folder: Path) -> None:
    """Have pandas' own metadata call lower upper, as pandas alone would read it."""
    path = folder / "predictions.parquet"
    kept = pq.read_table(path)
    own = pa.Table.from_pandas(pd.read_parquet(path)).schema.metadata[b"pandas"]
    names = (
        own.replace(b'"lower"', b'"x"').replace(b'"upper"', b'"lower"').replace(b'"x"', b'"upper"')
    )
    pq.write_table(kept.replace_schema_metadata({**kept.schema.metadata, b"pandas": names}), path)
    note_files(folder)


def footer_of(rows: int) -> bytes:
    """A footer's number of rows in Thrift's compact form, before its list of row groups."""
    return bytes([0x16, 2 * rows, 0x19])


def hide_a_row(folder: Path) -> None:
    """Have the Parquet file's footer, the record and nothing else say that there is a row less."""
    path = folder / "predictions.parquet"
    own = pq.read_schema(path).metadata
    account = json.dumps({**json.loads(own[b"assay"]), "with_csv": False}, sort_keys=True)
    pq.write_table(pq.read_table(path).replace_schema_metadata({"assay": account}), path)
    raw(path, footer_of(3), footer_of(2))
    assert pq.ParquetFile(path).metadata.num_rows == 2
    (folder / "predictions.csv").unlink()
    names = {name: digest_file(folder / name) for name in FILES}
    note_recipe(folder, with_csv=False)
    note(folder, files=names, rows=4, predicted=2)


@pytest.mark.parametrize("kind", ["number", "class"])
def test_honest_batch_holds_with_and_without_its_list(certified, kind):
    """Numbers with intervals and classes without hold, hostile cells and all.

    A word where a bound would stand does not.
    """
    folder = batch_of(certified, classifier(certified) if kind == "class" else None)
    assert "give --candidates LIST to check" in verified(certified, folder)
    assert "each row of" in verified(certified, folder, with_list=True)
    rows = read_table(folder / "predictions.csv", ["formula"])
    assert all((rows["lower"] == "") == (kind == "class"))
    edit_csv(folder, cell(1, "lower", "nothing"))
    with pytest.raises(RefusedError, match="line 3: lower is 'nothing', but it must be"):
        verified(certified, folder)


def test_classes_by_name_hold_and_exchanged_ones_do_not(certified):
    """A name in a cell, or what table or record say of the names: each is made again."""
    folder = batch_of(certified, classifier(certified, ("other", "oxide")))
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert verified(certified, folder, with_list=True).startswith("holds")
    told = json.loads(pq.read_schema(folder / "predictions.parquet").metadata[b"assay"])
    assert told["prediction"] == "probability of oxide"
    alterations = (
        lambda: edit_csv(folder, exchanged),
        lambda: edit_parquet(folder, exchanged),
        lambda: note(folder, classes=["oxide", "other"]),
        lambda: describe(folder, {**told, "prediction": "probability of other"}),
    )
    for alter in alterations:
        alter()
        with pytest.raises(RefusedError):
            verified(certified, folder)
        for name, content in kept.items():
            (folder / name).write_bytes(content)
    assert verified(certified, folder).startswith("holds")


def exchanged(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with each predicted class called by the other's name."""
    other = {"oxide": "other", "other": "oxide"}
    return rows.assign(predicted_class=rows["predicted_class"].map(other))


def describe(folder: Path, account: dict[str, object]) -> None:
    """Have the Parquet file say this of itself."""
    path, told = folder / "predictions.parquet", json.dumps(account, sort_keys=True)
    pq.write_table(pq.read_table(path).replace_schema_metadata({"assay": told}), path)
    note_files(folder)


def test_batches_without_quarantine_or_predictions_hold(certified, monkeypatch):
    """A table with a header alone is an honest one."""
    for rows in ([ROWS[0]], [ROWS[1]]):
        monkeypatch.setattr("test_batches.ROWS", rows)
        try:
            folder = batch_of(certified)
        except CheckFailedError:
            (folder,) = set((Layout(certified).out / "batches").iterdir()) - {folder}
        assert verified(certified, folder, with_list=True).startswith("holds")
        assert verified(certified, folder).startswith("holds")


def test_batch_holds_when_its_model_is_certified_again(certified):
    """The certificate that let it through lies in the batch; a later one does not end it."""
    folder = batch_of(certified)
    stored = next(Layout(certified).models.iterdir()) / "certificate.json"
    statement = verify(stored, Layout(certified).public_key)
    later = statement.predicate.model_copy(update={"time": "2030-01-01T00:00:00+00:00"})
    again = statement.model_copy(update={"predicate": later})
    issue(again, read_signer(Layout(certified)), stored)
    assert verified(certified, folder, with_list=True).startswith("holds")
    shutil.copyfile(stored, folder / "certificate.json")
    with pytest.raises(RefusedError, match=r"certificate_digest is .*, but it must be"):
        verified(certified, folder)


FILES = ("predictions.parquet", "quarantine.csv")
ALTERATIONS: dict[str, tuple[Edit, str]] = {
    "no parquet": (
        lambda folder: (folder / "predictions.parquet").unlink(),
        "predictions.parquet is missing",
    ),
    "no parquet file": (
        lambda folder: ((folder / "predictions.parquet").write_text("x"), note_files(folder)),
        "cannot be read as Parquet",
    ),
    "parquet value": (
        lambda folder: edit_parquet(folder, cell(1, "prediction", -9.9)),
        r"predictions.parquet, row 2: prediction is .*-9.9.*, but it must be",
    ),
    "parquet unit": (
        lambda folder: edit_parquet(folder, cell(0, "unit", "kJ/mol")),
        "row 1: unit is 'kJ/mol'",
    ),
    "parquet tag": (
        lambda folder: edit_parquet(folder, cell(2, "tag", "z")),
        "predictions.csv, line 4: tag is 'e', but it must be z",
    ),
    "parquet row": (
        lambda folder: edit_parquet(folder, lambda rows: rows[1:]),
        "predicted is 3, but it must be 2",
    ),
    "parquet order": (
        lambda folder: edit_parquet(folder, lambda rows: rows[::-1]),
        "line 2: formula is",
    ),
    "parquet column": (
        lambda folder: edit_parquet(folder, lambda rows: rows.assign(better=1.0)),
        "predictions.parquet is not of the types",
    ),
    "no quarantine": (
        lambda folder: (folder / "quarantine.csv").unlink(),
        "quarantine.csv is missing",
    ),
    "quarantine row": (
        lambda folder: edit_quarantine(folder, lambda rows: rows[1:]),
        "quarantined is 2, but it must be 1",
    ),
    "hidden row": (
        lambda folder: edit_quarantine(folder, cell(1, "formula", "KCl")),
        "quarantine.csv, line 3: the model does predict 'KCl'",
    ),
    "armed quarantine": (
        lambda folder: edit_quarantine(folder, cell(0, "tag", "=HYPERLINK(1)")),
        "quarantine.csv, line 2: tag is '=HYPERLINK.1.', but it must be '=HYPERLINK",
    ),
    "armed behind a semicolon": (
        lambda folder: edit_quarantine(folder, cell(1, "reason", "no formula;=1+1")),
        "quarantine.csv, line 3: reason is 'no formula;=1.1', but it must be no formula;'=1",
    ),
    "armed header": (
        lambda folder: edit_quarantine(folder, lambda rows: rows.rename(columns={"tag": "=tag"})),
        "quarantine.csv has no column '=tag",
    ),
    "metadata of pandas": (exchange_names, "predictions.parquet is not of the types"),
    "rows beyond the footer": (hide_a_row, "predictions.parquet has 3 rows, not 2"),
    "csv row": (
        lambda folder: edit_csv(folder, lambda rows: rows[1:]),
        "predictions.csv has 2 rows, not 3",
    ),
    "another file": (
        lambda folder: (folder / "quarantine.csv").write_text("formula,line,reason\n"),
        "quarantine.csv is not the table that batch.json names",
    ),
    "no account": (
        lambda folder: strip(folder / "predictions.parquet"),
        "does not say itself what batch.json says of it",
    ),
    "uncertified": (
        lambda folder: note_recipe(folder, certified=False),
        "was predicted without a certificate",
    ),
    "other bundle": (
        lambda folder: note_recipe(folder, bundle_digest="0" * 64),
        "rows of another model than its certificate names",
    ),
    "other machinery": (
        lambda folder: note_recipe(folder, machinery="0" * 64),
        "does not say itself what batch.json says of it",
    ),
    "other candidates": (
        lambda folder: note_recipe(folder, candidates_digest="0" * 64),
        "batch.json: batch_id is .*, but it must be",
    ),
    "stray table": (
        lambda folder: (
            note_recipe(folder, with_csv=False)
            or note(folder, files={n: digest_file(folder / n) for n in FILES})
        ),
        "predictions.csv is no table that batch.json names",
    ),
    "files left out": (
        lambda folder: note(folder, files={}),
        "names other files than a batch has",
    ),
    **{
        f"record {key}": (
            lambda folder, key=key, value=value: note(folder, **{key: value}),
            f"batch.json: {key} is .*, but it must be",
        )
        for key, value in (
            ("batch_id", "asy-0123456789abcdef"),
            ("model_id", "0" * 64),
            ("target", "another"),
            ("unit", "kJ/mol"),
            ("certificate_digest", "0" * 64),
            ("correlation_id", None),
            ("rows", 9),
            ("predicted", 9),
            ("quarantined", 9),
            ("outside", 1),
        )
    },
}


@pytest.fixture(scope="module")
def honest(certified_toy, tmp_path_factory):
    """A repository with a batch; each test works on a copy of the batch alone."""
    root = Path(shutil.copytree(certified_toy, tmp_path_factory.mktemp("honest") / "toy"))
    return root, batch_of(root)


@pytest.fixture
def folder(honest, tmp_path):
    """A copy of the batch."""
    return Path(shutil.copytree(honest[1], tmp_path / "batch"))


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_alteration_is_refused_with_its_sentence(honest, folder, alteration):
    """Both tables, the quarantine and the record are made again; the list is not needed."""
    edit, sentence = ALTERATIONS[alteration]
    edit(folder)
    with pytest.raises(RefusedError, match=sentence):
        verified(honest[0], folder)


def drop_a_row(folder: Path) -> None:
    """Leave out a prediction, in all files."""
    edit_csv(folder, lambda rows: rows[1:])
    edit_parquet(folder, lambda rows: rows[1:])
    note(folder, rows=4, predicted=2)


def turn_round(folder: Path) -> None:
    """The same predictions in another order."""
    edit_csv(folder, lambda rows: rows[::-1])
    edit_parquet(folder, lambda rows: rows[::-1])


def retag(folder: Path) -> None:
    """Give a row a neighbour's tag."""
    edit_csv(folder, cell(0, "tag", "e"))
    edit_parquet(folder, cell(0, "tag", "e"))


def add_a_column(folder: Path) -> None:
    """Say something that the list does not."""
    edit_csv(folder, lambda rows: rows.assign(measured="yes"))
    edit_parquet(folder, lambda rows: rows.assign(measured="yes"))


UNSEEN: dict[str, tuple[Edit, str]] = {
    "dropped": (drop_a_row, "list.csv has 5 rows, but 4 are predicted or quarantined"),
    "order": (turn_round, "predictions.parquet, row 1: formula is 'Fe2O3', but it must be NaCl"),
    "tag": (retag, "predictions.parquet, row 1: tag is 'e', but it must be a"),
    "column": (add_a_column, "has a column 'measured'"),
    "line": (
        lambda folder: edit_quarantine(folder, cell(0, "line", "4")),
        "quarantine.csv, line 2: line is '4', but it must be 3",
    ),
    "note": (
        lambda folder: edit_quarantine(folder, cell(1, "tag", "x")),
        "quarantine.csv, line 3: tag is 'x', but it must be d",
    ),
    "refused formula": (
        lambda folder: edit_quarantine(folder, cell(0, "formula", "Yy")),
        "quarantine.csv, line 2: formula is 'Yy', but it must be Xx",
    ),
}


@pytest.mark.parametrize("alteration", UNSEEN)
def test_what_the_batch_alone_cannot_show_its_list_does(honest, folder, alteration):
    """A dropped row with a record to match holds by itself, and is refused beside its list."""
    root, edit = honest[0], UNSEEN[alteration][0]
    edit(folder)
    assert verified(root, folder).startswith("holds")
    with pytest.raises(RefusedError, match=UNSEEN[alteration][1]):
        verified(root, folder, with_list=True)


def test_rows_beyond_the_footer_are_seen_beside_the_list_as_well(certified):
    """A file that holds a row more than it says, and than the list has, is refused."""
    folder = batch_of(certified)
    path = folder / "predictions.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table[:1]]).combine_chunks(), path)
    raw(path, footer_of(4), footer_of(3))
    with pytest.raises(RefusedError, match=r"predictions.parquet has more than 3 rows"):
        verified(certified, folder, with_list=True)


def test_parquet_that_breaks_off_behind_its_first_part_is_refused(honest, folder, monkeypatch):
    """What cannot be read is one sentence, wherever in the file it lies."""
    monkeypatch.setattr("assay.batch.comparison.CHUNK", 1)
    path = folder / "predictions.parquet"
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=1)
    at = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[at : at + 9] = b"\xff" * 9
    path.write_bytes(content)
    note_files(folder)
    with pytest.raises(RefusedError, match=r"cannot be read as Parquet"):
        verified(honest[0], folder)


def test_another_list_is_refused(certified):
    """The list must be the very one; a list for what is no batch is a wrong usage."""
    folder = batch_of(certified)
    arguments = ("verify", str(folder), "--candidates", "list.csv")
    assert "holds: " in assay(certified, *arguments).stdout
    with (certified / "list.csv").open("a") as stream:
        stream.write("f,KCl,\n")
    with pytest.raises(RefusedError, match=r"list.csv is not the list that batch.json names"):
        verified(certified, folder, with_list=True)
    assert assay(certified, *arguments).returncode == 1
    with pytest.raises(UsageError, match="--candidates is for batches alone"):
        verified(certified, Layout(certified).out / "bundle", with_list=True)
