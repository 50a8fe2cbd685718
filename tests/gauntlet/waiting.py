"""What is planted and not measured yet: it is in no table until it has been run.

Whoever runs some of it (`python -m gauntlet NAMES --update`, `--checks`) takes it out here.
"""

CASES = frozenset(
    {
        "formula-kilojoules",
        "contradiction-in-eighths",
        "systems-exchanged",
        "pair-exchanged",
        "column-slipped",
        "filled-down",
        "block-sorted",
        "block-copied",
        "case-changed",
        "compound-changed",
        "renumbered",
        "correction-forged",
        "correction-hidden",
        "correction-rewritten",
        "corrections-many",
        "sealed-in-eighths",
        "hydrate-full-stop",
        "all-capitals",
        "drops-gaps",
        "drops-gaps-and-fills-up",
        "cached-by-lower-case",
        "amounts-rounded",
        "amounts-forgotten",
        "drifts-by-date",
        "half-precision",
        "half-precision-within",
        "standardised",
        "doubled",
        "indexed-by-formula",
        "once-a-formula",
        "gaps-in-training",
        "parses-by-itself",
        "cached-by-formula",
        "amounts-rounded-finely",
        "single-precision-within",
        "plain-series",
        "imputed-band-centers",
        "labels-doubled",
        "four-decimals",
        "six-digits",
        "single-precision",
        "exponents",
        "windows-bytes",
        "all-quoted",
        "target-renamed",
        "duplicate-in-eighths",
        "respelt-in-eighths",
    }
)

# checks that were not switched off yet
CHECKS = frozenset({"kept.inputs", "kept.pool"})

# second lines of which no planted case has been run yet
SECOND_LINES = frozenset({"corrections.few"})
