"""What a repository takes over from a table: its settings, its division, the kind of its model."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from assay.evidence import Evidence
from assay.files import write_text
from assay.groups import COMPOSITION
from assay.intake.bounds import proposed_lower
from assay.intake.division import divided, grouped, unlabelled
from assay.intake.groupings import Prospect, by_cap, recommended, require_decidable
from assay.intake.intake import Intake
from assay.intake.pools import read_pool
from assay.intake.report import require_usable
from assay.repository import Repository
from assay.settings import Settings, parse_settings, with_value
from assay.splits import Parts

# estimators of scikit-learn that there are for numbers and for classes
CLASSIFIERS = ("Bagging", "DecisionTree", "RandomForest", "ExtraTrees", "HistGradientBoosting")


@dataclass(frozen=True)
class SetOptions:
    """What a person may say of the set that is sealed.

    `fraction` of the chemical systems is sealed; None: that of `assay.toml`. `pool` is a person's
    list of unlabelled compositions; None: one is made of the table's chemistry. They are `agreed`
    that more rows are set aside than `assay.toml` allows, and want a seal `anyway` on which the
    gate can decide nothing. `bounded`: the bound that the labels suggest is written down.
    `extent` is that of clusters, `rows_per_group` the most that count. `evidence` is what verdicts
    rest on; None: that of `assay.toml`.
    """

    fraction: float | None = None
    pool: Path | None = None
    agreed: bool = False
    anyway: bool = False
    bounded: bool = True
    extent: float | None = None
    rows_per_group: int | None = None
    evidence: Evidence | None = None

    @property
    def of_a_table(self) -> dict[str, object]:
        """By the option's name, what is said of a table that is not divided yet."""
        return {
            "sealed-fraction": self.fraction,
            "pool": self.pool,
            "extent": self.extent,
            "rows-per-group": self.rows_per_group,
        }


class Adopted(NamedTuple):
    """The text of `assay.toml`, the divided rows, and what was tried to let the gate decide."""

    text: str
    parts: Parts
    tried: Sequence[Prospect]


def adopted(
    repository: Repository,
    text: str,
    found: Intake,
    options: SetOptions,
    hopeful: Callable[[str, Parts], bool] = lambda *_: True,
) -> Adopted:
    """The text of `assay.toml` for a table, and its rows divided as that says.

    Where they cannot be, another division is proposed only if it is `hopeful` by its text and rows.
    """
    require_usable(found, repository, agreed=options.agreed)
    text = configured(text, repository.settings, found, options)
    settings = parse_settings(text)
    known = unlabelled(settings, found)
    pool = None if options.pool is None else read_pool(options.pool, known, found.unusable)
    table = grouped(settings, found)
    tried = [*by_cap(settings, table)]

    def certifies(one: Prospect) -> bool:
        rows = divided(one.settings, found, grouped(one.settings, found), pool)
        return hopeful(with_division(text, one), rows)

    best = recommended(tried)
    capped = [] if settings.public or options.anyway else tried[1:]
    if best in capped:  # with fewer rows of a group there may be a chance where this has none
        best = next(filter(certifies, (one for one in capped if one.decides)), best)
    if best is not None and best.settings.gate.rows_per_group != settings.gate.rows_per_group:
        most = best.settings.gate.rows_per_group
        told = f"{most}  # found by init: with more, a few groups would decide everything"
        text = with_value(text, "gate", "rows_per_group", told)
        settings = parse_settings(text)
    if not options.anyway and (best is None or settings.public):
        require_decidable(settings, found, table, certifies)
    return Adopted(text, divided(settings, found, table, pool), tried)


def configured(text: str, settings: Settings, found: Intake, options: SetOptions) -> str:
    """The text of `assay.toml` with what the table and a person said, undivided yet."""
    text = _configured(text, settings, found)
    if options.bounded:
        text = _bounded(text, found)
    for section, key, value in (
        ("split", "sealed_fraction", options.fraction),
        ("split", "extent", options.extent),
        ("gate", "rows_per_group", options.rows_per_group),
    ):
        if value is not None:
            text = with_value(text, section, key, f"{value}")
    return with_evidence(text, options.evidence)


def with_division(text: str, one: Prospect) -> str:
    """The text of `assay.toml` with another grouping, share of the groups and cap."""
    split, most = one.settings.split, one.settings.gate.rows_per_group
    for section, key, value in (
        ("split", "group", json.dumps(split.group, ensure_ascii=False)),
        ("split", "extent", f"{split.extent}"),
        ("split", "sealed_fraction", f"{split.sealed_fraction}"),
        ("gate", "rows_per_group", None if most is None else f"{most}"),
    ):
        text = with_value(text, section, key, value)
    return text


def by_public_rows(found: Intake, options: SetOptions, way: Prospect) -> tuple[Intake, SetOptions]:
    """The table and the options that say: public evidence, grouped so."""
    split = way.settings.split
    return replace(found, group=split.group), replace(
        options,
        evidence="public",
        extent=split.extent if split.group == COMPOSITION else None,
        rows_per_group=way.settings.gate.rows_per_group,
    )


def with_evidence(text: str, evidence: Evidence | None) -> str:
    """The text of `assay.toml` with what verdicts rest on; sealed evidence needs no key."""
    if evidence is None:
        return text
    told = None if evidence == "sealed" else json.dumps(evidence)
    return with_value(text, "gate", "evidence", told)


def _configured(text: str, settings: Settings, found: Intake) -> str:
    """The text of `assay.toml` with what the table and its reader said."""
    target = settings.target
    values = {
        "column": (target.column, found.target.name),
        "unit": (target.unit, found.unit),
        "kind": (target.kind, found.kind),
        "classes": (target.classes, found.classes),
    }
    other = found.target.name != target.column or found.kind != target.kind
    for bound in ("lower", "upper", "element_value") if other else ():
        text = with_value(text, "target", bound, None)
    for key, (before, after) in values.items():
        if before != after:
            value = None if after is None else json.dumps(after, ensure_ascii=False)
            text = with_value(text, "target", key, value)
    if found.group != settings.split.group:
        text = with_value(text, "split", "group", json.dumps(found.group, ensure_ascii=False))
    if found.duplicates != settings.data.duplicates:
        text = with_value(text, "data", "duplicates", json.dumps(found.duplicates))
    if found.kind == "number" and "duplicate_tolerance" not in settings.data.model_fields_set:
        told = f"{found.tolerance:.3g}  # 5 % of the spread of the labels, found by init"
        text = with_value(text, "data", "duplicate_tolerance", told)
    parse_settings(text)
    return text


def _bounded(text: str, found: Intake) -> str:
    """The text with the bound that the labels suggest, where it has none."""
    lower = proposed_lower(found)
    if lower is None or math.isfinite(parse_settings(text).target.lower):
        return text
    return with_value(text, "target", "lower", f"{lower}  # proposed by init: no label is negative")


@contextmanager
def fitting_model(repository: Repository, *, lasting: bool = True) -> Iterator[str | None]:
    """Make the template's forest one of classes where the target is a class; undone by an error.

    Gives the file that was changed, if it was. It is undone in any case if it is not `lasting`.
    """
    root, settings = repository.root, repository.settings
    path = root / "src" / settings.project.package / "model.py"
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = before
    for name in CLASSIFIERS if settings.target.kind == "class" else ():
        after = re.sub(rf"\b{name}Regressor\b", f"{name}Classifier", after)
    if after == before:
        yield None
        return
    write_text(path, after)
    try:
        yield str(path.relative_to(root))
    except BaseException:
        write_text(path, before)
        raise
    if not lasting:
        write_text(path, before)
