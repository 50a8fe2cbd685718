"""MLflow: what a run holds, one version a digest, and an alias that only a certificate moves."""

import mlflow
import pytest

from assay.layout import Handover, Layout
from assay.model.tracking import log_candidate, promote
from assay.repository import read_repository
from toy import read_card


@pytest.fixture(autouse=True)
def own_server(monkeypatch, laptop):
    """MLflow's global state as it was before."""
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def client(trained_toy):
    """A client of the toy's own database."""
    database = Layout(trained_toy).tracking / "mlflow.db"
    return mlflow.MlflowClient(f"sqlite:///{database}", f"sqlite:///{database}")


def runs_of(client) -> list:
    """All runs of the toy's experiment, first one first."""
    (experiment,) = [e for e in client.search_experiments() if e.name == "toy"]
    return client.search_runs([experiment.experiment_id], order_by=["start_time ASC"])


def champion_digest(client) -> str | None:
    """The bundle digest behind the alias `champion`, if there is one."""
    aliased = client.get_registered_model("toy").aliases.get("champion")
    return aliased and client.get_model_version("toy", aliased).tags["bundle_digest"]


def test_training_is_a_run_with_everything_in_it(trained_toy, client):
    """Parameters, metrics, dataset and tags of the run are those of the card."""
    card = read_card(Handover(Layout(trained_toy).out))
    run = next(r for r in runs_of(client) if r.data.tags["mlflow.runName"] == card.correlation_id)
    assert run.data.metrics == pytest.approx(card.metrics)
    assert run.data.params["model.ridge__alpha"] == "1.0"
    assert (run.data.params["seed"], run.data.params["folds"]) == ("0", "5")
    for name in ("commit", "correlation_id", "train_digest", "bundle_digest", "lock_digest"):
        assert run.data.tags[name] == getattr(card, name)
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "train"
    assert card.train_digest.startswith(dataset.dataset.digest)


def test_one_digest_is_one_version_and_the_alias_waits_for_a_certificate(toy, client, tmp_path):
    """Logging again adds a run and no version; training moves no alias, `promote` does."""
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    card = read_card(handover)
    log_candidate(repository, card, handover.bundle, _Model())
    database = f"sqlite:///{Layout(toy).tracking / 'mlflow.db'}"
    own = mlflow.MlflowClient(database, database)
    assert len(runs_of(own)) == len(runs_of(client)) + 1
    (version,) = own.search_model_versions("name = 'toy'")
    assert version.tags["bundle_digest"] == card.bundle_digest
    assert champion_digest(own) is None
    promote(repository, card.bundle_digest, handover.bundle)
    assert champion_digest(own) == card.bundle_digest
    other = "f" * 64
    log_candidate(
        repository, card.model_copy(update={"bundle_digest": other}), handover.bundle, _Model()
    )
    assert len(own.search_model_versions("name = 'toy'")) == 2
    assert champion_digest(own) == card.bundle_digest, "a training moved the alias"
    promote(repository, other, handover.bundle)
    assert champion_digest(own) == other
    assert len(own.search_model_versions("name = 'toy'")) == 2


def test_registered_version_is_the_bundle(toy, tmp_path):
    """What the registry serves under the alias is the bundle, file by file."""
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    promote(repository, read_card(handover).bundle_digest, handover.bundle)
    from assay.model.bundle import digest_bundle

    folder = mlflow.artifacts.download_artifacts("models:/toy@champion", dst_path=str(tmp_path))
    (tmp_path / "registered_model_meta").unlink(missing_ok=True)
    assert folder
    served = {p.relative_to(folder): p.read_bytes() for p in _files(folder)}
    ours = {p.relative_to(handover.bundle): p.read_bytes() for p in _files(handover.bundle)}
    assert {name: served[name] for name in ours} == ours
    assert digest_bundle(handover.bundle) == read_card(handover).bundle_digest


def test_other_server_is_used_where_one_is_named(toy, tmp_path, monkeypatch):
    """MLFLOW_TRACKING_URI moves everything elsewhere; the repository's own database stays."""
    from pathlib import Path

    elsewhere = tmp_path / "server" / "mlflow.db"
    elsewhere.parent.mkdir()
    own = Path(Layout(toy).tracking / "mlflow.db")
    elsewhere.write_bytes(own.read_bytes())
    before = own.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere}")
    mlflow.set_tracking_uri(f"sqlite:///{elsewhere}")
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    promote(repository, read_card(handover).bundle_digest, handover.bundle)
    assert own.read_bytes() == before
    there = mlflow.MlflowClient(f"sqlite:///{elsewhere}", f"sqlite:///{elsewhere}")
    assert there.get_model_version_by_alias("toy", "champion")


class _Model:
    def get_params(self):
        """No parameters."""
        return {}


def _files(folder):
    from pathlib import Path

    return [path for path in Path(folder).rglob("*") if path.is_file()]
