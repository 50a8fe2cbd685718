"""What a verb is doing, told on a terminal alone while it takes its time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Doing = Callable[[str], object]


@contextmanager
def stages(verb: str) -> Iterator[Doing]:
    """Give a function that shows on standard error what is being done; gone when the block ends.

    Where standard error is no terminal nothing is written, as with the bars that count.
    """
    from tqdm import tqdm

    with tqdm(desc=verb, bar_format="{desc}", disable=None, leave=False) as line:
        yield lambda doing: line.set_description_str(f"{verb}: {doing} ...")
