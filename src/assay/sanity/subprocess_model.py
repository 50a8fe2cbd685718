"""The model in a process of its own, in which text has other hashes, and in other circumstances.

What a model keeps outside itself is gone there, be it in memory or in files of the repository.
Date, time zone and language are other ones, too. Time and memory are those of the model alone.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.files import write_text
from assay.processes import Lifeline, lifeline
from assay.sanity import clocks

LOADER = "assay.sanity.subprocess_model:load_repository_bundle"
ROWS, CHUNK, SECONDS = 2000, 500, 20.0
LONGEST = 180  # characters, so that a multiple can still be read
# days ahead of the machine's date: while the model is loaded and first asked, and when asked again
LOADED, LATER = 1000.3, (1000.8, 1004.1, 1203.6, 4800.2)


@dataclass(frozen=True)
class Answer:
    """What the other process predicted for `formulas`, in the target's unit, and at what cost.

    `rows` further formulas took `seconds`; `memory` is the largest of the whole process, in GiB.
    `lacked` is the error in an empty folder, if the model predicted only in the one it started in.
    `later` has what it predicted again for the same formulas on other dates, by days. `lookalikes`
    were asked for in this order, and have the predictions `alike`, None where they are refused.
    """

    formulas: list[str]
    predictions: list[float]
    rows: int
    seconds: float
    memory: float
    lacked: str = ""
    later: dict[str, list[float]] = field(default_factory=dict)
    lookalikes: list[str] = field(default_factory=list)
    alike: list[float | None] = field(default_factory=list)


def named(place: str) -> Any:
    """What `package.module:name` names."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def load_repository_bundle(folder: Path) -> Any:
    """Load the bundle of the repository in the current folder."""
    from assay.model.loading import load_bundle
    from assay.settings import read_settings

    settings = read_settings(Path.cwd())
    trusted = settings.model.trusted_types
    return load_bundle(folder, settings.project.package, trusted, fresh=True)


def predict_elsewhere(
    loader: str,
    folder: Path,
    root: Path,
    formulas: Sequence[str],
    lookalikes: Sequence[str] = (),
) -> Answer:
    """Load a model by `loader` from `folder` and predict, in another process.

    Args:
        loader: `package.module:function`; it takes the folder and gives what has `predict`.
        folder: where the model is.
        root: the folder that the process starts and loads in; it predicts in an empty one.
        formulas: what is predicted, first as a whole; its multiples are then timed.
        lookalikes: further formulas, which the model may refuse.

    Raises:
        RuntimeError: the process ended without an answer; what it last said is quoted.
    """
    job = {"loader": loader, "folder": str(folder.resolve()), "formulas": list(formulas)}
    job |= {"lookalikes": list(lookalikes)}
    return Answer(**_asked("predict", job, root))


def digest_elsewhere(
    builder: str, root: Path, seed: int, formulas: Sequence[str], target: Sequence[float]
) -> str:
    """Train what `package.module:function` builds, in another process, and digest the model.

    Raises as `predict_elsewhere` does.
    """
    job = {"builder": builder, "seed": seed, "formulas": list(formulas), "target": list(target)}
    return str(_asked("train", job, root))


def _asked(kind: str, job: dict[str, Any], root: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder, lifeline() as (reading, _):
        question, answer = Path(folder, "question.json"), Path(folder, "answer.json")
        write_text(question, json.dumps({"kind": kind, "job": job}))
        module, files = "assay.sanity.subprocess_model", (str(question), str(answer))
        done = subprocess.run(
            [sys.executable, "-m", module, *files, str(reading)],
            cwd=root,
            env=_environment(),
            pass_fds=[reading],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode or not answer.is_file():
            last = " ".join(done.stderr.split())[-500:]
            raise RuntimeError(
                f"a process of its own cannot {kind} (code {done.returncode}): {last}"
            )
        return json.loads(answer.read_text(encoding="utf-8"))


def _environment() -> dict[str, str]:
    hashes = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    paths = os.pathsep.join(path for path in sys.path if path)
    spoken = os.environ.get("LC_ALL") or os.environ.get("LANG") or "C"
    other = {
        "PYTHONHASHSEED": hashes,
        "TZ": "Etc/GMT-13" if os.environ.get("TZ") != "Etc/GMT-13" else "Etc/GMT+11",
        "LC_ALL": "C.UTF-8" if spoken in {"C", "POSIX"} else "C",
    }
    return dict(os.environ) | other | {"PYTHONPATH": paths}


def _predicted(job: dict[str, Any]) -> dict[str, Any]:
    _import_libraries()
    clocks.move(LOADED * clocks.DAY)  # before any code of the author's
    predict, formulas = named(job["loader"])(Path(job["folder"])).predict, job["formulas"]
    others = job["lookalikes"]
    with tempfile.TemporaryDirectory() as empty:
        try:
            with chdir(empty):
                return asdict(_measured(predict, formulas, others))
        except Exception as error:  # noqa: BLE001 (a model may raise anything)
            lacked = " ".join(f"{type(error).__name__}: {error}".split())
    # what cannot predict here either says so itself; the cost is known in any case
    return asdict(replace(_measured(predict, formulas, others), lacked=lacked))


def _import_libraries() -> None:
    """Have libraries keep the real clock, whose classes some of them compare by identity."""
    for name in ("pandas", "sklearn.pipeline", "skops.io", "assay.model.loading", "assay.features"):
        importlib.import_module(name)


def _measured(
    predict: Callable[[list[str]], Any], formulas: list[str], others: list[str]
) -> Answer:
    predictions = [float(value) for value in predict(formulas)]
    alike = unrefused(predict, others)
    later = {}
    for days in LATER:
        clocks.move(days * clocks.DAY)
        later[f"{days - LOADED:.1f}"] = [float(value) for value in predict(formulas)]
    clocks.move(LOADED * clocks.DAY)
    rows, seconds = _timed(predict, _multiples(formulas))
    return Answer(formulas, predictions, rows, seconds, peak_memory(), "", later, others, alike)


def unrefused(predict: Callable[[list[str]], Any], formulas: list[str]) -> list[float | None]:
    """Predict what a model does not refuse; None stands for what it does."""
    try:
        return [float(value) for value in predict(formulas)] if formulas else []
    except ValueError:
        if len(formulas) == 1:
            return [None]
        return [value for one in formulas for value in unrefused(predict, [one])]


def _multiples(formulas: Sequence[str]) -> list[str]:
    # texts that no cache has met, of compositions that the model can predict
    short = [formula for formula in formulas if len(formula) <= LONGEST]
    times = 2 + ROWS // max(1, len(short))
    return [f"({formula}){n}" for n in range(2, 2 + times) for formula in short][:ROWS]


def _timed(predict: Callable[[list[str]], Any], formulas: list[str]) -> tuple[int, float]:
    started, rows = time.perf_counter(), 0
    while rows < len(formulas) and time.perf_counter() - started < SECONDS:
        predict(formulas[rows : rows + CHUNK])
        rows += len(formulas[rows : rows + CHUNK])
    return rows, time.perf_counter() - started


def peak_memory() -> float:
    """The largest memory that this process has held so far, in GiB."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's getrusage may give the figure of whatever started the process
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"), re.MULTILINE)
        if found:
            return int(found[1]) / 2**20
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (2**30 if sys.platform == "darwin" else 2**20)


def _trained(job: dict[str, Any]) -> str:
    from assay.sanity.learning import digest_of, fit

    return digest_of(fit(named(job["builder"]), job["seed"], job["formulas"], job["target"]))


def main(question: Path, answer: Path) -> None:
    """Do the job of one file and write the answer to another."""
    content = json.loads(question.read_text(encoding="utf-8"))
    result = {"predict": _predicted, "train": _trained}[content["kind"]](content["job"])
    write_text(answer, json.dumps(result))


if __name__ == "__main__":
    Lifeline(int(sys.argv[3]))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
