"""Assay: a model is tested before it may predict."""

__version__ = "0.1.0"
