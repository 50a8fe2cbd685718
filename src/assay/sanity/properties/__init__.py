"""Properties of any model of compositions: one module a kind, each a test of a sentence."""
