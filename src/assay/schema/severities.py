"""How grave each rule's findings are: by its own default, or by `[severity]` of `assay.toml`."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from assay.errors import UsageError
from assay.records import Severity
from assay.schema.rules import Rule

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
        "history.attributes",
        "history.chemistry",
        "history.duplicates",
        "history.elements",
        "history.exchanged",
        "history.formulas",
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
    }
)


def weighed(rules: Iterable[Rule], severity: Mapping[str, Severity]) -> list[Rule]:
    """The rules with the severities that `assay.toml` gives them, in Data Docs, too."""
    made = [replace(rule, severity=severity.get(rule.name, rule.severity)) for rule in rules]
    for rule in made:
        rule.expectation.severity = "warning" if rule.severity == "warning" else _CRITICAL
    return made


def require_known(severity: Mapping[str, Severity]) -> None:
    """Look for names in `[severity]` that no rule and no property can have.

    Raises:
        UsageError: there is one; the nearest known name is told.
    """
    for name in severity:
        if name not in RULES and not name.startswith(_PROPERTY):
            close = difflib.get_close_matches(name, RULES, n=1)
            hint = (
                f"did you mean {close[0]!r}" if close else f"rules are {', '.join(sorted(RULES))}"
            )
            raise UsageError(f"assay.toml: [severity] names the unknown rule {name!r}; {hint}.")
