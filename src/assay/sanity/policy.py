"""The table `[sanity]` of `assay.toml`: effort, tolerances, and relations that must hold."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from assay.gate.policy import Section

Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
Formula = Annotated[str, Field(min_length=1, max_length=200)]
Tolerance = Annotated[float, Field(ge=0)]


class Monotonic(Section):
    """On the line between two compositions the prediction rises, or falls, with one element.

    Attributes:
        along: That element.
        direction: Whether the prediction rises or falls.
        between: Formulas at the two ends, with different shares of the element.
        tolerance: Largest sum of steps against the direction, in the target's unit.
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
    """Exchanging two elements leaves a prediction nearly as it is.

    Attributes:
        exchange: The two elements.
        tolerance: Largest change of a prediction, in the target's unit.
    """

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
    """Effort and tolerances of the sanity properties.

    Attributes:
        examples: Examples that Hypothesis draws for each property.
        seed: Seed of the draws.
        tolerance: Largest difference of predictions that must be equal, in the target's unit.
        element_tolerance: Largest error of a pure element beside `target.element_value`, in the
            target's unit; by default two standard deviations of the train labels.
        continuity: Largest change of a prediction when 1 % of an element gives way, in standard
            deviations of the train labels; for half of the training rows a fortieth of it.
        rows_per_second: Least speed of a process that predicts.
        memory: Most memory of a process that predicts, in GiB.
        monotonic: Relations in which a prediction rises or falls with an element.
        symmetric: Pairs of elements that can be exchanged.
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
