"""Cells over time, in both directions, in layers; see `spec.py`."""
