"""The acceptance protocol of the gate: `make bench-gate`."""
