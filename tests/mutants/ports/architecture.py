"""An architecture: the functions of a port file as one value, so that a fault can replace some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Architecture:
    """A pair of models and what is needed to compare them; each function is as in a port file."""

    name: str
    mxnet_model: Callable[[], Any]
    torch_model: Callable[[], Any]
    inputs: Callable[..., Any]
    targets: Callable[..., Any] | None = None
    mxnet_loss: Callable[..., Any] | None = None
    torch_loss: Callable[..., Any] | None = None
    mxnet_optimizer: Callable[[Any], Any] | None = None
    torch_optimizer: Callable[[Any], Any] | None = None
    mxnet_clip: Callable[[Any], None] | None = None
    torch_clip: Callable[[Any], None] | None = None
    dtype: str | None = None

    @classmethod
    def of(cls, port: ModuleType) -> Architecture:
        """What a port file says; its name is the file's."""
        functions = {field.name: getattr(port, field.name, None) for field in fields(cls)}
        return cls(**{**functions, "name": port.__name__.rpartition(".")[2]})

    def settings(self) -> dict[str, Any]:
        """The optional functions that it has, as keyword arguments of `crossfw.verify`."""
        optional = [field.name for field in fields(self)][4:]
        return {name: getattr(self, name) for name in optional if getattr(self, name) is not None}
