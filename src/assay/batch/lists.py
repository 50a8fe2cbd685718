"""Lists of candidates: where they come from, what they hold, and their rows part by part."""

import lzma
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from assay.batch import arrow_lists, text_lists
from assay.compositions import problem
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file
from assay.github import MAXIMUM_ASSET_BYTES, is_safe
from assay.intake.columns import formula_column
from assay.intake.files import read_raw
from assay.intake.raw import OF_A_LIST, RawTable
from assay.layout import Layout
from assay.tables import harmless, write_table
from assay.text_tables import require_header

FORMULA = "formula"
# so many first rows say which column holds the formulas, where none is called so
SAMPLE = 100

# a larger file of another kind is exported by the program that wrote it
LARGEST = 2**28
# what is amiss with a list that was read for what it is
PLAIN = frozenset({"list.no-header", "list.same-columns", "table.no-rows"})
BREAKS = r"[\n\r\x00]+"

Format = Literal["csv", "gzip", "parquet"]
# a prefix such as `release:` is no beginning of a path that anybody has
_RELEASE = re.compile(r"release:(?P<tag>[^/]+)/(?P<file>[^/]+)")
_ARTIFACT = re.compile(r"artifact:(?P<run>[1-9]\d{0,18})/(?P<name>[^/]+)(?:/(?P<file>.+))?")
_LISTS = (".csv", ".csv.gz", ".parquet")
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class CandidateList:
    """A list that was read through once: every row of it can be parsed as a row.

    `column` is the one with the formulas. `first` is the number of the first row as a person
    counts: its line in a CSV, below the header, and 1 in a Parquet file. `marks` are rows at which
    reading can begin, each with the byte (of the unpacked text) or row group where that is.
    """

    path: Path
    format: Format
    digest: str
    header: tuple[str, ...]
    column: str
    rows: int
    first: int
    marks: tuple[tuple[int, int], ...]


def open_list(path: Path, column: str | None = None) -> CandidateList:
    """Read a CSV, a gzipped CSV or a Parquet file through, and tell its digest and rows.

    Formulas are in `column`, or in the one called `formula`, in small letters or capital ones, or
    else in the first most of whose first rows are some.

    Raises:
        UsageError: the file is missing, no such table or has no rows, a row has the wrong number of
            cells, or no column holds formulas, or none has the name that was given.
    """
    if not path.is_file():
        amiss = (
            "is a folder: name a file in it" if path.is_dir() else "does not exist: check its name"
        )
        raise UsageError(f"{path} {amiss}.", code="table.missing")
    kind, digest = _format(path), digest_file(path)
    survey = (arrow_lists if kind == "parquet" else text_lists).survey(path, SAMPLE)
    if not survey.rows:
        raise UsageError(f"{path} has a header but no rows: add some.", code="table.no-rows")
    _require_distinct(survey.header, path)
    if column is not None:
        require_header(survey.header, [column], path)
    column = column or _formula_column(survey.header, survey.sample, path)
    first = 1 if kind == "parquet" else 2
    return CandidateList(
        path, kind, digest, tuple(survey.header), column, survey.rows, first, tuple(survey.marks)
    )


def open_any(layout: Layout, path: Path, column: str | None = None) -> CandidateList:
    """Open a list, or a table of another kind by the CSV that `out/candidates` then holds.

    What the intake of labels reads is a list as well: workbooks, JSON, other separators and
    encodings, remarks. The CSV is the same to the byte each time. A row that is none of a table
    stands in it with its text, so that the quarantine tells of it; `line` has the lines of the file
    where they are not those of the CSV.

    Raises:
        UsageError: it is no table of any kind; see `open_list`.
    """
    try:
        return open_list(path, column)
    except UsageError as error:
        if error.code in PLAIN or not path.is_file() or path.stat().st_size > LARGEST:
            raise
        try:
            rows = _converted(read_raw(path, least=OF_A_LIST), column)
        except UsageError as other:
            raise (other if other.code == "table.other-kind" else error) from None
    converted = layout.out / "candidates" / f"{path.name}.csv"
    write_table(rows, converted)
    return open_list(converted, column)


def _converted(table: RawTable, column: str | None) -> pd.DataFrame:
    formulas = formula_column(table, column, None)
    rows = table.cells
    if table.faults:
        texts = {formulas: [fault.value or fault.reason for fault in table.faults]}
        broken = pd.DataFrame(texts, index=[fault.line for fault in table.faults])
        rows = pd.concat([rows, broken]).sort_index(kind="stable").fillna("")
    rows = rows.replace(BREAKS, " ", regex=True)
    if list(rows.index) != list(range(2, len(rows) + 2)):
        rows.insert(len(rows.columns), free_names(["line"], list(rows))[0], rows.index)
    return rows


def _require_distinct(header: Sequence[str], path: Path) -> None:
    # names that are equal once disarmed for spreadsheets would be one column of a batch
    known: dict[str, str] = {}
    for name in header:
        if (other := known.setdefault(harmless(name), name)) != name:
            raise UsageError(
                f"{path}: the columns {other!r:.80} and {name!r:.80} get the same name in the "
                "table of predictions, where names are made safe for spreadsheets: rename one.",
                code="list.same-columns",
            )


def read_range(listed: CandidateList, start: int, stop: int, size: int) -> Iterator[pd.DataFrame]:
    """Rows from `start` up to `stop`, at most `size` at a time, as text.

    The column with the formulas comes first and is called `formula`; another of that name is not
    lost, see `given`.

    Raises:
        UsageError: the file cannot be read any more.
    """
    parts = _parts(listed, start, stop, size)
    names = given(listed)
    order = [listed.header.index(listed.column)]
    order += [place for place in range(len(listed.header)) if place != order[0]]
    for part in parts:
        yield pd.DataFrame(
            {name: part[at] for name, at in zip(names, order, strict=True)}, dtype=str
        )


def given(listed: CandidateList) -> list[str]:
    """The columns of `read_range`: `formula`, and the others, another of that name renamed."""
    others = [name for name in listed.header if name != listed.column]
    return [FORMULA, *free_names(others, (FORMULA,))]


def free_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names for columns that are carried along, none of them among `taken`.

    A list may be an earlier table of predictions, and its columns must not pass for ours.
    """
    free: list[str] = []
    for name in names:
        while name in taken or name in free:
            name = f"given_{name}"  # noqa: PLW2901 (until it is free)
        free.append(name)
    return free


def _parts(
    listed: CandidateList, start: int, stop: int, size: int
) -> Iterator[Sequence[Sequence[str]]]:
    begin = max(mark for mark in listed.marks if mark[0] <= start)
    if listed.format == "parquet":
        return arrow_lists.columns(listed.path, begin, (start, stop), size)
    width = len(listed.header)
    return text_lists.columns(listed.path, width, begin, (start, stop), size)


def _format(path: Path) -> Format:
    with path.open("rb") as stream:
        opening = stream.read(4)
    if opening == b"PAR1":
        return "parquet"
    return "gzip" if opening[:2] == text_lists.GZIP else "csv"


def _require_header(name: str, path: Path) -> None:
    # the first row of a list without a header would be lost
    if problem(name) is None:
        raise UsageError(
            f"{path}, line 1: the column of formulas is called {name!r}, which is itself a "
            "formula: put a header above it if it is a row, or name the column with --column.",
            code="list.no-header",
        )


def _formula_column(header: Sequence[str], sample: Iterable[Sequence[str]], path: Path) -> str:
    named = [FORMULA] if FORMULA in header else [n for n in header if n.casefold() == FORMULA]
    if named:
        return named[0]
    for name, cells in zip(header, zip(*sample, strict=True), strict=True):
        read = sum(problem(cell) is None for cell in cells)
        if 2 * read > len(cells):
            _require_header(name, path)
            return name
    raise UsageError(
        f"{path} has no column {FORMULA!r}, and none of {', '.join(header)[:200]} holds formulas: "
        "name it with --column.",
        code="list.no-formula-column",
    )


def obtain(root: Path, source: str) -> Path:
    """The list that is meant: a path as it is, or what `out/candidates` holds once it is fetched.

    `release:TAG/FILE` is a file of this repository's release, `artifact:RUN/NAME` or
    `artifact:RUN/NAME/FILE` a list in an artifact of one of its workflow runs.

    Raises:
        UsageError: it is neither, the artifact holds no or several lists, or in Actions the path
            leads out of the repository.
        NotCarriedOutError: GitHub does not hand it over.
    """
    if not source.startswith(("release:", "artifact:")):
        return _in_repository(root, source)
    release, artifact = _RELEASE.fullmatch(source), _ARTIFACT.fullmatch(source)
    folder = Layout(root).out / "candidates"
    folder.mkdir(parents=True, exist_ok=True)
    if release:
        return _from_release(folder, release["tag"], release["file"])
    if artifact:
        return _from_artifact(folder, int(artifact["run"]), artifact["name"], artifact["file"])
    raise UsageError(
        f"{source!r:.120} names no list: write a path, release:TAG/FILE or artifact:RUN/NAME.",
        code="list.bad-source",
    )


def _in_repository(root: Path, source: str) -> Path:
    if os.environ.get("GITHUB_ACTIONS") and not Path(source).resolve().is_relative_to(
        root.resolve()
    ):
        raise UsageError(
            f"{source!r:.120} is no path in this repository: write one.",
            code="list.outside-repository",
        )
    return Path(source)


def _from_release(folder: Path, tag: str, file: str) -> Path:
    from assay.github import GitHubRepository

    _require_safe(file)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        found = Path(name) / "list"
        GitHubRepository.from_environment().fetch_asset(tag, file, found)
        return found.replace(folder / file)


def _from_artifact(folder: Path, run: int, artifact: str, file: str | None) -> Path:
    from assay.github import GitHubRepository

    with tempfile.TemporaryDirectory(dir=folder) as name:
        archive, found = Path(name) / "archive", Path(name) / "list"
        GitHubRepository.from_environment().fetch_artifact(run, artifact, archive)
        member = _take(archive, artifact, file, found)
        return found.replace(folder / member)


def _take(archive: Path, artifact: str, file: str | None, place: Path) -> str:
    """Write the list in an artifact's archive to a place; gives its name without folders."""
    try:
        with zipfile.ZipFile(archive) as content:
            lists = [one for one in content.infolist() if one.filename.lower().endswith(_LISTS)]
            chosen = [one for one in lists if file is None or one.filename == file]
            if len(chosen) != 1:
                raise UsageError(
                    f"the artifact {artifact!r:.80} holds {len(chosen)} such lists: name one as "
                    "artifact:RUN/NAME/FILE (CSV, gzipped CSV or Parquet).",
                    code="list.no-single-file",
                )
            name = Path(chosen[0].filename).name
            _require_safe(name)
            if chosen[0].file_size > MAXIMUM_ASSET_BYTES:
                raise NotCarriedOutError(
                    f"{name} in the artifact unpacks to over 2 GiB, so it was not unpacked: divide "
                    "the list.",
                    code="list.too-large",
                )
            with content.open(chosen[0]) as source, place.open("xb") as stream:
                shutil.copyfileobj(source, stream, 2**20)
            return name
    except (*DAMAGED, RuntimeError, OSError, EOFError, ValueError) as error:
        raise NotCarriedOutError(
            f"the artifact {artifact!r:.80} cannot be unpacked ({type(error).__name__}): upload it "
            "again.",
            code="list.damaged-artifact",
        ) from None


def _require_safe(name: str) -> None:
    if not is_safe(name):
        raise UsageError(
            f"the list is called {name!r:.80}: give it a name of letters, digits, dots, dashes and "
            "underscores.",
            code="list.bad-name",
        )
