"""The model of this repository: yours to change."""
