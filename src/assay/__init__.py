"""Assay: a model is tested before it may predict."""

__version__ = "0.2.0"
