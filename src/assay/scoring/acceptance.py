"""What a run handed over, read as untrusted data: all of it sound, or nothing is scored."""

from pathlib import Path

import pandas as pd

from assay.compositions import identity
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file
from assay.layout import Handover, Layout, Part
from assay.model.dataset import Dataset
from assay.predictions import bounds_of, read_predictions
from assay.records import CandidateCard, CheckReport, read_record
from assay.scoring.counts import Demand, require_counts
from assay.settings import Settings
from assay.tables import read_table

LARGER = 20


def sound_predictions(
    layout: Layout, settings: Settings, handover: Handover, card: CandidateCard, data: Dataset
) -> dict[str, float]:
    """The candidate's predictions by row id, for rows that main has, too.

    Raises:
        NotCarriedOutError: a part was not carried out, a check did not pass or counts less than
            main demands, a file is not the one that the card names, or the predictions are not a
            complete table of numbers.
    """
    _require_no_refusal(handover)
    schema = _require_passed(handover.schema, "schema", card.train_digest)
    _require_all_tiers(handover, card.bundle_digest)
    sanity = _require_passed(handover.sanity, "sanity", card.bundle_digest)
    if not layout.sealed_labels.exists() and not layout.open_labels.exists():
        raise NotCarriedOutError("data/ holds no held-out labels: restore them, or `assay init`.")
    for path, named in (
        (layout.sealed_inputs, card.sealed_inputs_digest),
        (layout.pool, card.pool_digest),
        (handover.predictions, card.predictions_digest),
        (handover.train, card.train_digest),
    ):
        require_named(path, named)
    rows = len(_own_train(layout, handover))
    changed = digest_file(layout.train) != card.train_digest
    require_counts(Demand(settings, data, rows, changed), schema, sanity, card)
    return shared_predictions(layout, settings, handover, data)


def shared_predictions(
    layout: Layout, settings: Settings, handover: Handover, data: Dataset
) -> dict[str, float]:
    """The candidate's predictions, by row id, of sealed inputs, pool and train rows of main.

    Raises:
        NotCarriedOutError: the candidate's train set or its predictions are not as they must be.
    """
    rows = _own_train(layout, handover)
    train = dict(zip(rows["row_id"], rows["formula"], strict=True))
    unlabelled = [*data.sealed["row_id"], *data.pool["row_id"]]
    bounds = bounds_of(settings.target.kind)
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
                "again."
            )


def _require_all_tiers(handover: Handover, subject: str) -> None:
    if _is_about(handover.fast_sanity, subject) and not _is_about(handover.sanity, subject):
        raise NotCarriedOutError(
            "only the fast tier of the sanity checks ran on this model (`assay sanity --fast`): "
            "run `assay sanity`, which also tests the training, and then `assay score` again."
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
            f"{path.name} says that the check failed: fix that and run `assay check` again."
        )
    if report.subject != subject:
        raise NotCarriedOutError(
            f"{path.name} is about {report.subject[:12]}, but the candidate names {subject[:12]}: "
            "run `assay check` again."
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
            f"the candidate's train.csv is over {LARGER} times main's and not read: add rows in "
            "several steps."
        )
    try:
        return read_table(path, columns)
    except UsageError as error:
        raise NotCarriedOutError(f"what was handed over cannot be read: {error}") from None


def require_named(path: Path, named: str) -> None:
    """Insist on a plain file with the digest that the candidate's card names.

    Raises:
        NotCarriedOutError: it is missing, a link or another one.
    """
    _require_plain(path)
    if digest_file(path) != named:
        raise NotCarriedOutError(
            f"{path.name} is not the file that candidate.json names: train again on main's data."
        )


def _require_plain(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(f"{path.name} is missing or not a plain file: train again.")
