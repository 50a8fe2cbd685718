"""The tables keep what `assay.toml` and main's own data promise."""
