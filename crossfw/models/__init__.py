"""The catalogue: which models there are, which implementations each has, and where their code stands.

One folder per model: `spec.py` (equations, canonical parameters), `numpy.py` (the float64 reference with
back-propagation by hand) and four siblings. An implementation is named framework-style: `torch-nn`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

REFERENCE = "numpy"
FRAMEWORKS = ("numpy", "mxnet", "torch")
IMPLEMENTATIONS = ("numpy", "mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn")
MODELS = {"rnn": "crossfw.models.rnn"}


@dataclass(frozen=True)
class Implementation:
    """One way to write a model.

    Attributes:
        name: framework, a hyphen, and the style (`torch-nn`); or `numpy`.
        file: a Python file of the user's own that defines `Model`, and may define `Optimizer`,
            `clip_global_norm` or `Backend`; None for the catalogue's siblings.
    """

    name: str
    file: str | None = None

    @property
    def framework(self) -> str:
        """The part of the name before the hyphen."""
        return self.name.partition("-")[0]


def spec_class(model: str) -> type:
    """The `Spec` of a model; imports no framework."""
    return importlib.import_module(f"{MODELS[model]}.spec").Spec


def reference_class(model: str) -> type:
    """The NumPy `Model` of a model."""
    return importlib.import_module(f"{MODELS[model]}.numpy").Model
