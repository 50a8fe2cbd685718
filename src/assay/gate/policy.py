"""The gate's policy: the table `[gate]` of `assay.toml`, and what it may say."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["number", "class"]
MetricKey = Literal["mae", "rmse", "brier", "error_rate"]
Family = Literal[
    "actinoid",
    "alkali",
    "alkaline",
    "chalcogen",
    "halogen",
    "lanthanoid",
    "metalloid",
    "noble_gas",
    "oxide",
    "pnictogen",
    "post_transition_metal",
    "rare_earth_metal",
    "transition_metal",
]
METRICS_OF: dict[Kind, tuple[MetricKey, ...]] = {
    "number": ("mae", "rmse"),
    "class": ("brier", "error_rate"),
}

Margin = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of `assay.toml`: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Slice(Section):
    """Rows on which the model may not get worse either: by elements, by family or by column.

    Attributes:
        name: Name of the slice in reports.
        elements: The slice holds the rows with any of these elements.
        family: The slice holds the rows with an element of this family.
        column: The slice holds the rows whose cell in this column is one of `values`.
        values: Cells of `column`.
        margin: Largest allowed loss on the slice, in the unit of the primary metric; by default
            the margin of all rows.
        advisory: The slice is shown and decides nothing.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._-]{1,40}$")]
    elements: Annotated[tuple[str, ...], Field(strict=False)] = ()
    family: Family | None = None
    column: str | None = None
    values: Annotated[tuple[str, ...], Field(strict=False)] = ()
    margin: Margin | None = None
    advisory: bool = False

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if [bool(self.elements), bool(self.family), bool(self.column)].count(True) != 1:
            raise ValueError(f"slice {self.name!r} must name one of elements, family or column")
        if bool(self.column) != bool(self.values):
            raise ValueError(f"slice {self.name!r} must give column and values together")
        return self


class Gate(Section):
    """When a model passes. The guarantee holds within the bounds of these numbers.

    Attributes:
        baseline: The reference until a model is certified: the mean of the train labels, or a
            linear model on Magpie features.
        metric: The primary metric; by default `mae` for a number and `brier` for a class.
        margin: Largest loss of the primary metric that counts as no regression, in its unit;
            `assay init` sets it.
        further: Further metrics, each with its own margin.
        advisory: Names of further metrics that are shown and decide nothing.
        slices: Parts of the rows on which the model may not get worse either.
        alpha: Chance of any false PASS on the sealed labels in the life of a sealed set (K uses);
            of one run on main with public evidence.
        alpha_fail: Chance of a false FAIL per pull request.
        uses: Most uses of the sealed labels (K).
        disagreements: Most uses that do not confirm (J).
        slack: Standard errors of headroom that a model needs before the sealed labels are opened.
        tail: Size of a change that counts as a blow-up, in multiples of the reference's public
            error.
        minimum_groups: Effective number of groups below which no sealed set decides.
    """

    baseline: Literal["mean", "ridge"] = "mean"
    metric: MetricKey | None = None
    margin: Margin
    further: dict[MetricKey, Margin] = {}
    advisory: Annotated[tuple[MetricKey, ...], Field(strict=False)] = ()
    slices: Annotated[tuple[Slice, ...], Field(strict=False, max_length=20)] = ()
    alpha: Annotated[float, Field(gt=0, le=0.05)] = 0.025
    alpha_fail: Annotated[float, Field(gt=0, le=0.05)] = 0.01
    uses: Annotated[int, Field(ge=1, le=1000)] = 100
    disagreements: Annotated[int, Field(ge=1, le=20)] = 5
    slack: Annotated[float, Field(ge=0, le=10)] = 2.33
    tail: Annotated[float, Field(gt=0, le=10)] = 3.0
    minimum_groups: Annotated[int, Field(ge=30)] = 30

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = [part.name for part in self.slices]
        if len(set(names)) < len(names):
            raise ValueError("two slices have the same name")
        if strange := set(self.advisory) - set(self.further):
            raise ValueError(f"advisory names {min(strange)!r}, which further does not have")
        if self.disagreements > self.uses:
            raise ValueError(f"disagreements must be at most uses ({self.uses})")
        return self
