"""Tables of measurements between their marks on the pages of docs/appendix.

What measures a part of batch.json writes its table again; by itself this shows the last record.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parents[1]
FOLDER = TEMPLATE / "docs" / "appendix"
RECORD = TEMPLATE / "benchmarks" / "batch.json"
GIBIBYTE = 2**30
WAYS = ("scikit-learn", "compiled walk")


def main() -> None:
    """Write the tables of batch.json as it stands."""
    fill(parts(json.loads(RECORD.read_text(encoding="utf-8"))))


def fill(made: Iterable[tuple[str, str]]) -> None:
    """Put parts in the places that bear their names; raises as `put` does."""
    for name, content in made:
        put(marks(name), content)


def put(between: tuple[str, str], content: str) -> None:
    """Put content between two marks, on the page of the appendix that has them.

    Raises:
        ValueError: there is no such place, or several.
    """
    begin, end = between
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    texts = {page: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    places = {page: len(pattern.findall(text)) for page, text in texts.items()}
    if (count := sum(places.values())) != 1:
        raise ValueError(f"{FOLDER.name} has {count} places for {begin!r}, not one")
    page = max(places, key=lambda one: places[one])
    whole = f"{begin}\n{content}\n{end}"
    page.write_text(pattern.sub(lambda _: whole, texts[page]), encoding="utf-8")


def marks(name: str) -> tuple[str, str]:
    """The comments between which a part stands."""
    return f"<!-- bench {name}: begin -->", f"<!-- bench {name}: end -->"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    made = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in made)


def parts(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of docs/appendix/batch-benchmark.md by their names."""
    yield "features", _features(record["features"])
    yield "inference", _inference(record["inference"])
    yield "batches", _batches(record["end_to_end"])
    yield "parts", _parts(record["end_to_end"]["parts_rows_per_second"], record["cores"])
    yield "cluster", _cluster(record["cluster"])


def _features(found: dict[str, Any]) -> str:
    own, other = found["rows_per_second"], found["matminer_rows_per_second"]
    lines = [
        ["matminer, the four featurizers", f"{other:,.0f}", "1", ""],
        ["assay, the same", f"{own:,.0f}", f"{found['ratio']:,.0f}", "100; 200 is the goal"],
        *(
            [f"{name} alone", f"{speed:,.0f}", "", ""]
            for name, speed in found["parts_rows_per_second"].items()
        ),
    ]
    return table([f"{found['rows']:,} formulas, one core", "rows a second", "times", "bar"], lines)


def _inference(found: dict[str, Any]) -> str:
    kinds = [(name, own["rows_per_second"]) for name, own in found.items() if isinstance(own, dict)]
    sizes = list(kinds[0][1])
    lines = [
        [f"{name}: {way}", *(f"{speeds[size][way]:,.0f}" for size in sizes)]
        for name, speeds in kinds
        for way in WAYS
    ]
    return table(["rows at a time, one thread", *(f"{int(size):,}" for size in sizes)], lines)


def _batches(found: dict[str, Any]) -> str:
    anchor = found["garden_rows_per_second"]
    rows = found["shipped_list"]["rows"]
    lines = [["Garden pipeline", f"{rows:,}", f"{rows / anchor:.0f}", f"{anchor:,.0f}", "1", ""]]
    for own in (found["shipped_list"], *found["batches"]):
        options = " ".join(own["options"])
        lines.append(
            [
                f"`assay predict LIST {options}`".replace(" `", "`"),
                f"{own['rows']:,}",
                f"{own['seconds']:.1f}",
                f"{own['rows_per_second']:,.0f}",
                f"{own['rows_per_second'] / anchor:.0f}",
                f"{own['memory_bytes'] / GIBIBYTE:.2f} GiB",
            ]
        )
    between = " and ".join(f"{speed:,.0f}" for speed in found["marginal_rows_per_second"])
    head = ["", "rows", "seconds", "rows a second", "times", "memory of all processes"]
    told = f"Between the sizes, where start-up has no part: {between} rows a second."
    return f"{table(head, lines)}\n\n{told}"


def _parts(found: dict[str, float], cores: int) -> str:
    lines = [[name, f"{speed:,.0f}", f"{1e6 / speed:.1f}"] for name, speed in found.items()]
    cost = sum(1 / speed for speed in found.values())
    lines.append(["together", f"{1 / cost:,.0f}", f"{1e6 * cost:.1f}"])
    made = table(["part alone, one core", "rows a second", "microseconds a row"], lines)
    return f"{made}\n\nThe limit of {cores} cores would be {cores / cost:,.0f} rows a second."


def _cluster(found: dict[str, Any]) -> str:
    lines = [
        [what, *(f"{found[key][n]:.1f} s" for n in ("1", "2")), f"{found[f'ratio_{key}']:.2f}", bar]
        for key, what, bar in (
            ("seconds", "predicting", "1.8"),
            ("seconds_end_to_end", "with start-up and the one process that joins", ""),
        )
    ]
    return table([f"{found['rows']:,} rows", "one worker", "two", "times", "bar"], lines)


if __name__ == "__main__":
    main()
