"""What a candidate is compared with: the recorded champion, or a stated baseline."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from assay.datasets import Dataset
from assay.errors import NotCarriedOutError
from assay.gate.comparisons import Comparison, Groups, Predictions
from assay.gate.slices import requirements
from assay.gate.statistics import Grouping
from assay.groups import group_names
from assay.model.inference import predict
from assay.predictions import HEADER
from assay.records import Claim
from assay.settings import Settings
from assay.splits import grouped_folds

MINIMUM_SHARE = 0.9


def baseline(data: Dataset, settings: Settings) -> dict[str, float]:
    """Predictions, by row id, of the baseline named in `assay.toml`.

    `mean` knows the mean of the train labels alone (for a class, the share of yes), `ridge` is a
    linear model on Magpie features. Fold by fold on the train rows, as for a candidate.
    """
    folds = grouped_folds(data.groups, settings.split.folds, settings.split.seed)
    frame = data.train[["formula"]]
    predictions: dict[str, float] = {}
    for fold in range(settings.split.folds):
        held_out = folds == fold
        model = _baseline_model(settings).fit(frame[~held_out], data.target[~held_out])
        values = predict(model, list(frame["formula"][held_out]))
        predictions |= dict(zip(data.train["row_id"][held_out], values, strict=True))
    model = _baseline_model(settings).fit(frame, data.target)
    for rows in (data.sealed, data.pool):
        values = predict(model, list(rows["formula"]))
        predictions |= dict(zip(rows["row_id"], values, strict=True))
    return predictions


def _baseline_model(settings: Settings) -> Any:
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from assay.features import MagpieFeatures

    number = settings.target.kind == "number"
    if settings.gate.baseline == "mean":
        return DummyRegressor() if number else DummyClassifier(strategy="prior")
    linear = RidgeCV(np.logspace(-3, 3, 13)) if number else LogisticRegression(max_iter=1000)
    return make_pipeline(MagpieFeatures(), StandardScaler(), linear)


def recorded(content: bytes, name: str) -> dict[str, float]:
    """Predictions, by row id, of a reference as `score` recorded them.

    Raises:
        NotCarriedOutError: the content is not such a table.
    """
    try:
        rows = csv.reader(io.StringIO(content.decode()))
        if next(rows, None) == HEADER:
            return {row_id: float(value) for row_id, value in rows}
    except ValueError:
        pass
    raise NotCarriedOutError(
        f"the recorded predictions of {name} are damaged: undo the commit that changed them on the "
        "branch assay-ledger, by `git revert` and an ordinary push.",
        code="ledger.damaged-file",
    )


def of_same_rows(
    values: Mapping[str, float], formulas: Mapping[str, str], train: pd.DataFrame
) -> dict[str, float]:
    """The reference's predictions without those of train rows that were other compositions then.

    An id that was given to another composition since would pair a prediction with a row that it is
    not of, and make the reference look worse than it is.

    Args:
        values: the reference's predictions, by row id.
        formulas: of the train set that the reference was certified on, by row id.
        train: main's train set as it is now.

    Raises:
        NotCarriedOutError: more than a tenth of the ids stand for other compositions now.
    """
    from assay.compositions import identity

    now = dict(zip(train["row_id"], train["formula"], strict=True))
    moved = {
        row_id
        for row_id in now.keys() & formulas.keys()
        if formulas[row_id] != now[row_id] and identity(formulas[row_id]) != identity(now[row_id])
    }
    if len(moved) > (1 - MINIMUM_SHARE) * len(formulas):
        raise NotCarriedOutError(
            f"{len(moved)} row ids of data/train.csv, {min(moved)!r} for instance, stood for other "
            "compositions when the reference was certified: give the rows their ids back.",
            code="data.moved-ids",
        )
    unknown = now.keys() - formulas.keys()
    return {row_id: value for row_id, value in values.items() if row_id not in moved | unknown}


def compare(
    candidate: Mapping[str, float],
    reference: Mapping[str, float],
    data: Dataset,
    settings: Settings,
    claim: Claim,
) -> Comparison:
    """Pair candidate and reference row by row.

    Where public rows decide, the train rows stand in place of the sealed ones, too.

    Train and pool rows that are new since the reference was recorded are left out, and train rows
    that the candidate does not have; sealed rows may not be. Of all three only rows that count as
    evidence are compared (`gate.rows_per_group`).

    Raises:
        NotCarriedOutError: the reference lacks sealed rows, much of the pool, or all train rows,
            or the candidate much of the train set.
        UsageError: a slice of `assay.toml` does not go with the tables.
    """
    shared_train, shared_pool = _shared_rows(candidate, reference, data)
    counts = data.counted
    train = shared_train & counts[0]
    known = data.train[train]
    sealed = known if settings.public else data.sealed[counts[1]]
    tables = (known, sealed, data.pool[shared_pool & counts[2]])
    return Comparison(
        _arrange(candidate, tables),
        _arrange(reference, tables),
        Groups(*(Grouping.of(group_names(rows, data.group)) for rows in tables)),
        data.target[train],
        requirements(settings, tables),
        claim,
    )


def _shared_rows(
    candidate: Mapping[str, float], reference: Mapping[str, float], data: Dataset
) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the train and pool rows that both models predicted."""
    train, pool = (
        rows["row_id"].isin(reference.keys()).to_numpy() for rows in (data.train, data.pool)
    )
    own = data.train["row_id"].isin(candidate.keys()).to_numpy()
    if own.mean() < MINIMUM_SHARE:
        raise NotCarriedOutError(
            f"the candidate was trained on {own.mean():.0%} of main's train rows only: keep them, "
            "or replace the data set on main first.",
            code="data.rows-removed",
        )
    train &= own
    sealed = data.sealed["row_id"].isin(reference.keys())
    if not sealed.all() or pool.mean() < MINIMUM_SHARE or not train.any():
        raise NotCarriedOutError(
            "the reference was not evaluated on the train rows, sealed inputs and pool of data/ "
            "as they are now: restore them, or seal a fresh set with `assay seal fresh`.",
            code="data.reference-outdated",
        )
    return train, pool


def _arrange(values: Mapping[str, float], tables: Iterable[pd.DataFrame]) -> Predictions:
    return Predictions(
        *(np.array([values[row_id] for row_id in rows["row_id"]]) for rows in tables)
    )
