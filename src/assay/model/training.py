"""Trains the candidate: grouped out-of-fold errors, the bundle, and what it predicts."""

import importlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assay import provenance
from assay.claims import claimed_since
from assay.datasets import Dataset, read_dataset
from assay.errors import UsageError
from assay.files import digest_bytes, digest_file, write_bytes
from assay.locks import LOCK
from assay.machinery import installed_version, machinery_of
from assay.model.builder import load_builder, of_author
from assay.model.bundle import BundleMetadata
from assay.model.domain import fit_domain, out_of_fold_difficulty
from assay.model.inference import predict
from assay.model.intervals import Interval, fit_interval
from assay.model.loading import predict_saved
from assay.model.metrics import public_metrics, unread_claims, warnings_of
from assay.model.saving import save_bundle
from assay.predictions import bounds_of, write_predictions
from assay.processes import end_with_parent, pool_of
from assay.progress import counted, stages
from assay.records import MAXIMUM_TEXT, CandidateCard
from assay.repository import Repository
from assay.settings import Settings
from assay.splits import fold_rule, grouped_folds


@dataclass(frozen=True)
class Candidate:
    """A fitted model, its out-of-fold predictions (n,) on the train rows, and their folds (n,).

    `fits` models were fitted for them, one without each fold.
    """

    model: Any
    out_of_fold: np.ndarray
    folds: np.ndarray
    fits: int


def fit_out_of_fold(builder: Any, data: Dataset, settings: Settings) -> Candidate:
    """Fit on every fold's complement, and on all rows.

    No group stands on both sides of a fold, so the errors are those for new groups.
    The fits run side by side in threads, as scikit-learn's own estimators release Python's lock.

    Raises:
        UsageError: the estimator does not go with the kind of the target.
    """
    folds = grouped_folds(data.groups, settings.split.folds, settings.split.seed)
    target = data.target.astype(int) if settings.target.kind == "class" else data.target
    frame = data.train[["formula"]]
    everything = np.ones(len(target), dtype=bool)
    parts = [everything, *(folds != fold for fold in range(settings.split.folds))]
    _require_kind(settings.target.kind, builder(settings.model.seed))
    model, *models = _fitted(builder, settings.model.seed, frame, target, parts)
    out_of_fold = np.full(len(target), np.nan)
    for fold, fold_model in enumerate(models):
        held_out = folds == fold
        out_of_fold[held_out] = predict(fold_model, list(frame["formula"][held_out]))
    return Candidate(model, out_of_fold, folds, len(models))


def _fitted(
    builder: Any, seed: int, frame: pd.DataFrame, target: np.ndarray, parts: list[np.ndarray]
) -> list[Any]:
    from joblib import Parallel, cpu_count, delayed

    run = Parallel(n_jobs=min(cpu_count(), len(parts)), prefer="threads", return_as="generator")
    fits = run(delayed(builder(seed).fit)(frame[rows], target[rows]) for rows in parts)
    return list(counted(fits, "train", len(parts), " fits"))


def _require_kind(kind: str, model: Any) -> None:
    if (kind == "class") != hasattr(model, "predict_proba"):
        wanted = "classifier with predict_proba" if kind == "class" else "regressor"
        raise UsageError(
            f"the target is a {kind} (target.kind in assay.toml, or its values), but the model is "
            f"a {_estimator_name(model)}: return a {wanted} from build_model.",
            code="model.wrong-kind",
        )


def _estimator_name(model: Any) -> str:
    steps = getattr(model, "steps", [("model", model)])
    return type(steps[-1][1]).__name__


def _feature_count(model: Any) -> int | None:
    """The columns that the featurizer, a pipeline's first step, hands on; None if it is unknown."""
    after = getattr(model, "steps", [])[1:2]
    return getattr(after[0][1], "n_features_in_", None) if after else None


def train(repository: Repository) -> CandidateCard:
    """Train the candidate of the checkout; writes bundle, predictions and card to `out`.

    What was said there of an earlier candidate, verdict and certificate, is removed.

    Raises:
        UsageError: the data, `assay.toml` or `model.py` are not as they must be.
    """
    handover = repository.handover
    with stages("train") as doing:
        doing("reading the tables")
        data = read_dataset(repository)
    for stale in (handover.verdict, handover.certificate):
        stale.unlink(missing_ok=True)
    builder = load_builder(repository)
    tables = [(repository.layout.train, list(data.train["formula"]))]
    with _another_process() as other:
        with of_author(repository, "the model cannot be trained", tables):
            candidate = fit_out_of_fold(builder, data, repository.settings)
        return _hand_over(repository, data, candidate, other)


def _hand_over(
    repository: Repository, data: Dataset, candidate: Candidate, other: Executor
) -> CandidateCard:
    """Write everything that sanity and the gate are given, and record the run."""
    from assay.model.tracking import log_candidate

    layout, handover, settings = repository.layout, repository.handover, repository.settings
    with stages("train") as doing:
        doing("saving the bundle")
        interval = _interval(data, candidate, settings)
        metadata = _metadata(repository, interval)
        sizes = None if interval is None else np.abs(data.target - candidate.out_of_fold)
        domain = fit_domain(list(data.train["formula"]), candidate.folds, sizes)
        package = repository.root / "src" / settings.project.package
        trusted = settings.model.trusted_types
        tables = [(layout.train, list(data.train["formula"]))]
        with of_author(repository, "the model cannot be saved", tables):
            digest = save_bundle(
                candidate.model, handover.bundle, metadata, domain, package, trusted
            )
        doing("predicting with the saved bundle, in a process of its own")
        tables = [
            (path, list(rows["formula"]))
            for path, rows in ((layout.sealed_inputs, data.sealed), (layout.pool, data.pool))
            if len(rows)
        ]
        with of_author(repository, "the saved model cannot predict", tables):
            predicted = _write_predictions(repository, data, candidate.out_of_fold, other)
        write_bytes(handover.train, layout.train.read_bytes())
        _copy_lock(repository)
        card = _card(repository, data, candidate, digest, interval, predicted)
        card.write(handover.candidate)
        doing("recording the run with MLflow")
        log_candidate(repository, card, candidate.model)
    return card


def _interval(data: Dataset, candidate: Candidate, settings: Settings) -> Interval | None:
    if settings.target.kind == "class":
        return None
    formulas, sizes = list(data.train["formula"]), np.abs(data.target - candidate.out_of_fold)
    difficulty = out_of_fold_difficulty(formulas, candidate.folds, sizes)
    return fit_interval(sizes, difficulty, settings.model.interval_level)


def _metadata(repository: Repository, interval: Interval | None) -> BundleMetadata:
    settings = repository.settings
    target = settings.target
    return BundleMetadata(
        model=settings.project.name,
        target=target.column,
        kind=target.kind,
        unit=target.unit,
        lower=target.lower if np.isfinite(target.lower) else None,
        upper=target.upper if np.isfinite(target.upper) else None,
        interval_level=settings.model.interval_level,
        interval_half_width=interval.mean_half_width if interval else None,
        interval_quantile=interval.quantile if interval else None,
        classes=target.class_names,
        train_digest=digest_file(repository.layout.train),
    )


@contextmanager
def _another_process() -> Iterator[Executor]:
    """Start a process that imports what a bundle needs while the model is being fitted."""
    with pool_of(1, end_with_parent) as other:
        for name in ("assay.model.loading", "skops.io"):
            other.submit(importlib.import_module, name)
        yield other


def _write_predictions(
    repository: Repository,
    data: Dataset,
    out_of_fold: np.ndarray,
    other: Executor,
) -> int:
    """Write them all; gives the number of rows without a label."""
    # What is scored is what the saved bundle gives in a process of its own: whatever the model
    # kept outside itself while it was fitted is gone there, as it will be when it predicts.
    handover, settings = repository.handover, repository.settings
    unlabelled = pd.concat([data.sealed, data.pool])
    what = list(unlabelled["formula"]), settings.project.package, settings.model.trusted_types
    predicted = other.submit(predict_saved, handover.bundle, *what).result()
    row_ids = [*data.train["row_id"], *unlabelled["row_id"]]
    values = np.concatenate([out_of_fold, predicted])
    write_predictions(handover.predictions, row_ids, values, bounds_of(settings.target.kind))
    return len(predicted)


def _copy_lock(repository: Repository) -> None:
    lock = repository.root / LOCK
    write_bytes(repository.handover.lock, lock.read_bytes() if lock.is_file() else b"")


def _card(  # noqa: PLR0913 (a record of six things)
    repository: Repository,
    data: Dataset,
    candidate: Candidate,
    digest: str,
    interval: Interval | None,
    predicted: int,
) -> CandidateCard:
    root, layout, settings = repository.root, repository.layout, repository.settings
    commit, lock = provenance.commit_of(root), provenance.lock_digest(root)
    train_digest = digest_file(layout.train)
    claimed = claimed_since(root, repository.base.start)
    return CandidateCard(
        model=settings.project.name,
        target=settings.target.column,
        unit=settings.target.unit,
        claim=claimed.claim or "no-regression",
        commit=commit,
        correlation_id=provenance.correlation_id(digest, train_digest, lock, commit),
        bundle_digest=digest,
        predictions_digest=digest_file(repository.handover.predictions),
        train_digest=train_digest,
        sealed_inputs_digest=(
            digest_bytes(b"") if settings.public else digest_file(layout.sealed_inputs)
        ),
        pool_digest=digest_file(layout.pool),
        lock_digest=lock,
        machinery=machinery_of(root),
        machinery_version=installed_version(),
        estimator=_estimator_name(candidate.model),
        rows=len(data.target),
        groups=len(set(data.groups)),
        features=_feature_count(candidate.model),
        fold_rule=fold_rule(
            data.groups, settings.split.folds, settings.split.seed, settings.split.group
        ),
        folds=candidate.fits,
        out_of_fold=int(np.isfinite(candidate.out_of_fold).sum()),
        predicted=predicted,
        interval_half_width=interval.mean_half_width if interval else None,
        interval_coverage=interval.coverage(data.groups) if interval else None,
        metrics=public_metrics(settings.target.kind, data.target, candidate.out_of_fold),
        findings=[
            *warnings_of(root, data.target, candidate.out_of_fold),
            *unread_claims(claimed.unread),
        ],
        machinery_files=[name[:MAXIMUM_TEXT] for name in repository.base.machinery_files()],
    )
