"""Gives the tests the fixtures `predict`, `settings`, `training_rows`, and more, of assay."""

pytest_plugins = ["assay.sanity.plugin"]
