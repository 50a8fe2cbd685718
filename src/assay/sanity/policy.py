"""The table `[sanity]` of `assay.toml`: effort, tolerances, and relations that must hold."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from assay.gate.policy import Section

Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
Formula = Annotated[str, Field(min_length=1, max_length=200)]
Tolerance = Annotated[float, Field(ge=0)]


class Monotonic(Section):
    """On the line between two compositions the prediction rises, or falls, with one element.

    `along` is that element, `between` the formulas at the ends, in which its share of the atoms
    differs; steps against the `direction` may add up to `tolerance`, in the target's unit.
    """

    along: Symbol
    direction: Literal["increasing", "decreasing"]
    between: Annotated[tuple[Formula, Formula], Field(strict=False)]
    tolerance: Tolerance

    @model_validator(mode="after")
    def _is_a_line(self) -> Self:
        from assay.compositions import parse

        ends = [parse(formula).fractional_composition for formula in self.between]
        first, last = (end[_element(self.along)] for end in ends)
        if first == last:
            raise ValueError(
                f"the ends {self.between[0]} and {self.between[1]} have the same share of "
                f"{self.along}, so that nothing changes along it; name others"
            )
        return self


class Symmetric(Section):
    """Exchanging two elements changes a prediction by at most `tolerance`, in the target's unit."""

    exchange: Annotated[tuple[Symbol, Symbol], Field(strict=False)]
    tolerance: Tolerance

    @model_validator(mode="after")
    def _names_two_elements(self) -> Self:
        first, second = map(_element, self.exchange)
        if first == second:
            raise ValueError(f"exchange names {self.exchange[0]} twice; name two elements")
        return self


def _element(symbol: str) -> Any:
    from pymatgen.core import Element

    if not Element.is_valid_symbol(symbol):
        raise ValueError(f"{symbol!r} is not an element; write a symbol such as 'Na'")
    return Element(symbol)


class Sanity(Section):
    """Effort and tolerances of the property-based tests.

    `examples` are drawn for each property with `seed`. In the target's unit: `tolerance`, by which
    equal predictions may differ, and `element_tolerance`, by which a pure element may miss
    `target.element_value` (None: two standard deviations of the train set). `continuity` is the
    largest change of a prediction when 1 % of an element gives way, in standard deviations of the
    train set; for half of the training rows it may be a fortieth of that. `rows_per_second` and
    `memory` (GiB) are the budget of a process that predicts.
    """

    examples: Annotated[int, Field(ge=1, le=10_000)] = 25
    seed: Annotated[int, Field(ge=0)] = 0
    tolerance: Annotated[float, Field(gt=0)] = 1e-6
    element_tolerance: Annotated[float, Field(gt=0)] | None = None
    continuity: Annotated[float, Field(gt=0)] = 2
    rows_per_second: Annotated[float, Field(gt=0)] = 200
    memory: Annotated[float, Field(gt=0)] = 4
    monotonic: Annotated[tuple[Monotonic, ...], Field(strict=False, max_length=20)] = ()
    symmetric: Annotated[tuple[Symmetric, ...], Field(strict=False, max_length=20)] = ()
