"""`assay data add`: new labelled rows join the train set, as a change that the gate accepts."""

import csv
import datetime as dt
import io
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from assay.errors import RefusedError, UsageError
from assay.files import digest_file, write_bytes, write_text
from assay.growth.placing import ADDED, LATER, REASONS, Known, counted, placed, placed_table
from assay.growth.rehearsal import Growth, rehearsed, require_acceptable
from assay.intake.choices import Choices
from assay.intake.intake import Intake
from assay.intake.joining import joining, require_target
from assay.intake.report import require_rows, write_intake
from assay.layout import Layout
from assay.model.gaps import take_in_for
from assay.records import Finding
from assay.repository import Repository
from assay.splits import next_number
from assay.tables import parse_table, read_labelled, table_text
from assay.texts import on_one_line, plural

CARD = """
## Rows added since

What stands above describes the rows before these.

| date | file | SHA-256 | added | ids | left out |
|---|---|---|---|---|---|
"""
SHOWN = 3


@dataclass(frozen=True)
class Addition:
    """What would be added: each row with its place, the new files, and what the checks warn of.

    `compared` says whether main was at hand, `ids` has the first and the last of the new rows.
    """

    rows: pd.DataFrame
    train: bytes
    card: str
    ids: tuple[str, str]
    warnings: tuple[Finding, ...]
    compared: bool


def read_new(repository: Repository, source: str, choices: Choices) -> Intake:
    """Take in the rows that are to be added, and write what is amiss with them to `out/intake`.

    Raises:
        UndecidedError: a person has to choose.
        UsageError: the table cannot be read, no row of it can be used, or its target is another.
    """
    settings = repository.settings
    found = take_in_for(repository, source, joining(choices, settings))
    write_intake(found, repository.layout)
    found = found.with_target(settings.target.column)
    require_target(settings, found)
    return found


def addition(
    repository: Repository, found: Intake, source: str, *, limit: int | None, agreed: bool
) -> Addition:
    """Place each row, and try the checks of a pull request on the train set with the new ones.

    Where each row goes is written to `out/intake/placed.csv`, and nothing else.

    Args:
        repository: whose train set grows.
        found: what `read_new` took in.
        source: from where.
        limit: how many rows may be added; None: all.
        agreed: whether a person agreed to set more rows aside than `assay.toml` allows.

    Raises:
        RefusedError: no row is new, or too many rows were set aside.
        CheckFailedError: the checks of a pull request would fail.
        UsageError: rows of one composition disagree, or a table cannot be read.
    """
    layout, settings = repository.layout, repository.settings
    require_rows(found, repository, agreed=agreed)
    target = settings.target.column
    table = read_labelled(layout.train, ["row_id", "formula"], target)
    rows = placed(repository, found.rows, Known(table, target), limit)
    write_text(placed_file(layout), table_text(placed_table(rows, target)))
    new = rows[rows["place"] == ADDED]
    if new.empty:
        raise RefusedError(
            f"{found.name}: no row goes to the train set, for {_left(rows)}; "
            f"{os.path.relpath(placed_file(layout))} says why of each.",
            code="data.nothing-to-add",
        )
    main = _main(repository, target)
    ids = _ids(table, main, len(new))
    lines = _lines(layout.train.read_bytes(), new.assign(row_id=ids))
    content = _ended(layout.train.read_bytes()) + b"".join(lines)
    findings = rehearsed(repository, content)
    command = f"assay data add {shlex.quote(source)}"
    require_acceptable(_growth(repository, table, new, lines, main), findings, command)
    card = _card(layout, found, source, rows, (ids[0], ids[-1]))
    warnings = tuple(one for one in findings if one.rule.startswith("history."))
    return Addition(rows, content, card, (ids[0], ids[-1]), warnings, main is not None)


def placed_file(layout: Layout) -> Path:
    """One row a composition of a table that is to be added: where it goes, and why."""
    return layout.intake / "placed.csv"


def _main(repository: Repository, target: str) -> pd.DataFrame | None:
    """Main's train set as text, if it is at hand and has the target."""
    content = repository.base.content(repository.layout.train)
    try:
        read = ["row_id", "formula", target]
        return None if content is None else parse_table(content, read, repository.layout.train)
    except UsageError:
        return None


def _ids(table: pd.DataFrame, main: pd.DataFrame | None, count: int) -> list[str]:
    known = [*table["row_id"], *(() if main is None else main["row_id"])]
    first = next_number(known)
    return [f"t{number:05d}" for number in range(first, first + count)]


def _ended(content: bytes) -> bytes:
    return content if content.endswith(b"\n") else content + _line_end(content).encode()


def _line_end(content: bytes) -> str:
    return "\r\n" if b"\r\n" in content[:4096] else "\n"


def _lines(content: bytes, rows: pd.DataFrame) -> list[bytes]:
    """The new rows as lines of the file, in its columns; one that they lack stays empty."""
    header = next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    lines = []
    for row in rows.to_dict("records"):
        line = io.StringIO()
        cells = [_cell(row.get(name, "")) for name in header]
        csv.writer(line, lineterminator=_line_end(content)).writerow(cells)
        lines.append(line.getvalue().encode())
    return lines


def _cell(value: object) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)


def _growth(
    repository: Repository,
    table: pd.DataFrame,
    new: pd.DataFrame,
    lines: list[bytes],
    main: pd.DataFrame | None,
) -> Growth:
    target, layout = repository.settings.target.column, repository.layout
    before = repository.base.content(layout.train) or b""
    return Growth(
        repository.in_force.settings,
        _numbers(table if main is None else main, target),
        _numbers(table, target),
        new[target].to_numpy(dtype=float),
        np.array([len(line) for line in lines]),
        layout.train.stat().st_size,
        len(before),
    )


def _numbers(table: pd.DataFrame, target: str) -> np.ndarray:
    found = pd.to_numeric(table[target], errors="coerce").to_numpy(dtype=float)
    return np.asarray(found[np.isfinite(found)])


def _card(
    layout: Layout, found: Intake, source: str, rows: pd.DataFrame, ids: tuple[str, str]
) -> str:
    """The data card with a line on what was added, and from where."""
    path, card = Path(source), layout.root / "data" / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else "# Data card\n"
    head = CARD if CARD.strip() not in text else ""
    digest = f"`{digest_file(path)}`" if path.is_file() else "a dataset"
    name = on_one_line(path.name).replace("|", " ").replace("`", " ")
    told = _left(rows[rows["place"] != LATER], found.set_aside)
    cells = [f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", f"`{name}`", digest]
    cells += [f"{counted(rows)[ADDED]}", " to ".join(dict.fromkeys(ids)), told]
    return f"{text.rstrip()}\n{head}| {' | '.join(cells)} |\n"


def _left(rows: pd.DataFrame, aside: int = 0) -> str:
    """How many rows are left out, by reason."""
    left = {code: times for code, times in counted(rows).items() if code != ADDED}
    if aside:
        left["set aside"] = aside
    return ", ".join(f"{times:,} {code}" for code, times in left.items()) or "none"


def write_addition(layout: Layout, made: Addition) -> None:
    """Write the train set, and then the data card: each to a temporary name, then renamed."""
    write_bytes(layout.train, made.train)
    write_text(layout.root / "data" / "README.md", made.card)


def addition_text(layout: Layout, made: Addition) -> str:
    """Where the rows go, with the first of each kind that is left out, and what the checks say."""
    lines = []
    for code, times in counted(made.rows).most_common():
        ids = f", as {made.ids[0]} to {made.ids[1]}" if code == ADDED else ""
        lines.append(f"  {times:>6,}  {code}: {REASONS[code]}{ids}")
        lines += _examples(made.rows[made.rows["place"] == code]) if code != ADDED else []
    lines.append(f"  all of them are in {os.path.relpath(placed_file(layout))}")
    lines += [f"  warning: {on_one_line(one.message)}" for one in made.warnings]
    if not made.compared:
        lines.append("  not compared with main, which git does not know here")
    return "\n".join(lines)


def _examples(rows: pd.DataFrame) -> list[str]:
    told = []
    for line, row in rows.head(SHOWN).iterrows():
        more = f"; {row['suggestion']}" if row["suggestion"] else ""
        told.append(f"          line {line}, {row['formula']}: {row['reason']}{more}")
    if len(rows) > SHOWN:
        told.append(f"          and {plural(len(rows) - SHOWN, 'more row', 'more rows')}")
    return told


def next_steps(found: Intake, made: Addition) -> str:
    """What to do with a train set that has grown."""
    rows = counted(made.rows)
    more = f"\nRun the same command for the {rows[LATER]:,} left when main has these.\n"
    return f"""Next, on a branch:
  git switch -c more-rows
  git add data/train.csv data/README.md && git commit -m "Add {rows[ADDED]:,} rows"
  assay check
{more if rows[LATER] else ""}
Keep {found.name} out of git: a row that is left out may give a sealed label away."""
