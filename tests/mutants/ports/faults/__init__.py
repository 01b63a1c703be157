"""The catalogue of seeded faults, by the stage at which each shows."""

from __future__ import annotations

from tests.mutants.ports.faults import layers, losses, parameters, sequences, training, updates

FAULTS = parameters.FAULTS + layers.FAULTS + sequences.FAULTS + training.FAULTS + losses.FAULTS + updates.FAULTS
