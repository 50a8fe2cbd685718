"""Great Expectations about labels: duplicates that agree, and what main's own data say."""

from typing import Any, ClassVar, Literal

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations import ExpectColumnQuantileValuesToBeBetween
from great_expectations.expectations.expectation import ColumnPairMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnPairMapMetricProvider,
    column_pair_condition_partial,
)

from assay.compositions import identity

PAIR_DOMAIN = ("batch_id", "table", "column_A", "column_B", "row_condition", "ignore_row_if")


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


class KeptIdsMetric(ColumnPairMapMetricProvider):
    """Whether each id (column B) still stands for the composition of `formulas` (by id)."""

    condition_metric_name = "column_pair_values.ids_kept"
    condition_domain_keys = PAIR_DOMAIN
    condition_value_keys = ("formulas",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: pd.Series,  # noqa: N803
        column_B: pd.Series,  # noqa: N803
        formulas: dict[str, str],
        **_: Any,
    ) -> pd.Series:
        now = column_A.fillna("").map(identity)
        return now == column_B.map(formulas).fillna(now)


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


class ExpectIdsToBeKept(ColumnPairMapExpectation):
    """Expect ids (`column_B`) to stand for the compositions (`column_A`) of `formulas`, by id."""

    formulas: dict[str, str]
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.ids_kept"
    success_keys: ClassVar[tuple[str, ...]] = ("formulas", "mostly")


class ExpectColumnQuartilesToBeBetween(ExpectColumnQuantileValuesToBeBetween):
    """The library's own expectation, whose answer is a numpy bool that its store cannot write."""

    def _validate(self, *arguments: Any, **named: Any) -> Any:
        answer = super()._validate(*arguments, **named)
        details = [bool(held) for held in answer["result"]["details"]["success_details"]]
        answer["result"]["details"]["success_details"] = details
        return answer | {"success": bool(answer["success"])}
