"""MLflow: what a run holds, one version a digest, and an alias that only a certificate moves."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

import mlflow
import pytest

from assay.layout import Handover, Layout
from assay.model import tracking
from assay.model.tracking import log_candidate, promote
from assay.repository import read_repository
from toy import read_card

pytestmark = pytest.mark.usefixtures("laptop")


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


def test_one_digest_is_one_version_that_only_a_certificate_makes(toy, client):
    """Logging adds a run alone; `promote` registers the bundle once and moves the alias."""
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    card = read_card(handover)
    log_candidate(repository, card, _Model())
    database = f"sqlite:///{Layout(toy).tracking / 'mlflow.db'}"
    own = mlflow.MlflowClient(database, database)
    assert len(runs_of(own)) == len(runs_of(client)) + 1
    assert not own.search_registered_models()
    promote(repository, card.bundle_digest, handover.bundle)
    assert champion_digest(own) == card.bundle_digest
    log_candidate(repository, card.model_copy(update={"bundle_digest": "f" * 64}), _Model())
    assert len(own.search_model_versions("name = 'toy'")) == 1
    promote(repository, card.bundle_digest, handover.bundle)
    assert len(own.search_model_versions("name = 'toy'")) == 1
    promote(repository, "f" * 64, handover.bundle)
    assert champion_digest(own) == "f" * 64
    assert len(own.search_model_versions("name = 'toy'")) == 2


def test_registered_version_is_the_bundle(toy):
    """What the registry serves under the alias is the bundle, file by file."""
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    promote(repository, read_card(handover).bundle_digest, handover.bundle)
    from assay.model.bundle import digest_bundle

    database = f"sqlite:///{Layout(toy).tracking / 'mlflow.db'}"
    version = mlflow.MlflowClient(database, database).get_model_version_by_alias("toy", "champion")
    folder = unquote(version.source.removeprefix("file://"))
    served = {p.relative_to(folder): p.read_bytes() for p in _files(folder)}
    ours = {p.relative_to(handover.bundle): p.read_bytes() for p in _files(handover.bundle)}
    assert {name: served[name] for name in ours} == ours
    assert digest_bundle(handover.bundle) == read_card(handover).bundle_digest


def test_other_server_is_used_where_one_is_named(toy, tmp_path, monkeypatch):
    """MLFLOW_TRACKING_URI moves everything elsewhere; the repository's own database stays."""
    elsewhere = tmp_path / "server" / "mlflow.db"
    elsewhere.parent.mkdir()
    own = Path(Layout(toy).tracking / "mlflow.db")
    elsewhere.write_bytes(own.read_bytes())
    before = own.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere}")
    repository, handover = read_repository(toy), Handover(Layout(toy).out)
    promote(repository, read_card(handover).bundle_digest, handover.bundle)
    assert own.read_bytes() == before
    there = mlflow.MlflowClient(f"sqlite:///{elsewhere}", f"sqlite:///{elsewhere}")
    assert there.get_model_version_by_alias("toy", "champion")


@pytest.fixture
def logged(toy, capfd):
    """Logs a training of the toy; gives what was said, and the runs kept here."""
    repository = read_repository(toy)
    card = read_card(repository.handover)

    def log(name: str) -> tuple[str, list[str]]:
        capfd.readouterr()
        log_candidate(repository, card.model_copy(update={"correlation_id": name}), _Model())
        return capfd.readouterr().err, kept(Layout(toy).tracking)

    return log


def kept(folder: Path) -> list[str]:
    """The names of the runs in the database of a folder."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM runs")]


@contextmanager
def listening(answer: bytes | None):
    """A server that gives one answer to whatever it is asked, or none at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    if answer is not None:
                        connection.recv(65536)
                        connection.sendall(answer)
                        connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n"
    b"Connection: close\r\n\r\nPermission denied"
)


def test_dead_server_costs_a_sentence(logged, monkeypatch):
    """Where nobody listens the run is kept here, at once, and no password is shown."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{port}")
    said, runs = logged("alone")
    assert "alone" in runs
    assert f"http://127.0.0.1:{port} did not take the record" in said
    assert "secret" not in said


def test_server_that_refuses_costs_a_sentence(logged, monkeypatch):
    """A 403 is said in the server's words, and the run is kept here."""
    with listening(FORBIDDEN) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        said, runs = logged("refused")
    assert "refused" in runs
    assert "403" in said


def test_server_that_never_answers_costs_seconds(logged, monkeypatch):
    """A server that takes the question and stays silent is waited for as long as is set."""
    monkeypatch.setattr(tracking, "PATIENCE", {**tracking.PATIENCE, **IMPATIENT})
    with listening(None) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        said, runs = logged("silent")
    assert "silent" in runs
    assert "did not take the record" in said
    assert not set(IMPATIENT) & set(os.environ), "MLflow is as patient as before"


IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@pytest.mark.parametrize("address", ["./mlruns", "nonsense://x", "sqlite:////proc/none/all.db"])
def test_address_that_is_none_costs_a_sentence(toy, logged, monkeypatch, address):
    """Whatever stands in MLFLOW_TRACKING_URI, the run is kept and no folder appears."""
    monkeypatch.chdir(toy)
    before = sorted(path.name for path in toy.iterdir())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    said, runs = logged("kept")
    assert "kept" in runs
    assert "did not take the record" in said
    assert sorted(path.name for path in toy.iterdir()) == before


def test_damaged_database_costs_a_sentence(toy, capfd):
    """A file that is no database stays as it is; the training goes on."""
    (Layout(toy).tracking / "mlflow.db").write_bytes(b"no database at all" * 1000)
    repository = read_repository(toy)
    log_candidate(repository, read_card(repository.handover), _Model())
    assert "did not take the record" in capfd.readouterr().err
    assert (Layout(toy).tracking / "mlflow.db").read_bytes().startswith(b"no database")


def test_moved_folder_with_odd_characters_keeps_its_runs(toy, tmp_path, monkeypatch):
    """A repository that was moved finds its artifacts, and writes new ones where it is now."""
    repository = read_repository(toy)
    promote(repository, read_card(repository.handover).bundle_digest, repository.handover.bundle)
    moved = toy.rename(tmp_path / "what? 100 % #1")
    monkeypatch.chdir(moved)
    there = read_repository(moved)
    log_candidate(there, read_card(there.handover), _Model())
    with closing(sqlite3.connect(Layout(moved).tracking / "mlflow.db")) as connection:
        (source,) = connection.execute("SELECT source FROM model_versions").fetchone()
        (place,) = connection.execute(
            "SELECT artifact_location FROM experiments WHERE name = 'toy'"
        ).fetchone()
    assert place == (Layout(moved).tracking / "artifacts").as_uri()
    folder = Path(unquote(source.removeprefix("file://")))
    assert (folder / "MLmodel").is_file()
    assert not toy.exists(), "nothing is written where the repository was"


@pytest.mark.nightly("four processes make a database, five seconds each")
def test_first_runs_at_once_are_all_kept(toy):
    """Four trainings that each make the database first leave four runs in one."""
    shutil.rmtree(Layout(toy).tracking)
    code = "import sys; from test_tracking import log_once; log_once(sys.argv[1], sys.argv[2])"
    command = [sys.executable, "-c", code, str(toy)]
    paths = os.pathsep.join(sys.path)
    started = [
        subprocess.Popen([*command, f"run {n}"], env={**os.environ, "PYTHONPATH": paths})
        for n in range(4)
    ]
    assert [one.wait() for one in started] == [0] * 4
    assert sorted(kept(Layout(toy).tracking)) == [f"run {n}" for n in range(4)]


def log_once(root: str, name: str) -> None:
    """Log one training, as a process of its own does."""
    repository = read_repository(Path(root))
    card = read_card(repository.handover).model_copy(update={"correlation_id": name})
    log_candidate(repository, card, _Model())


def test_a_runner_keeps_no_database(toy, monkeypatch):
    """In Actions without a server there is nothing to keep a record for."""
    repository = read_repository(toy)
    shutil.rmtree(Layout(toy).tracking)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    log_candidate(repository, read_card(repository.handover), _Model())
    assert not Layout(toy).tracking.exists()


class _Model:
    def get_params(self):
        """No parameters."""
        return {}


def _files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]
