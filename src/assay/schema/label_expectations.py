"""Great Expectations about labels: duplicates that agree, and what main's own data say."""

from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations import ExpectColumnQuantileValuesToBeBetween
from great_expectations.expectations.expectation import ColumnPairMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnPairMapMetricProvider,
    column_pair_condition_partial,
)

from assay.compositions import identity
from assay.schema.units import converted

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


class KeptLabelsMetric(ColumnPairMapMetricProvider):
    """Whether no row took the place of a label in `labels` (reduced formula to values)."""

    condition_metric_name = "column_pair_values.labels_kept"
    condition_domain_keys = PAIR_DOMAIN
    condition_value_keys = ("labels", "tolerance")

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: pd.Series,  # noqa: N803
        column_B: pd.Series,  # noqa: N803
        labels: dict[str, list[float]],
        tolerance: float,
        **_: Any,
    ) -> pd.Series:
        kept = pd.Series(data=True, index=column_A.index)
        for name, values in column_B.groupby(column_A.fillna("").map(identity)):
            before = np.asarray(labels.get(str(name), []), dtype=float)
            if not _subset(before, values.to_numpy(), tolerance):
                kept[values.index] = [_subset(np.array([v]), before, tolerance) for v in values]
        return kept


class UnitMetric(ColumnPairMapMetricProvider):
    """Whether no row holds a label in `labels` carried over into another unit."""

    condition_metric_name = "column_pair_values.unit_kept"
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
        said = converted(list(column_A), list(column_B), labels)
        return pd.Series([words is None for words in said], index=column_A.index)


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


class ExpectKnownLabelsToBeKept(ColumnPairMapExpectation):
    """Expect the earlier values `labels` of a composition in `column_B`, within `tolerance`."""

    labels: dict[str, list[float]]
    tolerance: float
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.labels_kept"
    success_keys: ClassVar[tuple[str, ...]] = ("labels", "tolerance", "mostly")


class ExpectIdsToBeKept(ColumnPairMapExpectation):
    """Expect ids (`column_B`) to stand for the compositions (`column_A`) of `formulas`, by id."""

    formulas: dict[str, str]
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.ids_kept"
    success_keys: ClassVar[tuple[str, ...]] = ("formulas", "mostly")


class ExpectUnitToBeKept(ColumnPairMapExpectation):
    """Expect no label of `labels` to stand in `column_B` in another unit or with another sign."""

    labels: dict[str, list[float]]
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys: ClassVar[tuple[str, ...]] = PAIR_DOMAIN
    map_metric = "column_pair_values.unit_kept"
    success_keys: ClassVar[tuple[str, ...]] = ("labels", "mostly")


class ExpectColumnQuartilesToBeBetween(ExpectColumnQuantileValuesToBeBetween):
    """The library's own expectation, whose answer is a numpy bool that its store cannot write."""

    def _validate(self, *arguments: Any, **named: Any) -> Any:
        answer = super()._validate(*arguments, **named)
        details = [bool(held) for held in answer["result"]["details"]["success_details"]]
        answer["result"]["details"]["success_details"] = details
        return answer | {"success": bool(answer["success"])}


def _subset(values: np.ndarray, others: np.ndarray, tolerance: float) -> bool:
    near = np.isclose(values[:, None], others[None, :], rtol=1e-9, atol=max(tolerance, 1e-12))
    return bool(near.any(axis=1).all())
