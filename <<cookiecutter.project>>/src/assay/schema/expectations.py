"""Great Expectations that know chemistry, for what the library's own cannot say.

Each is a row-wise question, so a validation result names the rows that break it.
"""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations import ExpectColumnQuantileValuesToBeBetween
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    ColumnPairMapMetricProvider,
    column_condition_partial,
    column_pair_condition_partial,
)

from assay.compositions import chemical_system, elements, problem, reduced_formula
from assay.features import missing_properties

PAIR_DOMAIN = ("batch_id", "table", "column_A", "column_B", "row_condition", "ignore_row_if")


def identity(formula: str) -> str:
    """The reduced formula, or the text itself where it cannot be read (another rule says so)."""
    return reduced_formula(formula) if problem(formula) is None else formula


def system(formula: str) -> str:
    """The chemical system, or the text itself where it cannot be read."""
    return chemical_system(formula) if problem(formula) is None else formula


def foreign_elements(formula: str, known: frozenset[str]) -> list[str]:
    """The symbols in a formula that are not among `known`; none if it cannot be read."""
    return sorted(elements(formula) - known) if problem(formula) is None else []


def _each(column: pd.Series, holds: Callable[[str], Hashable]) -> pd.Series:
    """Ask once for each distinct value: the answer for every row, as bool (n,)."""
    answers = {value: holds(value) for value in column.unique()}
    return column.map(answers).astype(bool)


class CompositionMetric(ColumnMapMetricProvider):
    """Whether each cell is a formula that `assay.compositions` reads."""

    condition_metric_name = "column_values.composition"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return _each(column, lambda formula: problem(formula) is None)


class ReducedMetric(ColumnMapMetricProvider):
    """Whether each formula is spelt as its reduced formula."""

    condition_metric_name = "column_values.reduced_formula"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return _each(column, lambda formula: identity(formula) == formula)


class FeaturizableMetric(ColumnMapMetricProvider):
    """Whether matminer's Magpie table is complete for each formula."""

    condition_metric_name = "column_values.featurizable"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        lacking = {symbol for symbol in _symbols(column) if missing_properties(symbol)}
        known = frozenset(_symbols(column) - lacking)
        return _each(column, lambda formula: not foreign_elements(formula, known))


class ElementsMetric(ColumnMapMetricProvider):
    """Whether each formula holds only elements of `value_set`."""

    condition_metric_name = "column_values.elements_in_set"
    condition_value_keys = ("value_set",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, value_set: list[str], **_: Any) -> pd.Series:  # noqa: N805
        known = frozenset(value_set)
        return _each(column, lambda formula: not foreign_elements(formula, known))


class DistinctCompositionMetric(ColumnMapMetricProvider):
    """Whether each formula's reduced formula is absent from `value_set`."""

    condition_metric_name = "column_values.composition_not_in_set"
    condition_value_keys = ("value_set",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, value_set: list[str], **_: Any) -> pd.Series:  # noqa: N805
        taken = frozenset(value_set)
        return _each(column, lambda formula: identity(formula) not in taken)


class DistinctSystemMetric(ColumnMapMetricProvider):
    """Whether each formula's chemical system is absent from `value_set`."""

    condition_metric_name = "column_values.system_not_in_set"
    condition_value_keys = ("value_set",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, value_set: list[str], **_: Any) -> pd.Series:  # noqa: N805
        taken = frozenset(value_set)
        return _each(column, lambda formula: system(formula) not in taken)


class AgreementMetric(ColumnPairMapMetricProvider):
    """Whether all rows of a composition give the same value within `tolerance`."""

    condition_metric_name = "column_pair_values.duplicates_agree"
    condition_domain_keys = PAIR_DOMAIN
    condition_value_keys = ("tolerance",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: pd.Series,  # noqa: N803
        column_B: pd.Series,  # noqa: N803
        tolerance: float,
        **_: Any,
    ) -> pd.Series:
        groups = column_B.groupby(column_A.fillna("").map(identity))
        return ~(groups.transform("max") - groups.transform("min") > tolerance)


class KeptLabelsMetric(ColumnPairMapMetricProvider):
    """Whether no row took the place of a label in `labels` (reduced formula to values)."""

    condition_metric_name = "column_pair_values.labels_kept"
    condition_domain_keys = PAIR_DOMAIN
    condition_value_keys = ("labels",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: pd.Series,  # noqa: N803
        column_B: pd.Series,  # noqa: N803
        labels: dict[str, list[float]],
        **_: Any,
    ) -> pd.Series:
        kept = pd.Series(data=True, index=column_A.index)
        for name, values in column_B.groupby(column_A.fillna("").map(identity)):
            before = np.asarray(labels.get(str(name), []), dtype=float)
            if not _subset(before, values.to_numpy()):
                kept[values.index] = [_subset(np.array([v]), before) for v in values]
        return kept


class ExpectColumnValuesToBeCompositions(ColumnMapExpectation):
    """Expect every cell to be a readable chemical formula."""

    map_metric = "column_values.composition"


class ExpectColumnValuesToBeReducedFormulas(ColumnMapExpectation):
    """Expect every formula in its canonical spelling."""

    map_metric = "column_values.reduced_formula"


class ExpectColumnValuesToBeFeaturizable(ColumnMapExpectation):
    """Expect Magpie features without gaps for every formula."""

    map_metric = "column_values.featurizable"


class ExpectColumnElementsToBeInSet(ColumnMapExpectation):
    """Expect only elements of `value_set` in the formulas."""

    value_set: list[str]
    map_metric = "column_values.elements_in_set"
    success_keys: ClassVar[tuple[str, ...]] = ("value_set", "mostly")


class ExpectColumnCompositionsToNotBeInSet(ColumnMapExpectation):
    """Expect no formula whose reduced formula is in `value_set`."""

    value_set: list[str]
    map_metric = "column_values.composition_not_in_set"
    success_keys: ClassVar[tuple[str, ...]] = ("value_set", "mostly")


class ExpectColumnSystemsToNotBeInSet(ColumnMapExpectation):
    """Expect no formula whose chemical system is in `value_set`."""

    value_set: list[str]
    map_metric = "column_values.system_not_in_set"
    success_keys: ClassVar[tuple[str, ...]] = ("value_set", "mostly")


class ExpectDuplicateCompositionsToAgree(ColumnPairMapExpectation):
    """Expect rows of one composition (`column_A`) to agree in `column_B` within `tolerance`."""

    tolerance: float
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.duplicates_agree"
    success_keys: ClassVar[tuple[str, ...]] = ("tolerance", "mostly")


class ExpectKnownLabelsToBeKept(ColumnPairMapExpectation):
    """Expect the earlier values `labels` of a composition still to stand in `column_B`."""

    labels: dict[str, list[float]]
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.labels_kept"
    success_keys: ClassVar[tuple[str, ...]] = ("labels", "mostly")


class ExpectColumnQuartilesToBeBetween(ExpectColumnQuantileValuesToBeBetween):
    """The library's own expectation, whose answer is a numpy bool that its store cannot write."""

    def _validate(self, *arguments: Any, **named: Any) -> Any:
        answer = super()._validate(*arguments, **named)
        details = [bool(held) for held in answer["result"]["details"]["success_details"]]
        answer["result"]["details"]["success_details"] = details
        return answer | {"success": bool(answer["success"])}


def _symbols(column: pd.Series) -> set[str]:
    readable = (formula for formula in column.unique() if problem(formula) is None)
    return set().union(*map(elements, readable))


def _subset(values: np.ndarray, others: np.ndarray) -> bool:
    return bool(np.isclose(values[:, None], others[None, :], rtol=1e-9, atol=1e-12).any(1).all())
