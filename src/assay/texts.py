"""Text before it is shown."""

import math

# letters, marks and a symbol that are drawn as nothing: fillers of Hangul, empty Braille
BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"


def visible(text: str) -> str:
    """The text with a space in the place of whatever shows nothing, or is obeyed."""
    return "".join(
        letter if letter.isprintable() and letter not in BLANK else " " for letter in text
    )


def on_one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal or a workflow's runner obeys.

    The runner takes for a command a line that begins with `::`, and `##[` anywhere in a line.
    """
    return visible(text).replace("##[", "# #[")


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun: `1 row`, `2 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def up_to(limit: float) -> str:
    """How a limit is told behind what it limits; not at all if there is none."""
    return "" if math.isinf(limit) else f" up to {limit:.2g}"
