"""MLflow: every training is a run, every bundle a registered version, the champion an alias.

Without configuration everything goes to a SQLite database under `.assay`; MLflow's own
`MLFLOW_TRACKING_URI` names a server instead.
"""

import logging
import os
from pathlib import Path
from typing import Any

from assay import provenance
from assay.records import CandidateCard
from assay.repository import Repository
from assay.settings import Settings

CHAMPION = "champion"


def log_candidate(repository: Repository, card: CandidateCard, bundle: Path, model: Any) -> None:
    """Record a training: parameters, metrics, dataset, tags, and the bundle as a new version."""
    import mlflow
    import pandas as pd

    settings = repository.settings
    _connect(repository)
    with mlflow.start_run(run_name=card.correlation_id) as run:
        mlflow.log_params(_parameters(settings, model))
        mlflow.log_metrics(card.metrics)
        frame = pd.read_csv(repository.layout.train)
        dataset = mlflow.data.from_pandas(
            frame, name="train", targets=settings.target.column, digest=card.train_digest[:36]
        )
        mlflow.log_input(dataset, context="training")
        mlflow.set_tags(_tags(card))
    _register(settings, card.bundle_digest, bundle, run.info.run_id)


def promote(repository: Repository, digest: str, bundle: Path) -> None:
    """Move the alias `champion` to the version of a bundle that has just been certified.

    The one caller is the issue of a certificate: nothing else moves the alias.
    """
    import mlflow

    settings = repository.settings
    _connect(repository)
    with mlflow.start_run(run_name=f"certificate of {digest[:12]}") as run:
        mlflow.set_tag("bundle_digest", digest)
    version = _register(settings, digest, bundle, run.info.run_id)
    mlflow.MlflowClient().set_registered_model_alias(settings.project.name, CHAMPION, version)


def _connect(repository: Repository) -> None:
    import mlflow

    layout, name = repository.layout, repository.settings.project.name

    for library in ("mlflow", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        layout.tracking.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{layout.tracking / 'mlflow.db'}")
        if mlflow.get_experiment_by_name(name) is None:
            artifacts = (layout.tracking / "artifacts").as_uri()
            mlflow.create_experiment(name, artifact_location=artifacts)
    mlflow.set_experiment(name)


def _register(settings: Settings, digest: str, bundle: Path, run: str) -> str:
    import mlflow
    from mlflow.exceptions import MlflowException

    name = settings.project.name
    client = mlflow.MlflowClient()
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.tags.get("bundle_digest") == digest:
            return str(version.version)
    mlflow.log_artifacts(str(bundle), "bundle", run_id=run)
    source = f"{client.get_run(run).info.artifact_uri}/bundle"
    created = client.create_model_version(name, source, run, tags={"bundle_digest": digest})
    return str(created.version)


def _parameters(settings: Settings, model: Any) -> dict[str, str]:
    # MLflow refuses parameters over 6,000 characters; nested estimators repeat as text.
    parameters = {
        f"model.{name}": str(value)[:500]
        for name, value in model.get_params().items()
        if not hasattr(value, "get_params")
    }
    return {"seed": str(settings.model.seed), "folds": str(settings.split.folds), **parameters}


def _tags(card: CandidateCard) -> dict[str, str]:
    tags = card.model_dump(
        include={
            "commit",
            "claim",
            "correlation_id",
            "bundle_digest",
            "predictions_digest",
            "train_digest",
            "lock_digest",
            "machinery",
        }
    )
    url = provenance.run_url()
    return {**tags, **({"workflow_run": url} if url else {})}
