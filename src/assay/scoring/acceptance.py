"""What was handed over: read strictly, and whether its counts are all that main demands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.compositions import identity
from assay.datasets import Dataset
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file
from assay.layout import Handover, Layout, Part
from assay.predictions import bounds_of, read_predictions
from assay.records import (
    FORMAT,
    MAXIMUM_TALLIES,
    CandidateCard,
    CheckReport,
    Tally,
    read_record,
)
from assay.repository import Repository
from assay.sanity.own_tests import GONE, NOT_RUN, own_tests
from assay.sanity.suites import KIT, drawn_names, wanted_names
from assay.schema.demands import LEAKAGE, demanded, demanded_of_changes
from assay.settings import Settings
from assay.tables import read_table
from assay.texts import plural

Counts = Mapping[tuple[str, str], Tally]
AGAIN = "run `assay check` again"
LARGER = 20


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
        raise NotCarriedOutError(f"{listed[0]}{more}: {AGAIN}.", code="handover.too-few-counts")


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


def require_own_tests(root: Path, report: CheckReport) -> None:
    """Insist that each test of main's own ran, or that the record says what became of it.

    Main's files are read, and none is run. Raises as `require_counts`.
    """
    if len(report.tallies) < MAXIMUM_TALLIES and not report.unlisted:
        _refuse(_own_shortfalls(own_tests(root), report))


def _own_shortfalls(tests: Mapping[str, Iterable[str]], report: CheckReport) -> Iterator[str]:
    ran = {one.name for one in report.tallies if not one.where.startswith(KIT)}
    told = {one.rule.partition("[")[0] for one in report.findings}
    files = {one.file for one in report.findings if one.rule in {GONE, NOT_RUN}}
    for file, names in tests.items():
        for name in names if file not in files else ():
            if name not in ran | told:
                yield (
                    f"sanity.json does not say that the test {name} of {file} ran, as main has it, "
                    "nor what became of it (merge main into the branch, if it is older)"
                )


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


def sound_predictions(
    repository: Repository, handover: Handover, card: CandidateCard, data: Dataset
) -> dict[str, float]:
    """The candidate's predictions by row id, for rows that main has, too.

    Raises:
        NotCarriedOutError: a part was not carried out, a check did not pass or counts less than
            main demands, a file is not the one that the card names, or the predictions are not a
            complete table of numbers.
    """
    layout = repository.layout
    _require_no_refusal(handover)
    schema = _require_passed(handover.schema, "schema", card.train_digest)
    _require_all_tiers(handover, card.bundle_digest)
    sanity = _require_passed(handover.sanity, "sanity", card.bundle_digest)
    held_out = [] if repository.settings.public else [layout.sealed_inputs]
    if held_out and not layout.sealed_labels.exists() and not layout.open_labels.exists():
        raise NotCarriedOutError(
            "data/ holds no held-out labels: restore them from git, or run `assay init`.",
            code="labels.missing",
        )
    for path, named in (
        *((path, card.sealed_inputs_digest) for path in held_out),
        (layout.pool, card.pool_digest),
        (handover.predictions, card.predictions_digest),
        (handover.train, card.train_digest),
    ):
        require_named(path, named)
    rows = len(_own_train(layout, handover))
    changed = digest_file(layout.train) != card.train_digest
    require_counts(Demand(repository.settings, data, rows, changed), schema, sanity, card)
    require_own_tests(repository.root, sanity)
    return shared_predictions(repository, handover, data)


def shared_predictions(
    repository: Repository, handover: Handover, data: Dataset
) -> dict[str, float]:
    """The candidate's predictions, by row id, of sealed inputs, pool and train rows of main.

    Raises:
        NotCarriedOutError: the candidate's train set or its predictions are not as they must be.
    """
    rows = _own_train(repository.layout, handover)
    train = dict(zip(rows["row_id"], rows["formula"], strict=True))
    unlabelled = [*data.sealed["row_id"], *data.pool["row_id"]]
    bounds = bounds_of(repository.settings.target.kind)
    predictions = read_predictions(handover.predictions, [*train, *unlabelled], bounds)
    # A pull request may bring its own train rows; only those that main has, too, are compared.
    main = dict(zip(data.train["row_id"], data.train["formula"], strict=True))
    shared = (row_id for row_id in main.keys() & train if _same(main[row_id], train[row_id]))
    kept = {*unlabelled, *shared}
    return {row_id: value for row_id, value in predictions.items() if row_id in kept}


def _same(one: str, other: str) -> bool:
    return one == other or identity(one) == identity(other)


def _own_train(layout: Layout, handover: Handover) -> pd.DataFrame:
    limit = LARGER * layout.train.stat().st_size
    return candidate_train(handover.train, ["row_id", "formula"], limit)


def _require_no_refusal(handover: Handover) -> None:
    # the report takes the word of a refusal, so beside one a verdict would be spent and not shown
    parts: tuple[Part, ...] = ("schema", "candidate", "sanity")
    for part in parts:
        path = handover.refusal(part)
        if path.is_symlink() or path.exists():
            raise NotCarriedOutError(
                f"{part}/{path.name} says that this part was not carried out: run `assay check` "
                "again.",
                code="handover.not-carried-out",
            )


def _require_all_tiers(handover: Handover, subject: str) -> None:
    if _is_about(handover.fast_sanity, subject) and not _is_about(handover.sanity, subject):
        raise NotCarriedOutError(
            "only the fast suite of the sanity checks ran on this model (`assay sanity --fast`): "
            "run `assay sanity`, which also tests the training, and then `assay score` again.",
            code="handover.fast-only",
        )


def _is_about(path: Path, subject: str) -> bool:
    try:
        return read_record(CheckReport, path).subject == subject
    except NotCarriedOutError:
        return False


def _require_passed(path: Path, check: str, subject: str) -> CheckReport:
    report = read_record(CheckReport, path)
    if report.check != check or not report.passed:
        raise NotCarriedOutError(
            f"{path.name} says that the check failed: fix that and run `assay check` again.",
            code="handover.failed-check",
        )
    if report.subject != subject:
        raise NotCarriedOutError(
            f"{path.name} is about {report.subject[:12]}, but the candidate names {subject[:12]}: "
            "run `assay check` again.",
            code="handover.other-model",
        )
    return report


def candidate_train(path: Path, columns: list[str], limit: int) -> pd.DataFrame:
    """The candidate's own train set as text, which is untrusted and at most `limit` bytes.

    Raises:
        NotCarriedOutError: it is missing, a link, too large or no table with these columns.
    """
    _require_plain(path)
    if path.stat().st_size > limit:
        raise NotCarriedOutError(
            f"the candidate's train.csv is over {LARGER} times as large as main's, so it was not "
            "read: add rows in several pull requests.",
            code="handover.train-too-large",
        )
    try:
        return read_table(path, columns)
    except UsageError as error:
        raise NotCarriedOutError(
            f"the train set of the candidate cannot be read: {error}", code="handover.bad-train"
        ) from None


def require_named(path: Path, named: str) -> None:
    """Insist on a plain file with the digest that the candidate's card names.

    Raises:
        NotCarriedOutError: it is missing, a link or another one.
    """
    _require_plain(path)
    if digest_file(path) != named:
        raise NotCarriedOutError(
            f"{path.name} is not the file that candidate.json names: run `assay check` again on "
            "main's data.",
            code="handover.other-file",
        )


def _require_plain(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(
            f"{path.name} is missing or not a plain file: run `assay check` again.",
            code="handover.missing-file",
        )
