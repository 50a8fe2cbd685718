"""Which rules every run must evaluate, on which tables, and how severe each is.

The names stand here beside the rules that `suites` makes, since those need Great Expectations,
which the trusted half does without; a test holds the two against each other.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from assay.errors import UsageError
from assay.groups import COMPOSITION
from assay.records import Severity
from assay.schema.rules import Rule
from assay.settings import Settings

# What a GX severity is called where a finding is a failure.
_CRITICAL = "critical"
# Properties of the model, by the names of their tests, are weighed by `assay.sanity`.
_PROPERTY = "test_"

RULES = frozenset(
    {
        "columns",
        "corrections.complete",
        "corrections.exact",
        "corrections.few",
        "corrections.kept",
        "corrections.shown",
        "duplicates.agree",
        "files.no_environment",
        "files.no_key",
        "formula.elements",
        "formula.featurizable",
        "formula.missing",
        "formula.oxidation",
        "formula.present",
        "formula.readable",
        "formula.reduced",
        "groups.extent",
        "groups.one",
        "groups.present",
        "history.attributes",
        "history.chemistry",
        "history.copied",
        "history.duplicates",
        "history.elements",
        "history.exchanged",
        "history.formulas",
        "history.groups",
        "history.ids",
        "history.labels",
        "history.new_scale",
        "history.origin",
        "history.packages",
        "history.policy",
        "history.relabelled",
        "history.renamed",
        "history.renumbered",
        "history.rounded",
        "history.rows",
        "history.scale",
        "history.settings",
        "history.size",
        "history.target",
        "history.unit",
        "kept.inputs",
        "kept.key",
        "kept.labels",
        "kept.pool",
        "leakage.column",
        "leakage.composition",
        "leakage.group",
        "leakage.near",
        "leakage.system",
        "machinery.alone",
        "machinery.pinned",
        "row_id.form",
        "row_id.present",
        "row_id.unique",
        "systems.enough",
        "target.bounds",
        "target.class",
        "target.finite",
        "target.number",
        "target.varies",
        "workflows.of_template",
    }
)
_ROWS = (
    *("row_id.present", "row_id.unique", "row_id.form"),
    *("formula.present", "formula.readable", "formula.missing", "formula.featurizable"),
)
_TRAIN = (
    *_ROWS,
    *("formula.reduced", "formula.oxidation", "systems.enough"),
    *("target.number", "target.finite", "target.varies", "duplicates.agree"),
)
# of train set and sealed inputs together, and so of the table that a change is in
LEAKAGE = ("leakage.composition", "leakage.near", "leakage.system", "leakage.group")

_HISTORY = (
    *("history.ids", "history.renumbered", "history.duplicates", "history.formulas"),
    *("history.labels", "history.size"),
)

Demands = dict[str, tuple[str, ...]]


def weighed(rules: Iterable[Rule], severity: Mapping[str, Severity]) -> list[Rule]:
    """The rules with the severities that `assay.toml` gives them, in Data Docs, too."""
    made = [replace(rule, severity=severity.get(rule.name, rule.severity)) for rule in rules]
    for rule in made:
        rule.expectation.severity = "warning" if rule.severity == "warning" else _CRITICAL
    return made


def require_known(severity: Mapping[str, Severity]) -> None:
    """Look for names in `[severity]` that no rule and no property can have.

    Raises:
        UsageError: there is one; the message names the nearest known one.
    """
    for name in severity:
        if name not in RULES and not name.startswith(_PROPERTY):
            close = difflib.get_close_matches(name, RULES, n=1)
            hint = (
                f"did you mean {close[0]!r}" if close else f"rules are {', '.join(sorted(RULES))}"
            )
            raise UsageError(
                f"assay.toml: [severity] names the unknown rule {name!r}; {hint}.",
                code="settings.unknown-rule",
            )


def demanded(settings: Settings) -> Demands:
    """The rules of train set, sealed inputs (if there are any) and pool, by the table's name."""
    train, pool = (*_TRAIN, *_bounds(settings), *_groups(settings)), (*_ROWS, "columns")
    if settings.public:
        return {"train": train, "pool": pool}
    sealed = (*_ROWS, "columns", "systems.enough", *_groups(settings))
    return {"train": (*train, *_leakage(settings)), "sealed_inputs": sealed, "pool": pool}


def demanded_of_changes(settings: Settings, labels: Sequence[float] | np.ndarray) -> Demands:
    """The further rules where the train set is not main's, whose labels (n,) are given."""
    low, high = np.nanquantile(labels, [0.25, 0.75])
    number = settings.target.kind == "number"
    of_numbers = ("history.rounded", "history.unit", "history.exchanged", "history.copied")
    by_number = of_numbers if number else ()
    by_size = ("history.relabelled", "history.scale") if number and low != high else ()
    return {
        "train": (*_HISTORY, *by_number, *by_size, *_group_history(settings)),
        "main": ("history.rows",),
        "elements": ("history.elements", "history.chemistry"),
    }


def _leakage(settings: Settings) -> tuple[str, ...]:
    left = "leakage.group" if settings.group_column is None else "leakage.system"
    return tuple(name for name in LEAKAGE if name != left)


def _groups(settings: Settings) -> tuple[str, ...]:
    if settings.group_column is None:
        return ()
    compact = ("groups.extent",) if settings.split.group == COMPOSITION else ()
    return ("groups.present", "groups.one", *compact)


def _group_history(settings: Settings) -> tuple[str, ...]:
    return () if settings.group_column is None else ("history.groups",)


def _bounds(settings: Settings) -> tuple[str, ...]:
    target = settings.target
    if target.kind == "class":
        return ("target.class",)
    bounded = not (math.isinf(target.lower) and math.isinf(target.upper))
    return ("target.bounds",) if bounded else ()
