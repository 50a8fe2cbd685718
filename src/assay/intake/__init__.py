"""Intake: any table of measurements that people have, read whole, with one report of its faults."""
