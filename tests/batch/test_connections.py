"""Connections to a scheduler: what is lost on the way is told, whenever it is lost."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from distributed.comm import CommClosedError
from test_jobs import predict

from assay.batch import clusters
from assay.errors import NotCarriedOutError
from sentences import told
from toy import write_rows

pytestmark = pytest.mark.usefixtures("laptop")
ADDRESS = "tcp://127.0.0.1:8786"


def test_scheduler_that_is_lost_when_its_workers_are_counted_is_told(certified, monkeypatch):
    """It answered once and is gone before anything was handed out: one sentence, exit code 3."""

    def gone():
        raise CommClosedError("in <TCP (closed)>: Stream is closed")

    @contextmanager
    def client(*_):
        yield SimpleNamespace(nthreads=gone)

    monkeypatch.setattr(clusters, "_client", client)
    path = certified / "list.csv"
    write_rows(path, ["formula"], [("NaCl",)])
    with told(NotCarriedOutError, 3, ADDRESS, "was lost", "run the same command again"):
        predict(certified, path, scheduler=ADDRESS)
