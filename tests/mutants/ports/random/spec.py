"""What is drawn: the layers of a network in the order in which they run, free of any framework."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# MXNet 1.9.1 has these in float32 only: instance normalization is refused in float64, transposed convolution of three
# dimensions has no code of its own there, and that of two forgets its dilation.
FLOAT32_ONLY = ("instance_norm", "conv_transpose3", "conv_transpose_dilated")


@dataclass(frozen=True)
class Layer:
    """A layer, or a structure of layers.

    Attributes:
        kind: a key of the builders of `mxnet_models.py` and `torch_models.py`.
        settings: what the builders need, and the sizes of what comes in.
        parts: of a structure: its branches.
    """

    kind: str
    settings: dict = field(default_factory=dict)
    parts: tuple[tuple[Layer, ...], ...] = ()

    def names(self) -> set[str]:
        """The kinds of the layer and its parts, as FLOAT32_ONLY has them."""
        found = {self.kind}
        if self.kind == "conv_transpose":
            found.add(f"conv_transpose{self.settings['dimensions']}")
            found |= {"conv_transpose_dilated"} if self.settings["dilation"] > 1 else set()
        return found.union(*(layer.names() for part in self.parts for layer in part))


@dataclass(frozen=True)
class Spec:
    """A network and how it is trained.

    Attributes:
        start: "image", "vector", "sequence" or "words".
        shape: of the input. tokens: how many words there are.
        layers: in the order in which they run.
        mxnet_order, torch_order: seeds of the orders in which each side defines its layers.
        prefix: the beginning of torch's names.
        loss: "l2", "l1", "huber", "cross_entropy", or None for a linear function.
        optimizer: "default", "momentum", "nesterov".
    """

    start: str
    shape: tuple[int, ...]
    tokens: int
    layers: tuple[Layer, ...]
    mxnet_order: int
    torch_order: int
    prefix: str
    loss: str | None
    optimizer: str

    @property
    def dtype(self) -> str | None:
        """float32 where MXNet has one of the layers in no other."""
        names = set().union(*(layer.names() for layer in self.layers))
        return "float32" if names & set(FLOAT32_ONLY) else None

    def inputs(self, rng: np.random.Generator) -> np.ndarray:
        """As a port file's."""
        return rng.integers(0, self.tokens, self.shape) if self.start == "words" else rng.standard_normal(self.shape)


def defined(count: int, seed: int) -> list[int]:
    """The order in which layers are defined that run in the order 0, 1, ...; seed 0 leaves it."""
    return list(range(count)) if seed == 0 else np.random.default_rng(seed).permutation(count).tolist()
