"""The catalogue: which models there are, which implementations each has, and where their code stands.

    cells/            one step of a dense, rnn, gru or lstm cell
    stack/            cells over time, in both directions, in layers
    heads/, losses/   what stands on top
    network/          a stack with a head: one kind of model
    encoder_decoder/  two stacks: the other kind
    settings.py       checks that their specs share
    cost.py           the least that a step costs, in operations and bytes
    fused/            fast versions of the stack, with back-propagation by hand: `mxnet-fused`, `torch-fused`

Every folder has a `spec.py` (equations, canonical names and shapes), `numpy.py` (the float64 reference with
back-propagation by hand) and four siblings, which define the same names in the same order. An implementation is named
framework-style: `torch-nn`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

REFERENCE = "numpy"
FRAMEWORKS = ("numpy", "mxnet", "torch")
IMPLEMENTATIONS = ("numpy", "mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn")
FUSED = ("mxnet-fused", "torch-fused")  # run where they are asked for
MODELS = {"network": "crossfw.models.network", "encoder-decoder": "crossfw.models.encoder_decoder"}


def framework_of(name: str) -> str:
    """`torch` of `torch-nn`, also where more follows the name."""
    return name.partition("-")[0]


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
        return framework_of(self.name)


def spec_class(model: str) -> type:
    """The `Spec` of a model; imports no framework."""
    return importlib.import_module(f"{MODELS[model]}.spec").Spec


def reference_class(model: str) -> type:
    """The NumPy `Model` of a model."""
    return importlib.import_module(f"{MODELS[model]}.numpy").Model
