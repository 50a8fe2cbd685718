"""Why two tables of predictions differ: by their models, and what the certificates say of these."""

from assay.batch.models import CERTIFICATE
from assay.batch.prediction_tables import PredictionTable
from assay.batch.records import UNCERTIFIED
from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Layout
from assay.ledger.certificate import Predicate, verify

DIGITS = 12


def cause(layout: Layout, before: PredictionTable, after: PredictionTable, *, changed: bool) -> str:
    """One clause: the same model or another, and what else of its making is another, too."""
    for table in (before, after):
        if not table.models:
            return f"{table.name} does not say which model made it (no column model_id)"
        if len(table.models) > 1:
            return f"{table.name} holds rows of {len(table.models)} models"
    (one,), (other,) = before.models, after.models
    if one != other:
        return f"other models, {_short(one)} and {_short(other)}: {_apart(layout, one, other)}"
    if changed:
        return (
            f"both name the model {_short(one)}, which gives one composition one value: one of the "
            "tables was altered, and `assay verify` says which"
        )
    return f"the same model {_short(one)}"


def _short(model: str) -> str:
    return model[: DIGITS + (len(UNCERTIFIED) if model.startswith(UNCERTIFIED) else 0)]


def _apart(layout: Layout, one: str, other: str) -> str:
    """What two models do not share, as far as their certificates are here and hold."""
    predicates = {}
    for model in (one, other):
        found = _predicate(layout, model)
        if found is None:
            return f"there is no certificate of {_short(model)} here that says what it was made of"
        predicates[model] = found
    first, second = predicates[one], predicates[other]
    facts = {
        "trained on other data": first.train_digest != second.train_digest,
        "in another environment": first.lock_digest != second.lock_digest,
        "by another version of assay": _differ(first.machinery, second.machinery),
        "from other code": first.commit != second.commit,
    }
    told = [words for words, differs in facts.items() if differs]
    commits = f" (commits {first.commit[:DIGITS]} and {second.commit[:DIGITS]})"
    return (", ".join(told) or "of the same data, environment and code") + commits


def _differ(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and one != other


def _predicate(layout: Layout, model: str) -> Predicate | None:
    path = layout.models / model.removeprefix(UNCERTIFIED) / CERTIFICATE
    if not path.is_file():
        return None
    try:
        return verify(path, layout.public_key).predicate
    except (RefusedError, NotCarriedOutError):
        return None
