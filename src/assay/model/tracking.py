"""MLflow: every training is a run; a certified bundle is a version, and the champion an alias.

Everything goes to a SQLite database under `.assay`, or to the server that MLflow's own
`MLFLOW_TRACKING_URI` names. Nothing waits for it or depends on it: what a server does not take is
kept under `.assay`, and what cannot be kept is said in a sentence.
"""

import fcntl
import logging
import os
import re
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assay import provenance
from assay.layout import Layout
from assay.progress import say
from assay.records import CandidateCard
from assay.repository import Repository
from assay.settings import Settings
from assay.texts import on_one_line

CHAMPION = "champion"
ADDRESS = "MLFLOW_TRACKING_URI"
PROBE = 2.5  # seconds for an answer of a server, asked twice
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
# MLflow's own patience is five minutes
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


def log_candidate(repository: Repository, card: CandidateCard, model: Any) -> None:
    """Record a training: parameters, metrics, dataset and tags. It never fails."""
    if os.environ.get("GITHUB_ACTIONS") and not os.environ.get(ADDRESS):
        return  # the runner is thrown away, and the card is handed over
    _record(repository, lambda: _log(repository, card, model))


def promote(repository: Repository, digest: str, bundle: Path) -> None:
    """Register a certified bundle as a version, and move the alias `champion`. It never fails.

    The one caller is the issue of a certificate: nothing else registers or moves the alias, and
    nothing goes by it.
    """
    _record(repository, lambda: _promote(repository.settings, digest, bundle))


def _record(repository: Repository, write: Callable[[], None]) -> None:
    """Write to the server that is named, or else to the database of this folder."""
    server = os.environ.get(ADDRESS)
    layout, name = repository.layout, repository.settings.project.name
    if server:
        reason = _silent(server) or _tried(lambda: _on_server(server, name, write))
        if reason is None:
            return
        say("mlflow", f"{_shown(server)} did not take the record ({reason}); it is kept in .assay")
    if reason := _tried(lambda: _on_disk(layout, name, write)):
        say("mlflow", f"{layout.tracking / 'mlflow.db'} did not take the record ({reason}); go on")


def _tried(act: Callable[[], None]) -> str | None:
    """Why something could not be done, in a few words."""
    try:
        with _patient():
            act()
    except Exception as error:  # noqa: BLE001 (its server, its database and its client, any way)
        lines = str(error).splitlines() or [type(error).__name__]
        return on_one_line(lines[0])[:200]
    return None


@contextmanager
def _patient() -> Iterator[None]:
    """Have MLflow wait for seconds only, and keep its state of this process as it is."""
    import mlflow

    # MLflow writes the address that it is given into the environment, too
    before = {name: os.environ.get(name) for name in (*PATIENCE, ADDRESS)}
    address = mlflow.get_tracking_uri()
    for library in ("mlflow", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    os.environ.update({name: os.environ.get(name, value) for name, value in PATIENCE.items()})
    try:
        yield
    finally:
        mlflow.set_tracking_uri(address)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _silent(server: str) -> str | None:
    """Why a server is not there; None where it answers, or where nothing can be asked."""
    parts = urlsplit(server)
    kind = parts.scheme.partition("+")[0]
    if kind not in PORTS or not parts.hostname:
        return None
    problem = ""
    for _ in range(2):
        try:
            port = parts.port or PORTS[kind]
            with socket.create_connection((parts.hostname, port), timeout=PROBE):
                return None
        except (OSError, ValueError) as error:
            problem = str(error) or type(error).__name__
    return problem


def _shown(server: str) -> str:
    """An address without what may be a password."""
    return re.sub(r"//[^/@]*@", "//", server)


def _on_server(server: str, name: str, write: Callable[[], None]) -> None:
    import mlflow

    mlflow.set_tracking_uri(server)
    mlflow.set_experiment(name)
    write()


def _on_disk(layout: Layout, name: str, write: Callable[[], None]) -> None:
    import mlflow

    layout.tracking.mkdir(parents=True, exist_ok=True)
    artifacts = (layout.tracking / "artifacts").as_uri()
    with _alone(layout.tracking), _plain(layout.tracking) as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        found = mlflow.get_experiment_by_name(name)
        if found is None:
            mlflow.create_experiment(name, artifact_location=artifacts)
        elif found.artifact_location != artifacts:
            _move(layout.tracking / "mlflow.db", found.artifact_location, artifacts)
        mlflow.set_experiment(name)
        write()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process after the other: two that make the database at once would damage it."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _plain(folder: Path) -> Iterator[Path]:
    """The folder under a name that an address of SQLite can hold."""
    if re.fullmatch(r"[^?#%]+", str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="assay-") as place:
        link = Path(place) / "mlflow"
        link.symlink_to(folder)
        yield link


def _move(database: Path, before: str, after: str) -> None:
    """Have the database find the files of a folder that was moved, which it names in full."""
    places = (
        ("experiments", "artifact_location"),
        ("runs", "artifact_uri"),
        ("model_versions", "source"),
        ("model_versions", "storage_location"),
    )
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in places:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 (fixed)
                f"WHERE substr({column}, 1, ?) = ?",
                (after, len(before) + 1, len(before), before),
            )


def _log(repository: Repository, card: CandidateCard, model: Any) -> None:
    import mlflow
    import pandas as pd

    settings = repository.settings
    with mlflow.start_run(run_name=card.correlation_id):
        mlflow.set_tags(_tags(card))
        mlflow.log_params(_parameters(settings, model))
        mlflow.log_metrics(card.metrics)
        frame = pd.read_csv(repository.layout.train)
        dataset = mlflow.data.from_pandas(
            frame, name="train", targets=settings.target.column, digest=card.train_digest[:36]
        )
        mlflow.log_input(dataset, context="training")


def _promote(settings: Settings, digest: str, bundle: Path) -> None:
    import mlflow

    name, client = settings.project.name, mlflow.MlflowClient()
    version = _version(name, digest)
    if version is None:
        with mlflow.start_run(run_name=f"certificate of {digest[:12]}") as run:
            mlflow.set_tag("bundle_digest", digest)
            mlflow.log_artifacts(str(bundle), "bundle")
        source = f"{run.info.artifact_uri}/bundle"
        tags = {"bundle_digest": digest}
        version = str(client.create_model_version(name, source, run.info.run_id, tags).version)
    client.set_registered_model_alias(name, CHAMPION, version)


def _version(name: str, digest: str) -> str | None:
    """The version that a bundle is registered as, if it is; the model is made if it is not."""
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
    versions = client.search_model_versions(f"name = '{name}'")
    found = (one for one in versions if one.tags.get("bundle_digest") == digest)
    return next((str(one.version) for one in found), None)


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
