"""Small ports of the kinds that go wrong in real life, right ones and wrong ones, with what is right to say of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A port with the verdict that is right.

    Attributes:
        mxnet, torch: make the models. inputs: of a generator and a batch size.
        word: "agrees", "differs" or "not compared". stage: the first that differs, where it must be that one.
        causes: names of which one must be given; empty where none has to be. says: part of a note that must stand.
        more: further settings of a port. numpy: whether MXNet's NumPy interface is switched on.
    """

    name: str
    mxnet: Callable[[], Any]
    torch: Callable[[], Any]
    inputs: Callable
    word: str = "agrees"
    stage: str | None = None
    causes: tuple[str, ...] = ()
    says: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    numpy: bool = False


def gluon(forward: Callable, /, **children: Callable[[], Any]) -> Callable[[], Any]:
    """A maker of a HybridBlock whose `hybrid_forward(self, F, ...)` is given; children are made by functions."""

    def make() -> Any:
        from mxnet.gluon import HybridBlock

        class Net(HybridBlock):
            def __init__(self):
                super().__init__()
                for name, child in children.items():
                    setattr(self, name, child())

            def hybrid_forward(self, F, *arrays, **parameters):
                return forward(self, F, *arrays, **parameters)

        return Net()

    return make


def module(forward: Callable, /, **children: Callable[[], Any]) -> Callable[[], Any]:
    """A maker of a module whose `forward(self, ...)` is given."""

    def make() -> Any:
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                for name, child in children.items():
                    setattr(self, name, child())

            def forward(self, *arrays):
                return forward(self, *arrays)

        return Net()

    return make


def normal(*shape: int, times: float = 1.0) -> Callable:
    """Inputs of N(0, times^2), a batch ahead of the shape."""
    return lambda rng, batch_size: times * rng.standard_normal((batch_size, *shape))
