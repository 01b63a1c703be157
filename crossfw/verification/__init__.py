"""Verifying a user's own port: a Gluon block against a torch module, from two models to a verdict with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from crossfw.checks import require_choice, require_interpreter
from crossfw.ports.portfile import KNOWN, Port
from crossfw.verification.diagnosis import SECONDS
from crossfw.verification.run import verify_pair
from crossfw.verification.sides import local_sides, worker_sides
from crossfw.verification.verdict import PortVerdict


def verify(block: Any, module: Any, inputs: Any, *, seconds: float = SECONDS, **settings: Any) -> PortVerdict:
    """The verdict on a Gluon block and a torch module, both in this process.

    Args:
        block: a gluon.Block, or a function that gives one. module: a torch.nn.Module, or a function that gives one.
        inputs: a function of a NumPy generator (and of a batch size, if it takes one), or the arrays themselves.
        seconds: that the search for a cause may take.
        settings: as in a port file: targets, mxnet_loss, torch_loss, mxnet_optimizer, torch_optimizer, mxnet_clip,
            torch_clip, rename, dtype, train_mode, updates. Models that are given as objects are trained in place and
            put back as they were.

    Raises:
        CrossfwError: there is no such setting, a model cannot be run, or nothing can be compared.
    """
    for name in settings:
        require_choice("setting", name, KNOWN)
    values = {"mxnet_model": maker(block), "torch_model": maker(module), "inputs": inputs, **settings}
    with local_sides(Port(values, "crossfw.verify(...)")) as pair:
        try:
            return verify_pair(pair, f"{name_of(module)} against {name_of(block)}", seconds=seconds)
        finally:
            pair.restore()


def name_of(model: Any) -> str:
    """What to call a model in a title."""
    return getattr(model, "__name__", None) or type(model).__name__


def maker(model: Any) -> Callable[[], Any]:
    """A function that gives the model: the model's own maker, or one around the object."""
    from types import FunctionType, MethodType

    return model if isinstance(model, (FunctionType, MethodType, type)) else lambda: model


def verify_file(
    path: str | Path,
    pythons: dict[str, str] | None = None,
    threads: int = 1,
    advance: Callable[[str], None] = lambda _: None,
    seconds: float = SECONDS,
) -> PortVerdict:
    """The verdict on a port file, each framework in a process of its own.

    Args:
        pythons: the interpreter of a framework's side, by name; this one where none is given.
        seconds: that the search for a cause may take.

    Raises:
        CrossfwError: the file or a side cannot be used, or nothing can be compared.
    """
    for framework, python in (pythons or {}).items():
        require_interpreter(framework, python)
    with worker_sides(str(path), pythons or {}, threads) as pair:
        return verify_pair(pair, str(path), advance, seconds)
