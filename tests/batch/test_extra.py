"""The extra `cluster`: without it everything works but `--scheduler` for a cluster."""

import json
import subprocess
import sys

import pytest
from test_jobs import candidates_of, predict

from assay.batch.clusters import EXTRA
from assay.errors import NotCarriedOutError
from dask_machines import queue_file
from toy import environment

# imports all of assay where an extra is missing, and prints what could not be imported
IMPORTING = """
import importlib, json, pkgutil, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
import assay
names = [one.name for one in pkgutil.walk_packages(assay.__path__, "assay.")]
names = [name for name in names if name.startswith(sys.argv[2])]
failed = {}
for name in names:
    try:
        name.endswith("__main__") or importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps([len(names), failed]))
"""


def imported_without(*missing: str, of: str = "assay") -> tuple[int, dict[str, str]]:
    """How many modules begin so, and which of them cannot be imported without these packages."""
    command = [sys.executable, "-c", IMPORTING, json.dumps(missing), of]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_no_module_needs_it():
    """Every module is imported where Dask is not installed; a library that is needed is missed."""
    count, failed = imported_without(*EXTRA)
    assert (count > 100, failed) == (True, {})
    _, failed = imported_without("typer", of="assay.cli")
    assert failed


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize("missing", EXTRA)
@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:8786", "queue.yaml"])
def test_cluster_is_refused_without_it(certified, tmp_path, monkeypatch, missing, scheduler):
    """Whichever of its packages is missing, the verb ends with 3 before it reads the list."""
    monkeypatch.setitem(sys.modules, missing, None)
    if scheduler.endswith(".yaml"):
        scheduler = str(queue_file(tmp_path))
    with pytest.raises(NotCarriedOutError) as caught:
        predict(certified, certified / "none.csv", scheduler=scheduler)
    assert caught.value.code == "cluster.not-installed"


@pytest.mark.usefixtures("laptop")
def test_one_machine_does_not_need_it(certified, monkeypatch):
    """All cores of one machine predict where none of its packages is installed."""
    for name in EXTRA:
        monkeypatch.setitem(sys.modules, name, None)
    assert predict(certified, candidates_of(certified, 8), scheduler="local").predicted == 5
