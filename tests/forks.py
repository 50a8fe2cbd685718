"""`assay` in forks of one process that has loaded its libraries, which takes any process seconds.

A fork has its own memory, folder, environment, output and exit code, as a process that is started.
The seed of Python's hashes is the same in all: with variables of Python's own, start a process.
"""

import atexit
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

# What verbs import when they need it, and the packages whose modules are imported one by one.
LIBRARIES = (
    *("great_expectations", "mlflow.sklearn", "mlflow.store.tracking.sqlalchemy_store"),
    *("numba", "pandas", "scipy.stats", "skops.io", "tqdm"),
)
OWN_PROCESS = ("assay.__main__", "assay.sanity.plugin", "assay.sanity.properties")


def run(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a verb in a folder with just these variables."""
    server = parent()
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        order = [str(root), list(arguments), dict(environment), *map(str, printed)]
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        told = [path.read_text(encoding="utf-8") for path in printed]
    return subprocess.CompletedProcess(["assay", *arguments], code, *told)


@cache
def parent() -> "subprocess.Popen[str]":
    """The process that is forked, started by the first who asks."""
    from once import waited

    start, unset = time.monotonic(), ("GITHUB_", "ASSAY_", "MLFLOW_", "GIT_")
    server = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith(unset)},
        text=True,
    )
    atexit.register(server.kill)
    assert server.stdout is not None
    server.stdout.readline()
    waited.append(time.monotonic() - start)
    return server


def serve() -> None:
    """Load everything, then obey each order in a fork and say its exit code."""
    load()
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            obey(*json.loads(line))
            return
        say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def say(line: str) -> None:
    """Answer the process of the tests."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def load() -> None:
    """Import all that verbs import, and start nothing."""
    import assay

    for name in LIBRARIES:
        importlib.import_module(name)
    for _, name, _ in pkgutil.walk_packages(assay.__path__, "assay."):
        if not name.startswith(OWN_PROCESS):
            importlib.import_module(name)
    # `python -m assay` says so in its help, and processes that it starts import this again
    main = sys.modules["__main__"]
    main.__package__, main.__spec__ = "assay", importlib.util.find_spec("assay.__main__")
    gc.freeze()  # lest each fork look through all that is loaded when it ends


def obey(
    root: str, arguments: list[str], environment: dict[str, str], stdout: str, stderr: str
) -> None:
    """Be `python -m assay` in a folder."""
    import numpy as np

    from assay.cli import main

    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, stdout, os.O_WRONLY | os.O_CREAT),
        (2, stderr, os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(path, flags), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(root)
    np.random.seed()  # noqa: NPY002 (of which all forks would draw the same)
    tempfile.tempdir = None
    sys.path[0] = root
    sys.argv[:] = [str(Path(main.__code__.co_filename).with_name("__main__.py")), *arguments]
    main()


if __name__ == "__main__":
    serve()
