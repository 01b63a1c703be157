"""Weights: how they start, and how an implementation's own names map to the canonical ones."""
