"""The families: port files, each the same network written twice by hand."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, Callable

import numpy as np

from crossfw.ports.portfile import KNOWN

PORTS = Path(__file__).parent / "ports"
FAMILIES = {path.stem: path for path in sorted(PORTS.glob("[a-z]*.py"))}


def functions_of(name: str) -> dict[str, Any]:
    """What a port file defines, as the arguments of `crossfw.verify` are called."""
    values = runpy.run_path(str(FAMILIES[name]))
    return {what: values[what] for what in KNOWN if what in values}


def reseeded(draw: Callable, seed: int) -> Callable:
    """A function of drawn inputs or targets that draws others for every seed."""
    return lambda rng: draw(np.random.default_rng([seed, int(rng.integers(1 << 30))]))
