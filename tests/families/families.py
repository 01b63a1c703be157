"""The families: port files, each the same network written twice by hand."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, Callable

import numpy as np

import crossfw
from crossfw.ports.portfile import KNOWN
from crossfw.verification.verdict import PortVerdict

PORTS = Path(__file__).parent / "ports"
FAMILIES = {path.stem: path for path in sorted(PORTS.glob("[a-z]*.py"))}


def functions_of(name: str, seed: int | None = None) -> dict[str, Any]:
    """What a port file defines, as the arguments of `crossfw.verify` are called; with a seed, drawn by it."""
    values = runpy.run_path(str(FAMILIES[name]))
    port = {what: values[what] for what in KNOWN if what in values}
    drawn = () if seed is None else ("inputs", "targets")
    return {**port, **{what: reseeded(port[what], seed) for what in drawn if what in port}}


def verified(port: dict[str, Any], **settings: Any) -> PortVerdict:
    """The verdict on the functions of a port, in this process."""
    port = {**port, **settings}
    return crossfw.verify(port.pop("mxnet_model"), port.pop("torch_model"), port.pop("inputs"), **port)


def reseeded(draw: Callable, seed: int) -> Callable:
    """A function of drawn inputs or targets that draws others for every seed."""
    return lambda rng: draw(np.random.default_rng([seed, int(rng.integers(1 << 30))]))
