"""The sealed set: its labels and keys, its end, and the one after it."""
