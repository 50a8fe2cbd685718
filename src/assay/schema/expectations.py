"""Great Expectations about chemistry and labels, for what the library's own cannot say.

Each is a row-wise question, so a validation result names the rows that break it.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar, Literal

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

from assay.compositions import identity
from assay.features import missing_properties
from assay.features.parsing import problems
from assay.schema.formulas import (
    Kin,
    hold_only,
    is_charge_balanced,
    reduced,
    relatives_of,
    symbols,
)

PAIR_DOMAIN = ("batch_id", "table", "column_A", "column_B", "row_condition", "ignore_row_if")


def _each(column: pd.Series, holds: Callable[[str], Hashable]) -> pd.Series:
    """Ask once for each distinct value: the answer for every row, as bool (n,)."""
    return _all(column, lambda values: map(holds, values))


def _all(column: pd.Series, hold: Callable[[list[str]], Iterable[Hashable]]) -> pd.Series:
    """Ask once for all distinct values together."""
    values = list(column.unique())
    return column.map(dict(zip(values, hold(values), strict=True))).astype(bool)


class CompositionMetric(ColumnMapMetricProvider):
    """Whether each cell is a formula that `assay.compositions` reads."""

    condition_metric_name = "column_values.composition"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return _all(column, lambda formulas: [found is None for found in problems(formulas)])


class ReducedMetric(ColumnMapMetricProvider):
    """Whether each formula is spelt as its reduced formula."""

    condition_metric_name = "column_values.reduced_formula"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return _each(column, lambda formula: reduced(formula) == formula)


class FeaturizableMetric(ColumnMapMetricProvider):
    """Whether matminer's Magpie table is complete for each formula."""

    condition_metric_name = "column_values.featurizable"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        present = symbols(column.unique())
        known = frozenset(symbol for symbol in present if not missing_properties(symbol))
        return _all(column, lambda formulas: hold_only(formulas, known))


class ElementsMetric(ColumnMapMetricProvider):
    """Whether each formula holds only elements of `value_set`."""

    condition_metric_name = "column_values.elements_in_set"
    condition_value_keys = ("value_set",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, value_set: list[str], **_: Any) -> pd.Series:  # noqa: N805
        known = frozenset(value_set)
        return _all(column, lambda formulas: hold_only(formulas, known))


class KinMetric(ColumnMapMetricProvider):
    """Whether no formula is `kin` of one of `relatives`, and no nearer kin of another kind."""

    condition_metric_name = "column_values.not_kin"
    condition_value_keys = ("relatives", "kin")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column: pd.Series,
        relatives: list[str],
        kin: Kin,
        **_: Any,
    ) -> pd.Series:
        known = relatives_of(tuple(relatives))
        return _each(column, lambda formula: known.kin(formula) != kin)


class ChargeMetric(ColumnMapMetricProvider):
    """Whether oxidation states of each formula can add up to zero."""

    condition_metric_name = "column_values.charge_balanced"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return _each(column, is_charge_balanced)


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


class ExpectColumnCompositionsToBeUnrelated(ColumnMapExpectation):
    """Expect no formula to be `kin` of one of the formulas `relatives`.

    `kin` is "identical" (the same composition), "near" (atomic fractions within 0.01, traces of
    other elements included) or "system" (the same system otherwise): a formula is kin in one way,
    the nearest.
    """

    relatives: list[str]
    kin: Kin
    map_metric = "column_values.not_kin"
    success_keys: ClassVar[tuple[str, ...]] = ("relatives", "kin", "mostly")


class ExpectColumnValuesToBeChargeBalanced(ColumnMapExpectation):
    """Expect oxidation states that add up to zero, in all but a share of the formulas."""

    map_metric = "column_values.charge_balanced"


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


class SparedRowsMetric(ColumnPairMapMetricProvider):
    """Whether each row is none of `rows`, which are named by their places."""

    condition_metric_name = "column_pair_values.rows_spared"
    condition_domain_keys = PAIR_DOMAIN
    condition_value_keys = ("rows",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: pd.Series,  # noqa: N803
        column_B: pd.Series,  # noqa: ARG002, N803
        rows: list[int],
        **_: Any,
    ) -> pd.Series:
        return pd.Series(~column_A.index.isin(rows), index=column_A.index)


class ExpectDuplicateCompositionsToAgree(ColumnPairMapExpectation):
    """Expect rows of one composition (`column_A`) to agree in `column_B` within `tolerance`."""

    tolerance: float
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.duplicates_agree"
    success_keys: ClassVar[tuple[str, ...]] = ("tolerance", "mostly")


class ExpectRowsToBeSpared(ColumnPairMapExpectation):
    """Expect none of `rows` (by place), of which a comparison of whole tables has found something.

    `column_B` is the column that a finding quotes.
    """

    rows: list[int]
    ignore_row_if: Literal["neither"] = "neither"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.rows_spared"
    success_keys: ClassVar[tuple[str, ...]] = ("rows", "mostly")


class ExpectColumnQuartilesToBeBetween(ExpectColumnQuantileValuesToBeBetween):
    """The library's own expectation, whose answer is a numpy bool that its store cannot write."""

    def _validate(self, *arguments: Any, **named: Any) -> Any:
        answer = super()._validate(*arguments, **named)
        details = [bool(held) for held in answer["result"]["details"]["success_details"]]
        answer["result"]["details"]["success_details"] = details
        return answer | {"success": bool(answer["success"])}
