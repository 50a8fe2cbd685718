"""Canonical bytes: equal models are equal files, different ones differ."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.errors import UsageError
from assay.model.bundle import canonical_skops, untrusted_types

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X.sum(axis=1)


def forest(seed: int) -> RandomForestRegressor:
    """A small fitted forest."""
    return RandomForestRegressor(n_estimators=4, random_state=seed).fit(X, Y)


def linear(_: int) -> object:
    """A fitted pipeline."""
    return make_pipeline(StandardScaler(), Ridge()).fit(X, Y)


def canonical(model: object) -> bytes:
    """A model's canonical bytes."""
    return canonical_skops(skops.io.dumps(model))


@pytest.mark.parametrize("make", [forest, linear])
def test_equal_models_have_equal_bytes(make):
    """Two trainings with one seed differ in skops' own bytes, and not in the canonical ones."""
    first, second = skops.io.dumps(make(0)), skops.io.dumps(make(0))
    assert first != second, "skops became reproducible by itself: this step may go"
    assert canonical_skops(first) == canonical_skops(second)


def test_different_models_have_different_bytes():
    """Another seed, or one coefficient that is off in the last bit, is another file."""
    assert canonical(forest(0)) != canonical(forest(1))
    model = linear(0)
    before = canonical(model)
    model[-1].coef_[0] = np.nextafter(model[-1].coef_[0], np.inf)
    assert canonical(model) != before


@pytest.mark.parametrize("make", [forest, linear])
def test_canonical_model_predicts_the_same(make):
    """Renumbering loses nothing: the loaded model predicts bit for bit as the original."""
    model = make(0)
    content = canonical(model)
    names = skops.io.get_untrusted_types(data=content)
    loaded = skops.io.loads(content, trusted=names)
    assert np.array_equal(loaded.predict(X), model.predict(X))


def test_canonical_archive_is_plain():
    """No time, no compression, no pickle, and every file that the schema names is there."""
    with zipfile.ZipFile(io.BytesIO(canonical(forest(0)))) as archive:
        entries = archive.infolist()
        schema = archive.read("schema.json").decode()
    assert {entry.date_time[0] for entry in entries} == {1980}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert not any(entry.filename.endswith((".pkl", ".pickle")) for entry in entries)
    named = {
        node["file"] for node in nodes(json.loads(schema)) if isinstance(node.get("file"), str)
    }
    assert named == {entry.filename for entry in entries} - {"schema.json"}


def nodes(tree: object) -> list[dict]:
    """All dictionaries in a JSON tree."""
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    own = [tree] if isinstance(tree, dict) else []
    return own + [node for child in children for node in nodes(child)]


def test_types_of_other_packages_are_named():
    """A class from outside scikit-learn is listed as untrusted."""
    assert untrusted_types(linear(0)) == []
    assert any(name.endswith("Ours") for name in untrusted_types(Ours().fit(X, Y)))


def test_a_model_that_keeps_a_table_is_told_so():
    """What skops cannot save is the author's to mend: the message says what a model may hold."""
    model = linear(0)
    model.rows_ = pd.DataFrame({"formula": ["NaCl"]})
    with pytest.raises(UsageError, match=r"cannot be saved.*no tables"):
        untrusted_types(model)


class Ours(Ridge):
    """An estimator that skops cannot know."""
