"""From an implementation's name, or a user's file, to its code. The framework is imported here, not before."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

import numpy as np

from crossfw.frameworks import cuda11
from crossfw.models import MODELS, Implementation

NUMPY_ALIASES = {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}


def supply_numpy_aliases() -> None:
    """Give NumPy 1.24 to 1.26 the aliases of Python types back that MXNet 1.9 reads while it is imported."""
    for name, kind in NUMPY_ALIASES.items():
        if name not in vars(np):
            setattr(np, name, kind)


def prepare_for_mxnet() -> None:
    """What comes before MXNet is imported: NumPy's old aliases, and CUDA 11 where this MXNet is the one for it.

    Raises:
        ImportError: MXNet is the one for CUDA, and a library or the driver is missing.
    """
    supply_numpy_aliases()
    cuda11.preload()


def _load_file(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("crossfw_user_implementation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Parts:
    """The classes that make up an implementation: `Model`, `Optimizer`, `Backend` and `clip_global_norm`.

    A user's file defines `Model` and whatever else it wants to be its own; for the rest stands the
    from-scratch code of its framework.
    """

    def __init__(self, implementation: Implementation, model: str):
        framework = implementation.framework
        if framework == "mxnet":
            prepare_for_mxnet()
        backend = importlib.import_module(f"crossfw.frameworks.{framework}")
        style = implementation.name.replace("-", "_")
        if implementation.file is None:
            module = importlib.import_module(f"{MODELS[model]}.{style}")
        else:
            module = _load_file(implementation.file)
            style = framework if framework == "numpy" else f"{framework}_scratch"
        style = style.replace("_fused", "_scratch")
        optimizers = importlib.import_module(f"crossfw.optimizers.{style}")
        self.Model: Any = module.Model
        self.Optimizer: Any = getattr(module, "Optimizer", optimizers.Optimizer)
        self.clip_global_norm: Any = getattr(module, "clip_global_norm", optimizers.clip_global_norm)
        self.Backend: Any = getattr(module, "Backend", backend.Backend)
