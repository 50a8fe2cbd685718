"""Text before it is shown."""

import math


def on_one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal or a workflow's runner obeys.

    The runner takes for a command a line that begins with `::`, and `##[` anywhere in a line.
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.replace("##[", "# #[")


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun: `1 row`, `2 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def up_to(limit: float) -> str:
    """How a limit is told behind what it limits; not at all if there is none."""
    return "" if math.isinf(limit) else f" up to {limit:.2g}"
