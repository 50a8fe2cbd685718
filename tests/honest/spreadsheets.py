"""The train set as spreadsheets and editors save it."""

from collections.abc import Callable
from pathlib import Path

from gauntlet.cases import TARGET, TRAIN, Change

Save = Callable[[str], bytes]


def saved(save: Save) -> Change:
    """Save the train set in this way."""

    def apply(root: Path) -> None:
        path = root / "data" / TRAIN
        path.write_bytes(save(path.read_text(encoding="utf-8")))

    return apply


def _labels(form: Callable[[float], str]) -> Save:
    def save(text: str) -> bytes:
        head, *lines = text.splitlines()
        place = head.split(",").index(TARGET)
        rows = [line.split(",") for line in lines]
        for row in rows:
            row[place] = form(float(row[place]))
        return "\n".join([head, *map(",".join, rows), ""]).encode()

    return save


def _quoted(text: str) -> bytes:
    lines = [",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()]
    return "\n".join([*lines, ""]).encode()


WAYS: dict[str, tuple[str, Save]] = {
    "windows": ("Lines end as on Windows.", lambda text: text.replace("\n", "\r\n").encode()),
    "byte-order-mark": ("With a byte order mark.", lambda text: text.encode("utf-8-sig")),
    "no-last-line-end": ("The last line has no end.", lambda text: text.rstrip("\n").encode()),
    "quoted": ("Every cell is in quotes.", _quoted),
    "zeros": ("Labels have trailing zeros.", _labels(lambda value: f"{value:.9f}")),
    "four-decimals": ("Labels are rounded to four decimals.", _labels(lambda v: f"{v:.4f}")),
    "exponents": ("Labels are written with exponents.", _labels(lambda v: f"{v:.9E}")),
    "semicolons": ("Semicolons part the cells.", lambda text: text.replace(",", ";").encode()),
    "empty-lines": ("Empty lines at the end.", lambda text: f"{text}\n\n".encode()),
    "empty-column": (
        "An empty column at the end.",
        lambda text: "".join(f"{line},\n" for line in text.splitlines()).encode(),
    ),
}
