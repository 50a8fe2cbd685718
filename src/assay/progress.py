"""What a verb is doing while it takes its time, so that nobody waits before a silent screen.

On a terminal a line or bar changes in place. Elsewhere, as in a workflow's log, whole lines are
written, and none by whatever ends within a few seconds.
"""

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from assay.files import write_text
from assay.layout import Layout, find_root
from assay.texts import on_one_line

Doing = Callable[[str], object]
Item = TypeVar("Item")

# what each verb is about to do, for the seconds in which it loads what it needs
BEGINNINGS = {
    "init": "dividing and sealing the data",
    "plan": "trying out what the sealed rows can decide",
    "schema": "checking the data",
    "train": "training the candidate",
    "sanity": "testing the model",
    "check": "checking the data, then training and testing the candidate",
    "score": "scoring the candidate",
    "report": "writing the report",
    "predict": "predicting",
    "batch": "working on a batch",
    "verify": "verifying",
    "trace": "tracing",
    "diff": "comparing",
    "revoke": "revoking",
    "data": "reading new rows",
    "seal": "working on the sealed set",
    "update": "updating from the template",
    "ledger": "reading the ledger",
}

# seconds between two lines where there is no terminal; the second is for what takes minutes
EVERY, LATER, MINUTE = 5.0, 15.0, 60.0
# seconds after which a terminal shows how long something has taken
SLOW = 2.0
# these may follow sealed labels, which have no part in what is printed: no line goes by a clock
TIMELESS = ("score", "report")
# of a verb that another one starts, which says itself what it is doing
QUIET = "ASSAY_QUIET"

GROUPS = ("batch", "data", "ledger", "seal")
_lock = threading.RLock()


def begin(arguments: Sequence[str]) -> None:
    """Say at once on a terminal what is begun, before anything heavy is imported.

    From then on, until `end`, whatever takes long is shown.

    Args:
        arguments: the command line behind `assay`: a verb, and what it is asked.
    """
    verb, *others = arguments or [""]
    if verb not in BEGINNINGS or "--help" in others or os.environ.get(QUIET):
        return
    named = verb in {"predict", "verify", "trace"} and others and not others[0].startswith("-")
    what = on_one_line(f"assay: {BEGINNINGS[verb]}{f' {others[0]}' if named else ''}")
    if sys.stderr.isatty():
        sys.stderr.write(f"{what} ...\n")
        sys.stderr.flush()
    if verb not in TIMELESS or sys.stderr.isatty():
        _watch.start(what, " ".join([verb, *others[: verb in GROUPS]]))


def end(*, well: bool = False) -> None:
    """Show nothing any more: the verb is at its end; if all went well, keep how long it took."""
    _watch.stop(well=well)


@contextmanager
def paused() -> Iterator[None]:
    """Show nothing for a while: a person is asked something."""
    with _lock:
        yield


class Watch:
    """Looks every second at what is being done, and shows it where nothing was shown for long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self.clock = clock
        self.shown: list[Shown] = []
        self._ended: threading.Event | None = None
        self._begun, self._last, self._what, self._usual = 0.0, 0.0, "", Usual("")

    def start(self, what: str, verb: str) -> None:
        """Watch in a thread until `stop`; `what` is said where nothing more is known."""
        self.stop()
        self.begin(what, verb)
        self._ended = threading.Event()
        threading.Thread(target=self._run, args=(self._ended,), daemon=True).start()

    def begin(self, what: str, verb: str) -> None:
        """Count the seconds from now."""
        self._begun = self._last = self.clock()
        self._what, self._usual = what, Usual(verb)

    def stop(self, *, well: bool = False) -> None:
        """End the thread."""
        if self._ended is not None and not self._ended.is_set():
            self._ended.set()
            if well and (seconds := self.clock() - self._begun) > SLOW:
                self._usual.keep(seconds)

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(1.0):
            with _lock:
                if not ended.is_set():
                    self.look()

    def look(self) -> None:
        """Show what is being done, if it is time."""
        top, now = self.shown[-1] if self.shown else None, self.clock()
        if top is not None and top.on_terminal:
            top.tick()
            self._last = now
        elif now - self._last >= (LATER if now - self._begun > MINUTE else EVERY):
            what = self._what if top is None else top.line()
            seconds = f"{now - self._begun:.0f} s so far{self._usual.told()}"
            sys.stderr.write(f"{what}, {seconds}\n")
            sys.stderr.flush()
            self._last = now


class Usual:
    """How long a verb took the last time that all went well, on this machine and repository."""

    def __init__(self, verb: str) -> None:
        """Of a verb."""
        self.verb = verb

    def _path(self) -> Path | None:
        root = find_root(Path.cwd())
        path = None if root is None else Layout(root).out / "durations.json"
        return path if path and path.parent.is_dir() else None

    def _read(self) -> dict[str, float]:
        path = self._path()
        try:
            found = json.loads(path.read_bytes()) if path else {}
            return {str(verb): float(seconds) for verb, seconds in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def told(self) -> str:
        """An estimate, if there is one."""
        seconds = self._read().get(self.verb)
        return "" if seconds is None else f" of about {seconds:.0f} s, by the last time"

    def keep(self, seconds: float) -> None:
        """Note it for the next time; not in a workflow, which has no next time."""
        path = self._path()
        if path and not os.environ.get("GITHUB_ACTIONS"):
            with suppress(OSError):
                write_text(path, json.dumps(self._read() | {self.verb: round(seconds, 1)}))


_watch = Watch()


class _Nowhere(io.StringIO):
    """Takes what a bar draws where there is no terminal."""

    def write(self, text: str) -> int:
        """Forget it."""
        return len(text)


class Shown:
    """A bar that counts, or a line that names stages; a context, at whose end it is closed."""

    def __init__(self, name: str, total: float | None, unit: str, **options: Any) -> None:
        """`options` are further ones of tqdm's."""
        from tqdm import tqdm

        self.on_terminal = sys.stderr.isatty()
        file = sys.stderr if self.on_terminal else _Nowhere()
        self._name, self._unit, self._stage, self._since = name, unit, "", 0.0
        self.bar = tqdm(desc=name, total=total, unit=unit, file=file, **options)
        _watch.shown.append(self)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def close(self) -> None:
        """Take it from what is shown."""
        if self in _watch.shown:
            _watch.shown.remove(self)
        self.bar.close()

    def update(self, done: float = 1) -> None:
        """Count what is done."""
        self.bar.update(done)

    def reset(self, total: float) -> None:
        """Begin to count once it is known how much there is."""
        self.bar.reset(total=total)

    def finish(self) -> None:
        """All is done, though it was less than expected."""
        self.bar.total = self.bar.n
        self.bar.refresh()

    def doing(self, stage: str) -> None:
        """Name the stage that is begun."""
        self._stage, self._since = stage, time.monotonic()
        self.bar.set_description_str(f"{self._name}: {stage} ...")
        if self._name in TIMELESS and not self.on_terminal:
            sys.stderr.write(f"{on_one_line(f'{self._name}: {stage}')}\n")

    def tick(self) -> None:
        """Show on a terminal how long it has taken."""
        seconds = time.monotonic() - self._since
        if self._stage and seconds >= SLOW:
            self.bar.set_description_str(f"{self._name}: {self._stage} ... {seconds:.0f} s")
        else:
            self.bar.refresh()

    def line(self) -> str:
        """What is being done, how far it is, and how long that will take."""
        if self._stage:
            return on_one_line(f"{self._name}: {self._stage}")
        seen, unit = self.bar.format_dict, self._unit
        if not seen["n"]:
            return on_one_line(self._name)
        if not seen["total"]:
            return on_one_line(f"{self._name}: {seen['n']:,}{unit}")
        left = seen["elapsed"] * (seen["total"] - seen["n"]) / seen["n"]
        told = f"{seen['n']:,} of {seen['total']:,}{unit}, about {left:.0f} s left"
        return on_one_line(f"{self._name}: {told}")


def counting(name: str, total: float | None = None, unit: str = "", **options: Any) -> Shown:
    """A bar that counts; where there is no terminal, lines say how far it is."""
    with _lock:
        return Shown(name, total, unit, **options)


def counted(
    items: Iterable[Item], name: str, total: float | None = None, unit: str = ""
) -> Iterator[Item]:
    """The items, counted as they are worked on."""
    with counting(name, total, unit, leave=False) as bar:
        for item in items:
            yield item
            bar.update()


def say(verb: str, sentence: str) -> None:
    """Tell something on standard error, beside whatever bar is shown."""
    from tqdm import tqdm

    tqdm.write(f"{verb}: {on_one_line(sentence)}", sys.stderr)


@contextmanager
def stages(verb: str) -> Iterator[Doing]:
    """Give a function that shows on standard error what is being done; gone when the block ends.

    Where standard error is no terminal, a line is written of what takes long.
    """
    with counting(verb, bar_format="{desc}", leave=False) as line:
        yield line.doing
