"""Reads `assay.toml`, the one configuration of a model repository."""

import difflib
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from assay.errors import UsageError
from assay.evidence import Evidence
from assay.gate.policy import METRICS_OF, Gate, Kind, MetricKey, Section
from assay.groups import COMPOSITION, column_of
from assay.intake.policy import Rule
from assay.layout import SETTINGS
from assay.records import Severity
from assay.sanity.policy import Sanity

FILE_NAME = SETTINGS

Share = Annotated[float, Field(gt=0, lt=1)]
ClassName = Annotated[str, Field(min_length=1, max_length=80)]
Bound = Annotated[float, Field(allow_inf_nan=True)]


class Project(Section):
    """Who the model is.

    Attributes:
        name: Name of the project.
        package: Name of the folder under `src` that holds `model.py`.
    """

    name: str
    package: str


class Target(Section):
    """What the model predicts.

    Attributes:
        column: Column of `data/train.csv` that holds the labels.
        kind: A number, or a class that is yes or no.
        unit: Unit of the labels and of all predictions.
        lower: Smallest possible value, in `unit`.
        upper: Largest possible value, in `unit`.
        element_value: Known value of every pure element, in `unit`; without it no property asks.
        classes: Names of the classes 0 and 1.
    """

    column: Annotated[str, Field(min_length=1)]
    kind: Kind = "number"
    unit: str = "1"
    lower: Bound = -math.inf
    upper: Bound = math.inf
    element_value: float | None = None
    classes: Annotated[tuple[ClassName, ClassName] | None, Field(strict=False)] = None

    @property
    def class_names(self) -> tuple[str, str] | None:
        """What the classes 0 and 1 are called: as they are, unless named; None for a number."""
        return None if self.kind == "number" else self.classes or ("0", "1")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.lower < self.upper:
            raise ValueError(f"lower ({self.lower}) must be below upper ({self.upper})")
        if self.column in {"row_id", "formula"}:
            raise ValueError(f"column must name the target, not {self.column!r}")
        if self.classes is not None and (self.kind != "class" or len({*self.classes}) == 1):
            raise ValueError("classes names the two classes of a target of kind 'class'")
        return self


class Data(Section):
    """Tolerances of the data checks.

    Attributes:
        duplicates: Which label stands for rows of one composition.
        duplicate_tolerance: Largest difference of two labels of one composition, in the target's
            unit.
        maximum_set_aside: Largest share of unusable rows that intake sets aside unasked.
        maximum_rows_removed: Largest share of main's rows that a change removes or relabels.
        maximum_corrections: Most lines that a change adds to `data/corrections.csv`.
        maximum_shift: Largest shift of the quartiles of the labels, in interquartile ranges of
            main's labels.
        maximum_relabel: Largest change of one label, in interquartile ranges of main's labels.
        maximum_scale: Largest factor between the size of new labels and that of main's labels.
        maximum_growth: Largest factor by which the train set grows.
        maximum_element_shift: Largest change of the share of rows that hold an element.
        maximum_correlation: Largest rank correlation (Spearman) of another column with the target.
        maximum_unbalanced: Largest share of rows whose oxidation states do not add up to zero.
    """

    duplicates: Rule = "refuse"
    duplicate_tolerance: Annotated[float, Field(ge=0)] = 0.05
    maximum_set_aside: Annotated[float, Field(ge=0, le=1)] = 0.05
    maximum_rows_removed: Annotated[float, Field(ge=0, le=1)] = 0.05
    maximum_corrections: Annotated[int, Field(ge=0, le=100)] = 100
    maximum_shift: Annotated[float, Field(gt=0)] = 0.5
    maximum_relabel: Annotated[float, Field(gt=0)] = 1.0
    maximum_scale: Annotated[float, Field(gt=1)] = 10.0
    maximum_growth: Annotated[float, Field(ge=1)] = 2.0
    maximum_element_shift: Share = 0.1
    maximum_correlation: Share = 0.99
    maximum_unbalanced: Annotated[float, Field(ge=0, le=1)] = 0.1


class Split(Section):
    """How rows are divided by groups.

    Attributes:
        group: What makes a group: `system` (chemical systems), `composition` (clusters of
            compositions), or the name of a column of the table.
        extent: Largest distance within a cluster of compositions: the sum of the differences of
            the atomic shares.
        sealed_fraction: Share of the groups that `assay init` seals.
        folds: Number of folds for the out-of-fold predictions.
        seed: Seed of the sealed set and of the folds.
    """

    group: Annotated[str, Field(min_length=1, max_length=80)] = "system"
    extent: Share = 0.05
    sealed_fraction: Share = 0.25
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0)] = 0


class Model(Section):
    """Training of the model.

    Attributes:
        seed: Seed that `build_model` gets.
        interval_level: Share of true values that a prediction interval should hold.
        trusted_types: Types beyond the usual ones that the bundle may hold, by their full names.
    """

    seed: Annotated[int, Field(ge=0)] = 0
    interval_level: Share = 0.9
    trusted_types: Annotated[tuple[str, ...], Field(strict=False)] = ()  # TOML has lists only


class GateTable(Gate):
    """When a model passes. The guarantee holds within the bounds of these numbers.

    Attributes:
        evidence: What a verdict rests on: sealed labels, or cross-validation on public rows.
        rows_per_group: Most rows of one group that count as evidence; by default all do.
    """

    evidence: Evidence = "sealed"
    rows_per_group: Annotated[int, Field(ge=1)] | None = None


class Settings(Section):
    """All of `assay.toml`.

    Attributes:
        project: Who the model is.
        target: What the model predicts.
        gate: When a model passes.
        data: Tolerances of the data checks.
        split: How rows are divided by groups.
        model: Training of the model.
        sanity: Effort and tolerances of the sanity properties.
        severity: Failure or warning, by the name of a data rule or a sanity property.
    """

    project: Project
    target: Target
    gate: GateTable
    data: Data = Data()
    split: Split = Split()
    model: Model = Model()
    sanity: Sanity = Sanity()
    severity: Annotated[dict[str, Severity], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _metrics_suit_the_target(self) -> Self:
        known = METRICS_OF[self.target.kind]
        for key in (self.gate.metric, *self.gate.further):
            if key not in {None, *known}:
                raise ValueError(
                    f"gate names the metric {key!r}, but for a {self.target.kind} there are "
                    f"{' and '.join(known)}"
                )
        if {"row_id", "formula", self.target.column} & set(self.slice_columns):
            raise ValueError("a slice is named by a column of its own, not by the target")
        if {"row_id", "formula", self.target.column} & {self.group_column}:
            raise ValueError("split.group names a column of its own, not the target's or formulas'")
        if self.primary_metric in self.gate.further:
            raise ValueError(f"gate.further repeats the metric of the claim, {self.primary_metric}")
        return self

    @property
    def primary_metric(self) -> MetricKey:
        """The metric that a claim is about: `gate.metric`, or the first of the target's kind."""
        return self.gate.metric or METRICS_OF[self.target.kind][0]

    @property
    def public(self) -> bool:
        """Whether public rows decide, so that nothing is sealed."""
        return self.gate.evidence == "public"

    @property
    def slice_columns(self) -> list[str]:
        """Columns that the tables hold beside their own, because a slice is named by them."""
        return sorted({part.column for part in self.gate.slices if part.column})

    @property
    def group_column(self) -> str | None:
        """The column of train set and sealed inputs that holds the groups, if one does."""
        return column_of(self.split.group)

    @property
    def kept_columns(self) -> list[str]:
        """Columns of train set and sealed inputs beside id, formula and target."""
        return sorted({*self.slice_columns, *filter(None, [self.group_column])})

    @property
    def pool_columns(self) -> list[str]:
        """Columns of the pool beside id and formula: clusters are found for it, too."""
        clustered = self.split.group == COMPOSITION
        return self.kept_columns if clustered else self.slice_columns


def read_settings(root: Path) -> Settings:
    """Read `assay.toml` of the repository at `root`.

    Raises:
        UsageError: the file is missing, is not TOML, has an unknown key (the nearest
            known one is named) or a value of the wrong type.
    """
    path = root / FILE_NAME
    try:
        return parse_settings(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{path} does not exist: run the command in a model repository.",
            code="settings.missing",
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{FILE_NAME} is not UTF-8 ({error}): save it as UTF-8.", code="settings.wrong-encoding"
        ) from None


def parse_settings(text: str) -> Settings:
    """Parse the text of an `assay.toml`; raises as `read_settings` does."""
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{FILE_NAME} is not valid TOML: {error}; fix that line.", code="settings.not-toml"
        ) from None
    except RecursionError:
        raise UsageError(
            f"{FILE_NAME} is nested too deeply to be read: take out the brackets that are not "
            "needed.",
            code="settings.too-deep",
        ) from None
    except ValidationError as error:
        raise UsageError(f"{FILE_NAME}: {_sentence(error)}", code="settings.invalid") from None


def with_value(text: str, section: str, key: str, value: str | None) -> str:
    """Set `key` in `[section]` of a TOML text to a TOML value, or take it out with None.

    All other lines and their comments stay. A comment behind the old value goes with it, and the
    value may bring its own (`0.5  # found by init`).
    """
    import tomlkit

    document: Any = tomlkit.parse(text)
    if section not in document:
        if value is None:
            return text
        document.add(tomlkit.nl())
        document.append(section, tomlkit.table())
    table = document[section]
    if value is None:
        table.pop(key, None)
        return tomlkit.dumps(document)
    # by way of `Any`, since an item is typed as a value or a table
    new: Any = tomlkit.parse(f"{key} = {value}\n").item(key)
    comment, space = new.trivia.comment, new.trivia.comment_ws
    table[key] = new
    new.trivia.comment, new.trivia.comment_ws = comment, space
    return tomlkit.dumps(document)


def _sentence(error: ValidationError) -> str:
    # a misspelt key is both unknown and missing: the former tells what to do
    found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    first = found[0]
    key = _key(first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {_nearest(first['loc'])}."
    if first["type"] == "missing":
        return f"key {key!r} is missing; add it."
    if first["type"] == "value_error":
        return f"in [{key}], {first['ctx']['error']}."
    given = repr(first["input"])[:80]
    return f"{key!r} is {given}, but {first['msg'][0].lower()}{first['msg'][1:]}."


def _key(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _nearest(location: tuple[int | str, ...]) -> str:
    section: type[BaseModel] = Settings
    for part in location[:-1]:
        if isinstance(part, str):
            annotation: Any = section.model_fields[part].annotation
            section = next(iter(get_args(annotation)), annotation)  # of a list, one entry
    known = list(section.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {close[0]!r}" if close else f"known keys are {', '.join(known)}"
