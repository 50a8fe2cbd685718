"""What the checks counted, compared with what main demands: less is not a check that was made.

Main's code, settings and list of rules and properties decide what is demanded; the counts are the
word of the pull request's run. So this finds accidents and shortcuts, and no forger.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.errors import NotCarriedOutError
from assay.model.dataset import Dataset
from assay.records import FORMAT, CandidateCard, CheckReport, Tally
from assay.sanity.tiers import KIT, drawn_names, wanted_names
from assay.schema.demands import LEAKAGE, demanded, demanded_of_changes
from assay.settings import Settings
from assay.texts import plural

Counts = Mapping[tuple[str, str], Tally]
AGAIN = "run `assay check` again"


@dataclass(frozen=True)
class Demand:
    """What main demands of a run: its settings, its tables, and the candidate's own train rows.

    `changed` says whether the candidate's train set is another than main's.
    """

    settings: Settings
    data: Dataset
    train_rows: int
    changed: bool

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each table that the data checks must have read."""
        counts = {
            "train": self.train_rows,
            "sealed_inputs": len(self.data.sealed),
            "pool": len(self.data.pool),
        }
        return counts | ({"main": len(self.data.train)} if self.changed else {})

    @property
    def rules(self) -> list[tuple[str, str]]:
        """Each table with a rule that must have been evaluated on it."""
        asked = [demanded(self.settings)]
        if self.changed:
            asked.append(demanded_of_changes(self.settings, self.data.target))
        return [(table, rule) for one in asked for table, rules in one.items() for rule in rules]


def require_counts(
    demand: Demand, schema: CheckReport, sanity: CheckReport, card: CandidateCard
) -> None:
    """Insist that everything main demands was done, and on everything.

    A record of a newer format comes from a newer assay, which may have renamed or removed a rule:
    it is held to the rows and examples of what it names alone.

    Raises:
        NotCarriedOutError: a rule or a property has no count, or a smaller one than demanded; or
            the training left rows out.
    """
    require_rules(demand, schema)
    require_training(demand, card)
    require_properties(demand.settings, sanity)


def _refuse(found: Iterator[str]) -> None:
    listed = list(found)
    if listed:
        more = f" (and {len(listed) - 1} more such counts)" if len(listed) > 1 else ""
        raise NotCarriedOutError(f"{listed[0]}{more}: {AGAIN}.")


def require_rules(demand: Demand, report: CheckReport) -> None:
    """Insist on every rule of every table, on all of its rows; raises as `require_counts`."""
    counts = {(one.where, one.name): one for one in report.tallies}
    _refuse(_schema_shortfalls(demand, report, counts))


def _schema_shortfalls(demand: Demand, report: CheckReport, counts: Counts) -> Iterator[str]:
    known = _named(demand.rules, counts, report)
    yield from _unnamed("schema.json", "rule", known, counts, changed=demand.changed)
    for (table, rule), one in counts.items():
        if one.rows < (wanted := demand.rows.get(table, 0)):
            read = f"schema.json says that {rule} read {one.rows:,} rows of {table}"
            yield f"{read}, where there are {wanted:,}"


def require_properties(settings: Settings, report: CheckReport) -> None:
    """Insist on every property, on all examples; raises as `require_counts`."""
    counts = {(KIT, one.name): one for one in report.tallies if one.where.startswith(KIT)}
    _refuse(_sanity_shortfalls(settings, report, counts))


def _sanity_shortfalls(settings: Settings, report: CheckReport, counts: Counts) -> Iterator[str]:
    known = _named([(KIT, name) for name in wanted_names(settings)], counts, report)
    yield from _unnamed("sanity.json", "property", known, counts, changed=False)
    examples, drawn = settings.sanity.examples, set(drawn_names())
    for (_, name), one in counts.items():
        if name in drawn and not one.exhausted and (one.examples or 0) < examples:
            tried = (
                f"sanity.json says that {name} was tried on {plural(one.examples or 0, 'example')}"
            )
            yield f"{tried}, and sanity.examples on main asks for {examples}"


def require_training(demand: Demand, card: CandidateCard) -> None:
    """Insist on all rows, folds and predictions; raises as `require_counts`."""
    _refuse(_training_shortfalls(demand, card))


def _named(
    demands: Iterable[tuple[str, str]],
    counts: Counts,
    report: CheckReport,
) -> list[tuple[str, str]]:
    """What must be counted by name; of a newer format one thing in each place will do."""
    if report.format <= FORMAT:
        return list(demands)
    places = {place for place, _ in counts}
    return [one for one in demands if one[0] not in places]


def _unnamed(
    file: str,
    kind: str,
    demands: Iterable[tuple[str, str]],
    counts: Counts,
    *,
    changed: bool,
) -> Iterator[str]:
    if not counts:
        yield (
            f"{file} holds no counts, so nothing shows that any {kind} ran: it may be of an older "
            "assay, so merge main into the branch and run `make setup`"
        )
        return
    for place, name in demands:
        if name in LEAKAGE and ("sealed_inputs", name) in counts:
            continue
        if (place, name) not in counts:
            where = "" if place == KIT else f" on {place}"
            since = (
                " (train.csv differs from main's: merge main into the branch, if it is older)"
                if changed and name.startswith("history.")
                else ""
            )
            yield f"{file} does not say that the {kind} {name} ran{where}, as main demands{since}"


def _training_shortfalls(demand: Demand, card: CandidateCard) -> Iterator[str]:
    unlabelled = len(demand.data.sealed) + len(demand.data.pool)
    for what, counted, wanted in (
        ("trained on {} rows of train.csv", card.rows, demand.train_rows),
        ("has out-of-fold predictions for {} rows", card.out_of_fold, demand.train_rows),
        ("was fitted once for each of {} folds", card.folds, demand.settings.split.folds),
        ("predicted {} sealed and pool rows", card.predicted, unlabelled),
    ):
        if (counted or 0) < wanted:
            yield (
                f"candidate.json says that the candidate {what.format(counted or 'no')}, and main "
                f"demands {wanted:,}"
            )
