"""A verb that runs in a process of its own while this one does something else."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assay.errors import NotCarriedOutError
from assay.progress import QUIET


@dataclass(frozen=True)
class VerbBeside:
    """A verb that was started: what it prints is kept until somebody asks for it."""

    verb: str
    process: "subprocess.Popen[bytes]"
    output: IO[bytes]
    errors: IO[bytes]

    def ended(self) -> tuple[int, str, str]:
        """Wait for its end; gives exit code, standard output and standard error.

        Raises:
            NotCarriedOutError: it was ended from outside, so that it could say nothing.
        """
        code = self.process.wait()
        if code < 0:
            raise NotCarriedOutError(
                f"`assay {self.verb}` was ended by signal {-code}, perhaps for want of memory: run "
                f"`assay {self.verb}` alone.",
                code="machinery.killed",
            )
        texts = []
        for stream in (self.output, self.errors):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
        return code, texts[0], texts[1]


@contextmanager
def verb_beside(verb: str, options: Sequence[str] = ()) -> Iterator[VerbBeside]:
    """Start a verb in the current folder; it is ended where the context ends before it."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            # -P: no file of the current folder stands for assay
            [sys.executable, "-P", "-m", "assay", verb, *options],
            stdout=output,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            process_group=0,
        )
        try:
            yield VerbBeside(verb, process, output, errors)
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environment() -> dict[str, str]:
    """The environment with this very assay in front, however it was found."""
    source = str(Path(__file__).parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), QUIET: "1"}
