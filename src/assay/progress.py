"""What a verb is doing, told on a terminal alone while it takes its time."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from assay.texts import on_one_line

Doing = Callable[[str], object]

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


def begin(arguments: Sequence[str]) -> None:
    """Say at once on a terminal what is begun, before anything heavy is imported.

    Args:
        arguments: the command line behind `assay`: a verb, and what it is asked.
    """
    verb, *others = arguments or [""]
    if verb not in BEGINNINGS or "--help" in others or not sys.stderr.isatty():
        return
    named = verb in {"predict", "verify", "trace"} and others and not others[0].startswith("-")
    what = f" {others[0]}" if named else ""
    sys.stderr.write(on_one_line(f"assay: {BEGINNINGS[verb]}{what} ...") + "\n")
    sys.stderr.flush()


def say(verb: str, sentence: str) -> None:
    """Tell something on standard error, beside whatever bar is shown."""
    from tqdm import tqdm

    tqdm.write(f"{verb}: {on_one_line(sentence)}", sys.stderr)


@contextmanager
def stages(verb: str) -> Iterator[Doing]:
    """Give a function that shows on standard error what is being done; gone when the block ends.

    Where standard error is no terminal nothing is written, as with the bars that count.
    """
    from tqdm import tqdm

    with tqdm(desc=verb, bar_format="{desc}", disable=None, leave=False) as line:
        yield lambda doing: line.set_description_str(f"{verb}: {doing} ...")
