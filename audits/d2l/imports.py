"""`d2l.mxnet` and `d2l.torch` as they are, imported with what each needs.

`d2l.mxnet` wants NumPy semantics (`npx.set_np()`), which are global: its side runs in a process of its own. `d2l.torch`
imports torchvision, of which no build goes with torch for the CPU; its models use nothing of it, so a stand-in is there
while the module is imported. Both draw figures: the Agg backend shows nothing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from types import ModuleType

from crossfw.errors import CrossfwError
from crossfw.frameworks.loading import prepare_for_mxnet

VERSION = "1.0.3"


class StandIn(ModuleType):
    """A module that can be imported, and raises a CrossfwError when anything in it is used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        raise CrossfwError(
            f"{self.__name__}.{name}, from d2l.torch",
            "the audit imports d2l.torch with a stand-in for torchvision",
            "use nothing of d2l.torch that needs torchvision: data sets of images",
        )


@functools.cache
def d2l_mxnet() -> ModuleType:
    """`d2l.mxnet`; turns NumPy semantics on for the whole process.

    Raises:
        CrossfwError: d2l, or something that it imports, is missing.
    """
    _require_d2l()
    prepare_for_mxnet()
    module = _import("d2l.mxnet")
    module.npx.set_np()
    return module


@functools.cache
def d2l_torch() -> ModuleType:
    """`d2l.torch`, imported with a stand-in for torchvision.

    Raises:
        CrossfwError: d2l, or something that it imports, is missing.
    """
    _require_d2l()
    vision = StandIn("torchvision")
    vision.transforms = StandIn("torchvision.transforms")
    names = {"torchvision": vision, "torchvision.transforms": vision.transforms}
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        return _import("d2l.torch")
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _require_d2l() -> None:
    if importlib.util.find_spec("d2l") is None:
        raise missing("d2l")
    found = getattr(importlib.import_module("d2l"), "__version__", "unknown")
    if found != VERSION:
        raise CrossfwError(
            "the D2L audit", f"d2l {found}; the cases were written for {VERSION}", f"pip install d2l=={VERSION}"
        )


def _import(name: str) -> ModuleType:
    try:
        import matplotlib

        matplotlib.use("Agg")
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise missing(error.name or name) from error


def missing(name: str) -> CrossfwError:
    """The error for a module that the audit needs and that is not installed."""
    return CrossfwError(
        "the D2L audit", f"the module {name} is not installed", "pip install 'crossfw[d2l,mxnet,torch]'"
    )
