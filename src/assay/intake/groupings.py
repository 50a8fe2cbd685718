"""Which grouping lets a sealed set decide: a few are tried before anything is sealed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.errors import RefusedError, UsageError
from assay.gate.public_evidence import MINIMUM_PUBLIC_GROUPS
from assay.groups import COMPOSITION, SYSTEM, promise
from assay.intake.division import GroupedTable, evidence, grouped, split, whole
from assay.intake.intake import Intake
from assay.settings import Settings
from assay.texts import plural

# rows of a group that may count, from many to few; None: all
CAPS = (None, 50, 20, 10, 5)
# of the most effective groups that public rows come to, what is as good
NEARLY = 0.8
# larger shares of the groups that a small table may seal
FRACTIONS = (0.3, 0.35, 0.4, 0.45, 0.5)
EXTENTS = (0.05, 0.1)


@dataclass(frozen=True)
class Prospect:
    """What a sealed set would be under some settings: numbers of rows and effective groups.

    `rows` and `effective` are of all rows that count, `sealed` and `sealed_effective` of those to
    seal: none where the groups cannot be divided.
    """

    settings: Settings
    rows: int
    groups: int
    effective: float
    sealed: int
    sealed_effective: float

    @property
    def decides(self) -> bool:
        """Whether the gate may say more than INCONCLUSIVE."""
        if self.settings.public:
            return self.effective >= MINIMUM_PUBLIC_GROUPS
        return self.sealed_effective >= self.settings.gate.minimum_groups

    @property
    def name(self) -> str:
        """The grouping in a few words."""
        split, most = self.settings.split, self.settings.gate.rows_per_group
        within = f" within {100 * split.extent:g} %" if split.group == COMPOSITION else ""
        return split.group + within + ("" if most is None else f", {most} rows a group")


class CannotDecideError(RefusedError):
    """No part of a table that could be sealed lets the gate decide anything."""

    def __init__(self, sentence: str, *, code: str, way: Prospect | None) -> None:
        """`way`: the grouping under which public rows decide best, if they do."""
        super().__init__(sentence, code=code)
        self.way = way


def prospect(settings: Settings, table: GroupedTable) -> Prospect:
    """What a division would come to."""
    try:
        divide = whole if settings.public else split
        held_out = divide(settings, table).held_out
    except UsageError:
        held_out = table.rows.iloc[:0]
    everything, sealed = (evidence(rows, settings) for rows in (table.rows, held_out))
    return Prospect(
        settings,
        len(everything.codes),
        everything.count,
        everything.effective,
        len(sealed.codes),
        sealed.effective,
    )


def by_cap(settings: Settings, table: GroupedTable) -> Iterator[Prospect]:
    """The prospects of a grouping, with all rows of a group and with fewer.

    One number alone is tried where `assay.toml` says it.
    """
    own = settings.gate.rows_per_group
    for most in CAPS if own is None else [own]:
        gate = settings.gate.model_copy(update={"rows_per_group": most})
        found = prospect(settings.model_copy(update={"gate": gate}), table)
        if found.sealed or settings.public or most == own:
            yield found


def with_group(settings: Settings, group: str, extent: float) -> Settings:
    """The settings with another grouping."""
    split = settings.split.model_copy(update={"group": group, "extent": extent})
    return settings.model_copy(update={"split": split})


def with_fraction(settings: Settings, fraction: float) -> Settings:
    """The settings with another share of the groups to seal."""
    split = settings.split.model_copy(update={"sealed_fraction": fraction})
    return settings.model_copy(update={"split": split})


def candidates(settings: Settings, found: Intake) -> list[Prospect]:
    """The groupings that are worth a look for a table, in the order in which one is recommended.

    First that of `assay.toml` with fewer and fewer rows of a group, then clusters of compositions,
    then columns of the table.
    """
    listed = [*by_cap(settings, grouped(settings, found))]
    if settings.split.group == SYSTEM:
        for extent in EXTENTS:
            other = with_group(settings, COMPOSITION, extent)
            listed.append(prospect(other, grouped(other, found)))
        for column in found.groupings:
            other = with_group(settings, column, settings.split.extent)
            listed.append(prospect(other, grouped(other, found)))
    return listed


def recommended(listed: Sequence[Prospect]) -> Prospect | None:
    """The first grouping under which a sealed set can decide, or public rows decide well.

    Six groups decide on public rows, but certify hardly anything. So there as many are asked for as
    of a sealed set, or nearly the most that any grouping has.
    """
    most = max((one.effective for one in listed if one.settings.public), default=0.0)
    return next(
        (
            one
            for one in listed
            if one.decides and one.effective >= min(one.settings.gate.minimum_groups, NEARLY * most)
        ),
        None,
    )


def public_way(settings: Settings, found: Intake) -> Prospect | None:
    """The grouping under which public rows decide best; None if they are too few under each."""
    gate = settings.gate.model_copy(update={"evidence": "public"})
    return recommended(candidates(settings.model_copy(update={"gate": gate}), found))


def command(one: Prospect) -> str:
    """The options of `init` that a prospect stands for."""
    split, most = one.settings.split, one.settings.gate.rows_per_group
    public = "--evidence public " if one.settings.public else ""
    extent = f" --extent {split.extent:g}" if split.group == COMPOSITION else ""
    cap = "" if most is None else f" --rows-per-group {most}"
    return f"{public}--group {_quoted(split.group)}{extent}{cap}"


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


def groupings_text(listed: Sequence[Prospect]) -> str:
    """The prospects as a small table, and which one is recommended and why."""
    header = ("grouping", "rows", "groups", "effective", "sealed rows", "effective", "decides")
    cells = [header, *(_cells(one) for one in listed)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in cells
    ]
    return "\n".join(["Groupings that were tried:", *lines, _why(recommended(listed))])


def _cells(one: Prospect) -> tuple[str, ...]:
    numbers = (one.rows, one.groups, one.effective, one.sealed, one.sealed_effective)
    return (one.name, *(f"{number:,.0f}" for number in numbers), "yes" if one.decides else "no")


def _why(best: Prospect | None) -> str:
    if best is None:
        return (
            "None of them lets a sealed set decide: add rows of more groups, or decide by public "
            "evidence with --evidence public."
        )
    public, least = best.settings.public, best.settings.gate.minimum_groups
    rows, effective = ("rows", best.effective) if public else ("sealed rows", best.sealed_effective)
    why = f"the first whose {rows} are {least} effective groups or more"
    if effective < least:
        why = "and no other has many more effective groups"
    return f"Recommended: {command(best)}, {why}. It promises {promise(best.settings.split.group)}."


def require_decidable(
    settings: Settings,
    found: Intake,
    table: GroupedTable,
    hopeful: Callable[[Prospect], bool] = lambda _: True,
) -> None:
    """Refuse a division by which the gate could never say anything but INCONCLUSIVE.

    What is proposed instead is `hopeful`, or public rows decide.

    Raises:
        CannotDecideError: no set that is sealed could decide.
        RefusedError: a larger sealed set or another grouping could, or not even all rows together.
    """
    one, least = prospect(settings, table), settings.gate.minimum_groups
    if settings.public:
        _require_public(settings, found, table)
        return
    if one.decides:
        return
    told = f"{found.name}: {_too_few(one, table)}, and the gate decides nothing below {least}"
    if (larger := _enough(settings, table)) is not None and hopeful(larger):
        fraction = larger.settings.split.sealed_fraction
        raise RefusedError(
            f"{told}: seal more of the groups with --sealed-fraction {fraction}.",
            code="data.cannot-decide",
        )
    others = candidates(settings, found) if settings.split.group == SYSTEM else []
    if (best := recommended(others)) is not None and hopeful(best):
        raise RefusedError(
            f"{told}: go on with {command(best)}, which promises "
            f"{promise(best.settings.split.group)}.",
            code="data.cannot-decide",
        )
    anyway = "" if not one.sealed else ", or go on without a verdict by --anyway"
    way = public_way(settings, found)
    raise CannotDecideError(
        f"{told}, whatever part is sealed: {by_public(way)}add rows of more {table.noun}s{anyway}.",
        code="data.cannot-decide",
        way=way,
    )


def by_public(way: Prospect | None) -> str:
    """The start of a list of ways on: public evidence, by its command, if that decides."""
    if way is None:
        return ""
    return (
        f"run the same command with {command(way)}, which seals nothing and decides by "
        f"cross-validation ({promise(way.settings.split.group)}), "
    )


def _require_public(settings: Settings, found: Intake, table: GroupedTable) -> None:
    """Refuse public rows of too few groups, or of far fewer than another grouping has."""
    own = recommended([*by_cap(settings, table)])
    if own is not None and own.effective >= settings.gate.minimum_groups:
        return
    way = public_way(settings, found)
    if way is not None and (own is None or way.settings.split.group != table.group):
        best = prospect(settings, table) if own is None else own
        raise RefusedError(
            f"{found.name}: the rows that count are {best.effective:.0f} effective groups (rows of "
            f"one {table.noun} count together), which certify hardly any model: go on with "
            f"{command(way)}, which promises {promise(way.settings.split.group)}, or by --anyway.",
            code="data.few-public-groups",
        )
    if own is None:
        raise _too_few_public(prospect(settings, table), table)


def _too_few_public(one: Prospect, table: GroupedTable) -> RefusedError:
    return RefusedError(
        f"{table.name}: the {len(table.rows)} rows are {one.effective:.1f} effective groups (rows "
        f"of one {table.noun} count together), and cross-validation on public rows decides nothing "
        f"below {MINIMUM_PUBLIC_GROUPS}: add rows of more {table.noun}s.",
        code="data.too-few-public",
    )


def _too_few(one: Prospect, table: GroupedTable) -> str:
    if not one.sealed:
        count = len(set(table.units))
        return f"its {len(table.rows)} rows are {plural(count, table.noun)}, too few to divide"
    return (
        f"the {one.sealed} rows to seal are {one.sealed_effective:.0f} effective groups (rows of "
        f"one {table.noun} count together)"
    )


def _enough(settings: Settings, table: GroupedTable) -> Prospect | None:
    """The smallest larger share of the groups that a sealed set can decide with."""
    larger = (one for one in FRACTIONS if one > settings.split.sealed_fraction)
    tried = (prospect(with_fraction(settings, one), table) for one in larger)
    return next((one for one in tried if one.decides), None)
