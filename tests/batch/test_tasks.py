"""What a worker insists on before it predicts."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from test_jobs import ROWS, candidates_of, planned

from assay.batch import tasks
from assay.batch.records import ShardRecord
from assay.batch.shards import Batch, Shard, finished, load
from assay.batch.tasks import Task, predict_there
from assay.errors import NotCarriedOutError
from assay.files import write_text
from sentences import told

pytestmark = pytest.mark.usefixtures("laptop")


@pytest.fixture(name="batch")
def small_batch(certified, monkeypatch) -> Batch:
    """A batch that a worker may be asked for; this process is the worker."""
    monkeypatch.setattr(tasks, "_limit_threads", lambda: None)
    tasks._opened.cache_clear()
    tasks._make_room.cache_clear()
    return planned(certified, candidates_of(certified))


def errand_of(batch: Batch) -> Task:
    """Everything as it must be."""
    token = batch.folder / ".start-1"
    write_text(token, "")
    return Task(machinery=batch.recipe.machinery, batch=pickle.dumps(batch), token=str(token))


def test_errand_is_a_shard(batch):
    """The record that comes back is that of the shard in its place."""
    told_of = ShardRecord.model_validate_json(predict_there(errand_of(batch), 10, 20))
    assert told_of == finished(batch, Shard(10, 20))
    assert (told_of.start, told_of.stop) == (10, 20)


def test_other_machinery_is_told_before_anything_is_unpacked(batch):
    """What another version sent is not even looked at."""
    task = Task(machinery="0" * 64, batch=b"not a pickle", token="/nowhere")
    with told(NotCarriedOutError, 3, "another version of assay", "start it again"):
        predict_there(task, 0, ROWS)


def test_next_model_begins_anew(batch, tmp_path):
    """A worker keeps its model for more batches; of it nothing is left when another one comes."""
    predict_there(errand_of(batch), 0, 5)
    before = load(batch)
    predict_there(errand_of(replace(batch, share=1)), 5, 10)
    assert before.private.is_dir()
    other = Path(shutil.copytree(batch.bundle, tmp_path / "other"))
    predict_there(errand_of(replace(batch, bundle=other)), 10, 15)
    assert not before.private.exists()
    assert load(replace(batch, bundle=other)) is not before


@pytest.mark.parametrize("lost", ["token", "list", "bundle"])
def test_files_that_are_not_seen_are_named(batch, lost):
    """Out folder, list and model must be there on the worker's machine, at the same path."""
    task = errand_of(batch)
    path = {"token": batch.folder / ".start-1", "list": batch.listed.path, "bundle": batch.bundle}
    shutil.rmtree(path[lost]) if lost == "bundle" else path[lost].unlink()
    with told(NotCarriedOutError, 3, "does not see", str(path[lost]), "at the same path"):
        predict_there(task, 0, ROWS)
    assert finished(batch, Shard(0, ROWS)) is None


def test_another_list_at_the_same_path_is_refused(batch):
    """A machine with a list of its own, of the same length, makes no rows of it."""
    task = errand_of(batch)
    path = batch.listed.path
    path.write_text(path.read_text().replace("-39", "-40"))
    with told(NotCarriedOutError, 3, "sees another list at", str(path)):
        predict_there(task, 0, ROWS)
    assert finished(batch, Shard(0, ROWS)) is None
