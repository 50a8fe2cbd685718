"""Batches: every row is accounted for, every row says what made it, nothing in it executes."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union

from assay.batch.authorization import authorize, without_certificate
from assay.batch.jobs import BatchOptions, predict_batch
from assay.batch.lineage import trace
from assay.batch.prediction import (
    predict_rows,
    predict_table,
    prediction_rows,
    quarantine_rows,
)
from assay.batch.records import BatchRecord
from assay.compositions import elements, problem
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.features import MagpieFeatures, StoichiometryFeatures, parsing
from assay.features.parsing import amounts
from assay.features.transformers import GapError
from assay.layout import Handover, Layout
from assay.model.domain import Domain
from assay.model.loading import LoadedBundle
from assay.predictions import rounded
from assay.repository import read_repository
from assay.tables import EXECUTABLE, for_spreadsheets
from sentences import told
from toy import (
    METADATA,
    assay,
    domain_of,
    permission_of,
    pool_formulas,
    read_card,
    write_rows,
)

pytestmark = pytest.mark.usefixtures("laptop")

HOSTILE = [
    "=HYPERLINK(1)",
    "@SUM(A1)",
    "-2+3+cmd|' /C calc'!A0",
    "+1",
    "",
    " ",
    "NaCl ",
    "Xx2O3",
    "He",
    "NaCl0",
    "D2O",
    "na,cl",
    '"',
    "<script>",
    "Na" * 200,
    "NaCl\u202e",
    "１NaCl",
    "((((",
    "null",
    "../../etc/passwd",
    "{{7*7}}",
]
DOMAIN = Domain.of(domain_of(["NaCl", "MgO"]))
cells = st.one_of(
    st.sampled_from(pool_formulas()[:30]),
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12),
)


class Picky:
    """A model that fails, in its own ways, on some elements, and counts how often it is asked."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.calls = 0

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """The number of elements; KeyError on iron, ValueError on zinc, NaN on copper."""
        self.calls += 1
        found = [elements(formula) for formula in frame["formula"]]
        if any("Fe" in row for row in found):
            raise KeyError("Fe")
        if any("Zn" in row for row in found):
            raise ValueError("no zinc here")
        return np.array([np.nan if "Cu" in row else float(len(row)) for row in found])


def picky() -> LoadedBundle:
    """A bundle around it."""
    return LoadedBundle("0" * 64, METADATA, DOMAIN, Picky(), Path())


@given(st.lists(cells, max_size=40))
@effort(deadline=None, max_examples=60)
def test_every_row_is_predicted_or_quarantined(formulas):
    """Rows in equal rows out: each has either a finite value or a reason, in its own place."""
    reasons, values, content = predict_rows(picky(), formulas)
    assert len(reasons) == len(values) == len(formulas)
    for formula, reason, value in zip(formulas, reasons, values, strict=True):
        if reason is None:
            assert value == len(elements(formula))
        else:
            assert reason.strip()
            bad = problem(formula) is not None or elements(formula) & {"Fe", "Zn", "Cu"}
            assert bad, f"{formula!r} was turned away: {reason}"
    table = pd.DataFrame({"formula": formulas, "note": formulas}, dtype=str)
    good = np.array([reason is None for reason in reasons], dtype=bool)
    accounts = {"model_id": "m", "batch_id": "b"}
    kept = prediction_rows(table[good], content, values[good], picky(), accounts)
    rest = quarantine_rows(table, reasons)
    assert len(kept) + len(rest) == len(formulas)
    assert [*kept["formula"]] == [f for f, is_good in zip(formulas, good, strict=True) if is_good]
    assert [formulas[line - 2] for line in rest["line"]] == [*rest["formula"]]


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("No module named 'tqdm.auto'"), OSError(5, "I/O"), MemoryError()]
)
def test_rows_do_not_answer_for_the_environment(error):
    """What fails for want of a library, a file or memory is not carried out, and no row is lost."""
    broken = SimpleNamespace(predict=lambda _: (_ for _ in ()).throw(error))
    with told(NotCarriedOutError, 3, type(error).__name__, "run the same command again"):
        predict_rows(broken, ["NaCl", "MgO"])
    assert predict_rows(broken, ["Xx"])[0] != [None], "a formula that is none is still told"


def test_what_may_be_a_missing_value_is_not_predicted():
    """NaN, the nitride's reduced formula, is left out and told how to write; other ways are not."""
    reasons, values, _ = predict_rows(picky(), ["NaCl", "NaN", "Na1N1", "NaN3", "NNa"])
    assert [reason is None for reason in reasons] == [True, False, True, True, True]
    assert "write Na1N1" in reasons[1]
    assert np.isnan(values).tolist() == [False, True, False, False, False]


@given(st.lists(cells, min_size=1, max_size=20))
@effort(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_file_of_anything_is_accounted_for_to_the_last_row(certified, formulas):
    """From file to files: the counts of batch.json are those of the two tables."""
    path = certified / "list.csv"
    write_rows(path, ["formula", "note"], [(formula, formula) for formula in formulas])
    try:
        record = run(certified, path)
    except CheckFailedError:
        record = newest(certified)
        assert record.predicted == 0
    folder = Layout(certified).out / "batches" / record.folder
    predictions, quarantine = read(folder / "predictions.csv"), read(folder / "quarantine.csv")
    assert record.rows == len(formulas) == record.predicted + record.quarantined
    assert (record.predicted, record.quarantined) == (len(predictions), len(quarantine))
    for row in [*predictions, *quarantine]:
        assert not any(executes(cell) for cell in row.values()), row


def executes(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula (a plain number is none)."""
    if not cell.startswith(EXECUTABLE):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def run(root: Path, candidates: Path) -> BatchRecord:
    """Predict with the certified model."""
    handover = Handover(Layout(root).out)
    permission = authorize(read_repository(root), handover.bundle, handover.certificate)
    return predict_batch(read_repository(root), candidates, permission)


def newest(root: Path) -> BatchRecord:
    """The record that was written last."""
    found = (Layout(root).out / "batches").glob("*/batch.json")
    last = max(found, key=lambda path: path.stat().st_mtime_ns)
    return BatchRecord.model_validate_json(last.read_text())


def read(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_reasons_name_the_row_that_failed():
    """Whatever the model raises, the rows that cause it are found and the others predicted."""
    formulas = ["NaCl", "FeO", "ZnO", "CuO", "MgO", "Fe2O3"]
    reasons, values, _ = predict_rows(picky(), formulas)
    assert [reason is None for reason in reasons] == [True, False, False, False, True, False]
    assert "KeyError" in reasons[1]
    assert reasons[2] == "no zinc here"
    assert "nan" in reasons[3]
    assert list(values[[0, 4]]) == [2, 2]


def test_few_bad_rows_cost_few_calls():
    """Three bad rows among 2,000 are found by halving, not one by one."""
    bundle = picky()
    formulas = ["NaCl"] * 1997 + ["FeO"] * 3
    reasons, _, _ = predict_rows(bundle, formulas)
    assert sum(reason is not None for reason in reasons) == 3
    assert bundle.model.calls < 60


class Featurised:
    """A model on Magpie features of the formulas, or of others; it counts its calls."""

    def __init__(self, others: bool) -> None:
        """Nothing is asked yet."""
        self.calls, self.others = 0, others

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """The first feature."""
        self.calls += 1
        formulas = list(frame["formula"])[::-1] if self.others else list(frame["formula"])
        return MagpieFeatures().transform(formulas)[:: -1 if self.others else 1, 0]


@pytest.mark.parametrize("others", [False, True])
def test_rows_with_gaps_are_known_at_once(others):
    """The features name them all, so one more call is enough, but only if it is of these rows."""
    bundle = LoadedBundle("0" * 64, METADATA, DOMAIN, Featurised(others), Path())
    formulas = ["NaCl"] * 30 + ["HeO", "MgO", "NeO2"]
    reasons, values, _ = predict_rows(bundle, formulas)
    assert [n for n, reason in enumerate(reasons) if reason is not None] == [30, 32]
    assert all(repr(formulas[n]) in reasons[n] for n in (30, 32))
    assert np.isfinite(values).sum() == 31
    assert (bundle.model.calls == 2) is not others


def test_a_part_of_a_list_is_parsed_once(monkeypatch):
    """Features, domain, ids and reasons share one reading of the text, whatever is set aside.

    Planted: rows that cannot be read, that may be missing and that have a gap, which each had the
    rest parsed again.
    """
    frame = pd.DataFrame({"formula": pool_formulas()[:40]})
    model = make_pipeline(make_union(MagpieFeatures(), StoichiometryFeatures()), Ridge())
    bundle = LoadedBundle("0" * 64, METADATA, DOMAIN, model.fit(frame, np.arange(40.0)), Path())
    formulas = ["Xx2O3", "NaN", "HeO", *frame["formula"]]
    scanned, scan = [], parsing._scanned
    monkeypatch.setattr(
        parsing, "_scanned", lambda texts: scanned.append(len(texts)) or scan(texts)
    )
    table = pd.DataFrame({"formula": formulas}, dtype=str)
    rows, rest = predict_table(bundle, table, 2, {"model_id": "m", "batch_id": "b"})
    assert scanned == [43]
    assert (list(rows["formula"]), list(rest["line"])) == (list(frame["formula"]), [2, 3, 4])
    plain = model.predict(frame)
    assert np.array_equal(bundle.predict(list(frame["formula"])), plain)
    assert np.array_equal(rows["prediction"], rounded(plain))


def test_rows_keep_their_order_and_their_company(certified):
    """Order and other columns stay; a column with a name of ours cannot pass for ours."""
    rows = [("b", "NaCl", "me", "=1+1"), ("a", "MgO", "you", "-0.5"), ("c", "Xx", "-x", "+y")]
    path = certified / "list.csv"
    write_rows(path, ["tag", "formula", "model_id", "line"], rows)
    record = run(certified, path)
    folder = Layout(certified).out / "batches" / record.folder
    predictions, quarantine = read(folder / "predictions.csv"), read(folder / "quarantine.csv")
    assert [row["tag"] for row in predictions] == ["b", "a"]
    assert {row["model_id"] for row in predictions} == {record.model_id}
    assert [row["given_model_id"] for row in predictions] == ["me", "you"]
    assert [row["line"] for row in predictions] == ["'=1+1", "-0.5"]
    assert [(r["line"], r["given_line"], r["model_id"]) for r in quarantine] == [
        ("4", "'+y", "'-x")
    ]
    assert "Xx" in quarantine[0]["reason"]
    parquet = pd.read_parquet(folder / "predictions.parquet")
    assert list(parquet["prediction"]) == pytest.approx(
        [float(r["prediction"]) for r in predictions]
    )


def test_numbers_have_as_many_digits_as_mean_something():
    """Prediction and interval have nine significant digits, so no cell shows seventeen."""
    table = pd.DataFrame({"formula": ["NaCl", "MgO"]}, dtype=str)
    accounts = {"model_id": "m", "batch_id": "b"}
    values = np.array([1 / 3, -2e5 / 7])
    rows = prediction_rows(table, amounts(["NaCl", "MgO"]), values, picky(), accounts)
    assert list(rows["prediction"]) == [0.333333333, -28571.4286]
    for column in ("prediction", "lower", "upper"):
        for cell in rows[column].map(repr):
            assert sum(character.isdigit() for character in cell.lstrip("-0.")) <= 9, cell


def test_executable_header_is_neutralised():
    """A column name is a cell, too."""
    frame = for_spreadsheets(pd.DataFrame({"=cmd": ["\t=x"], "n": [-1.5], "t": ["-1e5"]}))
    assert list(frame.columns) == ["'=cmd", "n", "t"]
    assert list(frame.iloc[0]) == ["'\t'=x", -1.5, "-1e5"]


def test_each_row_says_how_sure_it_is_and_whether_it_is_inside(certified):
    """Interval, unit, domain and ids stand on every row."""
    path = certified / "list.csv"
    write_rows(path, ["formula"], [["NaCl"], ["PuO2"]])
    record = run(certified, path)
    card = read_card(Handover(Layout(certified).out))
    first, second = read(Layout(certified).out / "batches" / record.folder / "predictions.csv")
    widths = [float(row["upper"]) - float(row["lower"]) for row in (first, second)]
    assert widths[0] == pytest.approx(2 * card.interval_half_width, rel=0.5)
    assert widths[1] > widths[0] > 0
    assert (first["unit"], first["in_domain"], first["domain_reason"]) == ("eV/atom", "True", "")
    assert second["in_domain"] == "False"
    assert second["domain_reason"].startswith("no training row holds Pu")
    assert first["batch_id"] == record.batch_id
    assert record.correlation_id == card.correlation_id


def test_ids_are_functions_of_model_and_composition(certified):
    """The same list gives the same batch and the same ids; another spelling the same prediction."""
    path = certified / "list.csv"
    write_rows(path, ["formula"], [["Li2O"], ["NaCl"]])
    record = run(certified, path)
    table = Layout(certified).out / "batches" / record.folder / "predictions.csv"
    before = table.read_bytes()
    assert run(certified, path).batch_id == record.batch_id
    assert table.read_bytes() == before
    write_rows(path, ["formula"], [["OLi2"]])
    again = run(certified, path)
    assert again.batch_id != record.batch_id
    (row,) = read(Layout(certified).out / "batches" / again.folder / "predictions.csv")
    assert row["prediction_id"] == read(table)[0]["prediction_id"]


def test_uncertified_is_said_in_folder_record_and_every_row(toy):
    """A table that nobody certified cannot be taken for one that somebody did."""
    path = toy / "list.csv"
    write_rows(path, ["formula"], [["NaCl"], ["MgO"]])
    bundle = Handover(Layout(toy).out).bundle
    record = predict_batch(read_repository(toy), path, without_certificate(bundle))
    assert (record.certified, record.certificate_digest) == (False, None)
    folder = Layout(toy).out / "batches" / record.folder
    assert folder.name.endswith("-uncertified")
    assert all(r["model_id"].startswith("uncertified-") for r in read(folder / "predictions.csv"))
    assert json.loads((folder / "batch.json").read_text())["model_id"].startswith("uncertified-")


def test_list_of_bad_rows_alone_fails_and_keeps_the_reasons(certified):
    """Nothing predicted is a failed check, and the quarantine says why."""
    path = certified / "list.csv"
    write_rows(path, ["formula"], [["Xx"], ["=1"]])
    with pytest.raises(CheckFailedError, match="none of the 2 rows"):
        run(certified, path)
    record = newest(certified)
    assert (record.rows, record.predicted, record.quarantined) == (2, 0, 2)


@pytest.mark.parametrize("text", ["", "formula\n", "name\nsalt\n"])
def test_unreadable_list_is_a_usage_error_and_leaves_nothing(certified, text):
    """A list that is no table writes no batch."""
    path = certified / "list.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"list\.csv"):
        run(certified, path)
    assert not (Layout(certified).out / "batches").exists()


def test_bundle_exchanged_after_it_was_let_through_does_not_predict(certified):
    """Between permission and prediction a bundle can be replaced; then no batch is written."""
    handover, repository = Handover(Layout(certified).out), read_repository(certified)
    permission = authorize(repository, handover.bundle, handover.certificate)
    metadata = handover.bundle / "assay.json"
    metadata.write_text(metadata.read_text().replace("eV/atom", "meV/atom"))
    path = certified / "list.csv"
    write_rows(path, ["formula"], [["NaCl"]])
    with pytest.raises(RefusedError, match="changed after it was let through"):
        predict_batch(repository, path, permission)
    assert not (Layout(certified).out / "batches").exists()


def test_a_model_that_scikit_learn_predicts_says_so(certified, tmp_path):
    """The toy's ridge has no trees to be walked: one sentence on standard error says so."""
    candidates = tmp_path / "list.csv"
    write_rows(candidates, ["formula"], [("NaCl",), ("Li2O",)])
    done = assay(certified, "predict", str(candidates))
    assert done.stderr.splitlines()[-1] == (
        "assay: scikit-learn itself predicts, as Ridge is no forest that could be walked faster."
    )


@pytest.mark.parametrize("error", [ValueError("two\nlines\r::error::x"), KeyError("a\nb")])
def test_reason_is_on_one_line(error):
    """Whatever a model says of a row, its reason is a cell that any reader of CSV takes."""

    def refuse(_):
        raise error

    reasons, _, _ = predict_rows(SimpleNamespace(predict=refuse), ["NaCl"])
    (reason,) = reasons
    assert reason.isprintable()
    gaps = GapError({0: ("NaCl", "no value\nfor Na")})

    def lack(_):
        raise gaps

    reasons, _, _ = predict_rows(SimpleNamespace(predict=lack), ["NaCl", "NaCl"])
    assert all(reason.isprintable() for reason in reasons)


def test_what_makes_other_rows_makes_another_batch(certified):
    """Another column, or no certificate, is another id and folder: nothing is overwritten."""
    path = certified / "list.csv"
    write_rows(path, ["id", "made", "parent"], [["1", "NaCl", "MgO"]])
    repository = read_repository(certified)
    permissions = [permission_of(certified, certified=proven) for proven in (True, False)]
    found = [
        predict_batch(repository, path, permission, BatchOptions(column=column))
        for permission in permissions
        for column in ("made", "parent")
    ]
    assert len({one.batch_id for one in found}) == len({one.folder for one in found}) == 4
    for one, formula in zip(found, ["NaCl", "MgO"] * 2, strict=True):
        (row,) = read(Layout(certified).out / "batches" / one.folder / "predictions.csv")
        assert (row["formula"], row["batch_id"]) == (formula, one.batch_id)
        assert trace(certified, one.folder).batches == [one.folder]
