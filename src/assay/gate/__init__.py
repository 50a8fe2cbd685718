"""The rule by which a candidate passes, as pure functions of arrays."""
