"""What the data checks will say of a pull request that brings a train set, before it is written."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from assay.errors import CheckFailedError
from assay.files import write_bytes
from assay.records import Finding
from assay.repository import BaseBranch, Repository
from assay.scoring.acceptance import LARGER
from assay.settings import Settings

POINTS = (0.25, 0.5, 0.75)
TRIED = 200


@dataclass(frozen=True)
class _Base(BaseBranch):
    """Main of `original`, asked for files by their place in a copy at `root`."""

    original: BaseBranch

    @cached_property
    def revision(self) -> str | None:
        """Main's name."""
        return self.original.revision

    def content(self, path: Path) -> bytes | None:
        """The file of main that stands where this one does."""
        return self.original.content(self.original.root / path.relative_to(self.root))

    def changed_files(self, *paths: str) -> list[str]:
        """What differs from main's."""
        return self.original.changed_files(*paths)


@dataclass(frozen=True)
class _Copy(Repository):
    """A copy of the tables of `original`, compared with the main of that."""

    original: Repository

    @cached_property
    def base(self) -> BaseBranch:
        """Main of the original."""
        return _Base(self.root, self.original.base)


def rehearsed(repository: Repository, train: bytes) -> list[Finding]:
    """What the rules of the tables find with this train set; the repository stays as it is."""
    from assay.schema.data_docs import validated
    from assay.schema.demands import weighed
    from assay.schema.findings import findings_of
    from assay.schema.suites import suites

    layout = repository.layout
    with tempfile.TemporaryDirectory() as folder:
        copy = _Copy(Path(folder), repository.settings, repository)
        write_bytes(copy.layout.train, train)
        for path in (layout.sealed_inputs, layout.corrections):
            if path.is_file():
                write_bytes(copy.root / path.relative_to(layout.root), path.read_bytes())
        # the pool stays, so that two of its lines stand for it
        lines = layout.pool.read_bytes().splitlines(keepends=True)[:2]
        write_bytes(copy.layout.pool, b"".join(lines))
        checked = copy.in_force
        found = suites(checked, copy.base.settings)
        asked = [(table, weighed(rules, checked.settings.severity)) for table, rules in found]
        return [
            finding
            for table, rules, results in validated(asked)
            for finding in findings_of(table, rules, results, checked.settings, None)
        ]


@dataclass(frozen=True)
class Growth:
    """A train set that is about to grow: main's labels, those here, and the new ones in order.

    `sizes` are the bytes of the new lines, `here` and `on_main` those of the two files. Without a
    main at hand `main` is empty.
    """

    settings: Settings
    main: np.ndarray
    labels: np.ndarray
    new: np.ndarray
    sizes: np.ndarray
    here: int = 0
    on_main: int = 0

    def most_by_quartiles(self) -> int:
        """The largest number of the first new rows with which main's quartiles hardly move."""
        quartiles = np.quantile(self.main, POINTS)
        slack = self.settings.data.maximum_shift * (quartiles[2] - quartiles[0])

        def holds(most: int) -> bool:
            rows = np.concatenate([self.labels, self.new[:most]])
            found = (np.quantile(rows, POINTS, method=way) for way in ("linear", "nearest"))
            return all(bool((abs(one - quartiles) <= slack).all()) for one in found)

        return _largest(len(self.new), holds)

    def most_by_growth(self) -> int:
        """The largest number by which the train set stays within `data.maximum_growth`."""
        most = int(len(self.main) * self.settings.data.maximum_growth)
        return max(most - len(self.labels), 0)

    def most_by_size(self) -> int:
        """The largest number with which the gate still reads the candidate's train set."""
        room = LARGER * self.on_main - self.here
        return int((np.cumsum(self.sizes) <= room).sum())

    @property
    def factor(self) -> float:
        """By how much the usual size of the new labels differs from main's, as a factor."""
        usual, new = (float(np.median(abs(one))) for one in (self.main, self.new))
        return max(usual / new, new / usual) if usual and new else float("inf")


def _largest(most: int, holds: Callable[[int], bool]) -> int:
    tried = np.unique(np.linspace(1, most, TRIED).astype(int))[::-1]
    return next((int(number) for number in tried if holds(int(number))), 0)


def require_acceptable(growth: Growth, findings: list[Finding], command: str) -> None:
    """Insist on an addition that the checks of a pull request let pass.

    Args:
        growth: the train set and what it grows by.
        findings: what the rehearsal found.
        command: that which adds the rows, without a limit.

    Raises:
        CheckFailedError: a rule would fail; the sentence says which, and how to go on.
    """
    if growth.on_main and (most := growth.most_by_size()) < len(growth.new):
        raise _refusal(
            f"the train set would have over {LARGER} times the bytes of main's, which the gate "
            "does not read",
            _fewer(most, command, "merge what is here first"),
        )
    failures = [one for one in findings if one.severity == "failure"]
    if failures:
        first = failures[0]
        line = f", line {first.line}" if first.line else ""
        said = f"`assay schema` would fail ({first.rule}, {first.file}{line}): "
        raise _refusal(said + first.message.rstrip("."), _way_on(growth, first.rule, command))


def _refusal(said: str, way: str) -> CheckFailedError:
    return CheckFailedError(f"nothing is added, since {said}; {way}.", code="data.not-accepted")


def _way_on(growth: Growth, rule: str, command: str) -> str:
    reviewed = "on main, in a pull request of its own that a reviewer approves"
    match rule:
        case "history.scale":
            other = f"if the unit is right, raise data.maximum_shift in assay.toml {reviewed}"
            return _fewer(growth.most_by_quartiles(), command, other)
        case "history.size":
            other = f"raise data.maximum_growth in assay.toml {reviewed}"
            return _fewer(growth.most_by_growth(), command, other)
        case "history.new_scale":
            least = f"{np.ceil(growth.factor * 1.05):g}"
            return (
                f"if the unit is right, set data.maximum_scale = {least} in assay.toml {reviewed}"
            )
        case "history.chemistry":
            return f"raise data.maximum_element_shift in assay.toml {reviewed}"
    return "correct that first, and run `assay schema`"


def _fewer(most: int, command: str, other: str) -> str:
    if not most:
        return other
    return (
        f"add the first {most:,} with `{command} --limit {most}`, and the rest when main has them"
    )
