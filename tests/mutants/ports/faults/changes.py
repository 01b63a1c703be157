"""A seeded fault, and the ways to make a faulty port of a true one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from tests.mutants.ports.architecture import Architecture

Change = Callable[[Architecture], Architecture]


@dataclass(frozen=True)
class PortFault:
    """A fault in the PyTorch side of a port.

    Attributes:
        name: what is wrong.
        architecture: the true port it is seeded into.
        stage: the first stage at which it shows.
        causes: names of it, one of which a diagnosis must give; empty if there is none in the list of causes.
        trap: its row in the list of known traps.
        change: makes the faulty port of the true one.
    """

    name: str
    architecture: str
    stage: str
    causes: tuple[str, ...]
    trap: int | None
    change: Change


def edit(*steps: Callable[[nn.Module], None]) -> Change:
    """The torch model, changed in place after it was built."""

    def change(true: Architecture) -> Architecture:
        def torch_model():
            model = true.torch_model()
            for step in steps:
                step(model)
            return model

        return replace(true, torch_model=torch_model)

    return change


def at(path: str, *steps: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
    """Steps for the module of that path."""

    def step(model: nn.Module) -> None:
        for each in steps:
            each(model.get_submodule(path))

    return step


def swap(path: str, build: Callable[[], nn.Module]) -> Change:
    """Another module in the place of one."""
    parent, _, name = path.rpartition(".")
    return edit(lambda model: model.get_submodule(parent).register_module(name, build()))


def setting(path: str, **values) -> Change:
    """Other settings of a module."""
    return edit(at(path, lambda module: vars(module).update(values)))


def methods(path: str, **functions: Callable) -> Change:
    """Other methods of a module: its class is derived from, under its old name."""

    def step(module: nn.Module) -> None:
        module.__class__ = type(type(module).__name__, (type(module),), functions)

    return edit(at(path, step))


def loss(function: Callable) -> Change:
    """Another loss."""
    return lambda true: replace(true, torch_loss=function)


def clip(function: Callable[[nn.Module], None]) -> Change:
    """Another clipping."""
    return lambda true: replace(true, torch_clip=function)


def optimizer(build: Callable) -> Change:
    """Another optimizer, of all parameters that learn."""
    return optimizer_of(lambda model: build([p for p in model.parameters() if p.requires_grad]))


def optimizer_of(build: Callable) -> Change:
    """Another optimizer, of a model."""
    return lambda true: replace(true, torch_optimizer=build)


def rates(**values) -> Change:
    """Other settings of the true optimizer, in all its groups."""

    def change(true: Architecture) -> Architecture:
        def torch_optimizer(model):
            built = true.torch_optimizer(model)
            for group in built.param_groups:
                group.update(values)
            return built

        return replace(true, torch_optimizer=torch_optimizer)

    return change
