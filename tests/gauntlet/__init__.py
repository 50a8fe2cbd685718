"""Planted pull requests, good and bad, against a generated repository."""
