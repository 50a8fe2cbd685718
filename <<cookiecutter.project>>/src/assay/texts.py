"""Text that somebody else wrote, before it is shown."""


def on_one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal or a workflow's runner obeys.

    The runner takes for a command a line that begins with `::`, and `##[` anywhere in a line.
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.replace("##[", "# #[")
