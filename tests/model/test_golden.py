"""Golden rows: an update that would change a prediction is refused, and no other one is."""

import json
import shutil

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline

from assay.errors import NotCarriedOutError, RefusedError
from assay.features import MagpieFeatures, StoichiometryFeatures, tables
from assay.features.interface import GOLDEN, INTERFACE
from assay.layout import Handover, Layout
from assay.model import golden
from assay.model.bundle import digest_bundle
from assay.model.golden import FILE, differences, featurizers, golden_rows
from assay.model.loading import load_bundle
from environments import ROOT
from toy import PACKAGE, assay, toy_bundle  # noqa: F401 (a fixture)

FEW = ["candidates/few.csv"]


class Wrapped:
    """An author's own estimator around a featurizer."""

    def __init__(self) -> None:
        """Keep it somewhere inside."""
        self.inner = {"parts": [(MagpieFeatures(), 1)]}


def changed(bundle, **fields):
    """Overwrite fields of a bundle's golden rows."""
    path = bundle / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def machinery(folder, *edits):
    """A copy of the machinery with texts of its modules exchanged; gives the way to it."""
    source = shutil.copytree(ROOT / "src" / "assay", folder / "assay")
    for module, old, new in edits:
        path = source / module
        text = path.read_text()
        assert old in text, module
        path.write_text(text.replace(old, new, 1))
    return {"PYTHONPATH": str(folder)}


HARMLESS = (
    ("misspellings.py", "leave the row out", "leave this row out"),
    (
        "features/tables.py",
        '"""The symbols of the elements by atomic number',
        '"""All symbols of the elements by atomic number',
    ),
    ("features/transformers.py", "cannot be featurised: ", "has no features: "),
    ("report/figures.py", '"""', '"""Again: '),
)


def test_other_words_of_the_machinery_leave_a_certified_model_alone(certified, tmp_path):
    """After a hint, docstrings and a report changed, it predicts the same rows and model id."""
    few = str(Layout(certified).candidates / "few.csv")
    rows = []
    for place, edits in (("as it was", ()), ("changed", HARMLESS)):
        shutil.rmtree(Layout(certified).out / "batches", ignore_errors=True)
        done = assay(certified, "predict", few, **machinery(tmp_path / place, *edits))
        assert done.returncode == 0, done.stderr
        (table,) = Layout(certified).out.glob("batches/*/predictions.csv")
        rows.append([line.split(",")[:4] for line in table.read_text().splitlines()])
    assert rows[0] == rows[1]


def test_other_value_of_a_feature_is_refused(certified, tmp_path):
    """A feature that is computed otherwise is named, with both values, though nobody said so."""
    few = str(Layout(certified).candidates / "few.csv")
    edit = (
        "features/tables.py",
        "deviation = reduce(np.add, ",
        "deviation = 1.001 * reduce(np.add, ",
    )
    done = assay(certified, "predict", few, **machinery(tmp_path, edit))
    assert done.returncode == 1, done.stderr
    assert "avg_dev" in done.stderr
    assert "make check score" in done.stderr
    assert not list(Layout(certified).out.glob("batches/*/predictions.csv"))


def test_other_version_of_the_interface_is_refused(certified, tmp_path):
    """A raised version alone is enough, whatever the golden rows say."""
    edit = ("features/interface.py", f"INTERFACE = {INTERFACE}", f"INTERFACE = {INTERFACE + 1}")
    few = str(Layout(certified).candidates / "few.csv")
    done = assay(certified, "predict", few, **machinery(tmp_path, edit))
    assert done.returncode == 1, done.stderr
    assert f"version {INTERFACE} of the feature interface" in done.stderr


def test_bundle_from_before_is_refused_with_the_way_on(bundle, laptop):
    """A bundle with a copy of the machinery and no golden rows says how to certify it again."""
    (bundle / FILE).unlink()
    (bundle / "code" / "assay").mkdir()
    with pytest.raises(RefusedError, match="make check score"):
        load_bundle(bundle, PACKAGE)


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"interface": 1, "formulas": [], "features": [], "predictions": [[NaN]]}',
        json.dumps({"interface": 1, "formulas": ["N" * 300], "features": [], "predictions": []}),
        json.dumps({"interface": 1, "formulas": ["H"] * 2000, "features": [], "predictions": []}),
        "0" * 17_000_000,
    ],
    ids=lambda text: text[:20],
)
def test_unreadable_golden_rows_are_not_loaded(bundle, content, laptop):
    """Whatever a stranger put there ends as a bundle that cannot be loaded."""
    (bundle / FILE).write_text(content)
    with pytest.raises(NotCarriedOutError):
        load_bundle(bundle, PACKAGE)


def test_golden_rows_of_other_shapes_are_refused(bundle, laptop):
    """Rows that do not go with their compositions are no proof of anything."""
    kept = json.loads((bundle / FILE).read_text())
    for fields in (
        {"predictions": kept["predictions"][:-1]},
        {"predictions": [[1.0, 2.0], *kept["predictions"][1:]]},
        {"features": []},
        {"features": [kept["features"][0] | {"rows": kept["features"][0]["rows"][1:]}]},
        {"predictions": [None] * len(kept["predictions"])},
        {"formulas": ["no formula", *kept["formulas"][1:]]},
    ):
        changed(bundle, **(kept | fields))
        with pytest.raises((RefusedError, NotCarriedOutError)):
            load_bundle(bundle, PACKAGE)


def test_golden_rows_are_of_sixty_compositions(bundle, laptop):
    """A bundle holds its own list with features and predictions, and loads with it."""
    content = json.loads((bundle / FILE).read_text())
    assert content["formulas"] == list(GOLDEN)
    assert [one["featurizer"] for one in content["features"]] == ["MagpieFeatures"]
    answered = [row for row in content["predictions"] if row is not None]
    assert len(answered) > 50
    assert all(float(f"{value:.9g}") == value for row in answered for value in row)
    load_bundle(bundle, PACKAGE)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(MagpieFeatures(), Ridge()),
        FeatureUnion([("a", MagpieFeatures()), ("b", "passthrough")]),
        ColumnTransformer([("a", MagpieFeatures(), ["formula"])]),
        Wrapped(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_featurizers_are_found_wherever_they_are(model):
    """In a pipeline, a union, a column transformer and an author's own attributes."""
    assert [type(one) for one in featurizers(model)] == [MagpieFeatures]


def test_model_that_answers_nothing_has_golden_rows_without_numbers(monkeypatch):
    """Saving never fails for what a model cannot predict; an answer that appears is a change."""
    model = make_pipeline(StoichiometryFeatures(), Ridge())
    model.fit(np.array(["NaCl", "MgO", "Fe2O3"]), [1.0, 2.0, 3.0])

    def refuse(_, formulas):
        if len(set(formulas) & {"He", "NaCl"}):
            raise RuntimeError("not these")
        return np.array([1.0 if text != "UO2" else np.nan for text in formulas])

    with monkeypatch.context() as patched:
        patched.setattr(golden, "predict", refuse)
        kept = golden_rows(model)
    rows = dict(zip(kept.formulas, kept.predictions, strict=True))
    assert (rows["He"], rows["NaCl"], rows["UO2"], rows["GaAs"]) == (None, None, None, [1.0])
    with monkeypatch.context() as patched:
        patched.setattr(golden, "predict", refuse)
        assert list(differences(kept, model)) == []
        patched.setattr(golden, "predict", lambda _, formulas: np.ones(len(formulas)))
        assert any("had no answer" in one for one in differences(kept, model))


class InParts(MagpieFeatures):
    """An author's own featurizer, which asks that of assay for few formulas at a time."""

    def __init__(self, size: int = 1) -> None:
        """Take how many."""
        self.size = size

    def _features(self, formulas):
        parts = [formulas[at : at + self.size] for at in range(0, len(formulas), self.size)]
        return np.vstack([MagpieFeatures().transform(list(part)) for part in parts])


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_featurizer_that_asks_for_parts_has_the_rows_of_one_that_asks_for_all(size):
    """A gap's place in a part is not taken for a place in the whole, so the model can predict."""
    model = make_pipeline(InParts(size), Ridge()).fit(np.array(["NaCl", "MgO"]), [1.0, 2.0])
    kept = golden_rows(model)
    whole = golden_rows(make_pipeline(MagpieFeatures(), model[-1]))
    assert kept.predictions == whole.predictions
    assert 0 < kept.predictions.count(None) < len(GOLDEN) // 2
    assert list(differences(kept, model)) == []


class Odd:
    """A model whose answers have a shape of their own."""

    def __init__(self, answer) -> None:
        """Take what makes the answer of a number of rows."""
        self.answer = answer

    def predict(self, frame):
        """Answer."""
        return self.answer(len(frame))


@pytest.mark.parametrize(
    "answer",
    [
        lambda rows: np.ones((rows, 2)),
        lambda rows: np.ones((rows, 2, 2)),
        lambda rows: np.ones(rows - 1),
        lambda _: 1.0,
        lambda rows: ["text"] * rows,
        lambda rows: np.full(rows, np.inf),
    ],
)
def test_answers_of_another_shape_are_none(answer):
    """Whatever a model returns, golden rows can be made, and the same model has the same ones."""
    kept = golden_rows(Odd(answer))
    assert kept.predictions == [None] * len(GOLDEN)
    assert list(differences(kept, Odd(answer))) == []


class Learnt(StoichiometryFeatures):
    """An author's own featurizer, of which each may have learnt something else."""


class Nameless(StoichiometryFeatures):
    """An author's own featurizer, which cannot say what its columns are."""

    def get_feature_names_out(self, input_features=None):
        """Fail."""
        raise AttributeError(input_features)


def test_featurizers_of_an_ensemble_are_recorded_once():
    """Hundreds of the same one are one; of an author's own kind as many as a bundle takes."""
    model = Odd(np.ones)
    model.parts = np.array([MagpieFeatures() for _ in range(300)], dtype=object)
    kept = golden_rows(model)
    assert [one.featurizer for one in kept.features] == ["MagpieFeatures"]
    model.parts = [Learnt() for _ in range(golden.MOST + 1)]
    assert len(golden_rows(model).features) == golden.MOST
    assert list(differences(golden_rows(model), model)) == []


def test_featurizer_without_names_is_recorded_without_numbers():
    """One that was never fitted, or is not sound, stops no training."""
    model = Odd(np.ones)
    model.part = Nameless()
    (found,) = golden_rows(model).features
    assert (found.names, set(map(type, found.rows))) == ([], {type(None)})
    assert list(differences(golden_rows(model), model)) == []


def test_forest_is_asked_a_few_times():
    """Compositions without features are found without a call of the model for each."""
    asked = []

    class Counted:
        def predict(self, frame):
            magpie = MagpieFeatures().transform(frame)
            asked.append(len(magpie))
            return magpie[:, 0]

    rows = golden_rows(Counted()).predictions
    assert 0 < rows.count(None) < 20
    assert len(asked) <= 2


def test_small_predictions_are_compared_by_the_width_of_their_interval():
    """Another value is found however large the unit is, as `assay verify` finds it."""
    small, other = (Odd(lambda rows, size=size: np.full(rows, size)) for size in (1e-11, 2e-11))
    kept = golden_rows(small)
    assert list(differences(kept, small, 1e-12)) == []
    assert any("the prediction" in one for one in differences(kept, other, 1e-12))


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("No module named 'lightgbm'"), MemoryError(), OSError(28, "full")]
)
def test_what_is_missing_on_a_machine_is_no_other_prediction(bundle, error, laptop, monkeypatch):
    """Without a library, memory or disk nothing was compared: not carried out, and not refused."""

    def broken(*_):
        raise error

    monkeypatch.setattr(golden, "predict", broken)
    with pytest.raises(NotCarriedOutError):
        load_bundle(bundle, PACKAGE)


def test_what_a_bundle_says_is_shown_on_one_short_line(bundle, laptop):
    """Names of a stranger's golden rows reach no terminal as they are."""
    content = json.loads((bundle / FILE).read_text())
    (features,) = content["features"]
    features["names"] = ["\x1b[31m\n::error::" + "A" * 5000] * len(features["names"])
    features["rows"][0] = [value + 1 for value in features["rows"][0]]
    changed(bundle, features=[features])
    with pytest.raises(RefusedError) as found:
        load_bundle(bundle, PACKAGE)
    assert len(str(found.value)) < 1000
    assert str(found.value).isprintable()


def test_last_bits_of_a_processor_are_no_difference(bundle, laptop, monkeypatch):
    """What differs beyond the digits that predictions carry is let pass, and no more than that."""
    loaded = load_bundle(bundle, PACKAGE)
    plain = tables.magpie
    kept = golden_rows(loaded.model)
    for factor, differs in ((1 + 1e-13, False), (1 + 1e-6, True)):
        patched = lambda formulas, factor=factor: factor * plain(formulas)  # noqa: E731
        monkeypatch.setattr("assay.features.transformers.magpie", patched)
        assert any(differences(kept, loaded.model)) is differs


@pytest.mark.parametrize(("factor", "single"), [(1 + 1e-7, True), (1 + 1e-4, False)])
def test_last_digits_of_single_precision_name_the_processor(factor, single):
    """What another processor may do to a float32 model is not blamed on assay alone."""
    kept = golden_rows(Odd(lambda rows: np.full(rows, 2.1)))
    found = list(differences(kept, Odd(lambda rows: np.full(rows, 2.1 * factor))))
    assert found
    assert all(("processor" in one) is single for one in found)


def test_digest_does_not_depend_on_the_machinery(toy, tmp_path):
    """Training under other words of the machinery gives the same digest."""
    before = digest_bundle(Handover(Layout(toy).out).bundle)
    done = assay(toy, "train", **machinery(tmp_path, *HARMLESS))
    assert done.returncode == 0, done.stderr
    assert digest_bundle(Handover(Layout(toy).out).bundle) == before
