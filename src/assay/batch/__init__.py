"""Certified models predict lists of candidates."""
