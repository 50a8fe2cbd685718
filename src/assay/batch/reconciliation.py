"""Tables of predictions compared: what differs, how ranks moved, whose rows, and why.

Materials are joined by `compositions.identity`, so that neither the order of rows nor a spelling
counts, `Ca0.5Mg0.5O` for `CaMgO2` included.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from assay.batch.authorization import CERTIFICATE
from assay.batch.comparison import PredictionTable, is_same
from assay.batch.records import UNCERTIFIED
from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Layout
from assay.ledger.certificate import Predicate, verify
from assay.records import Count, Record, Text
from assay.texts import plural

DIGITS = 12
SHOWN = 10
NEITHER = "none of them"


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
        "certified by other evidence": first.evidence != second.evidence,
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


class MaterialRow(Record):
    """A material and its prediction in each table, by the table's name; None where it has none."""

    material: Text
    predicted: dict[Text, float | None]


class Difference(Record):
    """What differs between two tables, on the materials that both have.

    `kendall_tau` is of the ranks, absent for fewer than two materials or constant tables; of the
    `top` first materials of the one table `kept` are among the first of the other.
    """

    before: Text
    after: Text
    shared: Count
    only_before: Count
    only_after: Count
    changed: Count
    largest: list[MaterialRow]
    kendall_tau: float | None
    top: Count
    kept: Count


class Origins(Record):
    """Of which other tables how many rows of a table are, and those that are of none."""

    table: Text
    rows: dict[Text, Count]
    strangers: list[MaterialRow]


class Reconciliation(Record):
    """Each table beside the one before it, and why; of three or more the origins of the last."""

    differences: list[Difference]
    causes: list[Text]
    origins: Origins | None


def reconcile(
    layout: Layout, tables: Sequence[PredictionTable], top: int = SHOWN, *, highest: bool = False
) -> Reconciliation:
    """Compare each table with the one before it; of three or more, place the rows of the last."""
    differences = [compare(*pair, top, highest=highest) for pair in pairwise(tables)]
    causes = [
        cause(layout, before, after, changed=one.changed > 0)
        for (before, after), one in zip(pairwise(tables), differences, strict=True)
    ]
    *others, last = tables
    placed = origins(last, others) if len(others) > 1 else None
    return Reconciliation(differences=differences, causes=causes, origins=placed)


def compare(
    before: PredictionTable, after: PredictionTable, top: int = SHOWN, *, highest: bool = False
) -> Difference:
    """What differs on the materials that both have; the first ones are the lowest, or `highest`."""
    both = pd.concat([before.predicted, after.predicted], axis=1, join="inner", keys=["a", "b"])
    changed = both[~is_same(both["a"], both["b"])]
    order = (changed["b"] - changed["a"]).abs().sort_values(ascending=False, kind="stable").index
    top = min(top, len(both))
    first = [
        set(both[side].sort_values(ascending=not highest, kind="stable").index[:top])
        for side in "ab"
    ]
    return Difference(
        before=before.name,
        after=after.name,
        shared=len(both),
        only_before=len(before.predicted) - len(both),
        only_after=len(after.predicted) - len(both),
        changed=len(changed),
        largest=[_row(material, [before, after]) for material in order[:SHOWN]],
        kendall_tau=_tau(both["a"].to_numpy(), both["b"].to_numpy()),
        top=top,
        kept=len(first[0] & first[1]),
    )


def _tau(one: np.ndarray, other: np.ndarray) -> float | None:
    from scipy.stats import kendalltau

    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:  # noqa: PLR2004 (a pair)
        return None
    return float(kendalltau(one, other).statistic)


def _row(material: str, tables: Sequence[PredictionTable]) -> MaterialRow:
    found = {table.name: table.predicted.get(material) for table in tables}
    return MaterialRow(
        material=next((one.spelt[material] for one in tables if material in one.spelt), material),
        predicted={name: None if value is None else float(value) for name, value in found.items()},
    )


def origins(table: PredictionTable, others: Sequence[PredictionTable]) -> Origins:
    """Whose row each row of a table is; a row that agrees with no other table is a stranger."""
    materials, values = table.predicted.index, table.predicted.to_numpy()
    agreeing = np.array(
        [is_same(values, one.predicted.reindex(materials).to_numpy()) for one in others], dtype=bool
    )
    kinds, which = np.unique(agreeing, axis=1, return_inverse=True)
    counts = np.bincount(which.ravel(), minlength=kinds.shape[1])
    rows: Counter[str] = Counter()
    for kind, count in zip(kinds.T, counts.tolist(), strict=True):
        names = [one.name for one, agrees in zip(others, kind, strict=True) if agrees]
        rows[" and ".join(names) or NEITHER] += count
    strangers = materials[~agreeing.any(axis=0)][:SHOWN]
    return Origins(
        table=table.name,
        rows=dict(rows.most_common()),
        strangers=[_row(str(material), [table, *others]) for material in strangers],
    )


def sentences(found: Reconciliation) -> Iterator[str]:
    """The reconciliation in words, for a terminal."""
    for one, why in zip(found.differences, found.causes, strict=True):
        yield (
            f"{one.after} against {one.before}: {plural(one.shared, 'material')} in both, "
            f"{one.only_before:,} in {one.before} alone, {one.only_after:,} in {one.after} alone; "
            f"{one.changed:,} changed{', most of all' if one.changed > len(one.largest) else ''}"
        )
        yield from (f"  {row.material}: {_in_words(row)}" for row in one.largest)
        if one.kendall_tau is not None:
            yield f"  Kendall's tau of the ranks is {one.kendall_tau:.3f}"
        yield f"  {one.kept} of the first {one.top} are the same"
        yield f"  {why}"
    if found.origins:
        shares = [f"{rows:,} of {names}" for names, rows in found.origins.rows.items()]
        yield f"{found.origins.table}: rows are {', '.join(shares)}"
        yield from (
            f"  {row.material} agrees with none: {_in_words(row)}"
            for row in found.origins.strangers
        )


def _in_words(row: MaterialRow) -> str:
    return ", ".join(
        f"{'nothing' if value is None else f'{value:.9g}'} in {name}"
        for name, value in row.predicted.items()
    )
