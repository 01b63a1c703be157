"""Calls of torch's functions in a user's code: where they stand, and what they do instead under a supposed difference.

A site is a place in the code (file, line, and instruction, because a line may hold several calls); a call that a
library layer makes has the layer's path instead.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

import torch
from torch.overrides import TorchFunctionMode

from crossfw.ports.torch.functions import (
    PARAMETERS,
    PLAIN,
    family,
    given,
    is_plain,
)
from crossfw.ports.torch.operations import operation

TORCH, HERE = str(Path(torch.__file__).parent), str(Path(__file__).parent.parent)
PRODUCTS = ("matmul", "mm", "linear")


class Sites(TorchFunctionMode):
    """Within it calls are listed, and edited.

    Args:
        where: gives the innermost module that runs, as (path, whether it is the library's).
        edits: by site.
        parameters: the model's arrays by name.
    """

    def __init__(self, where: Callable[[], tuple], edits: list[dict], parameters: dict):
        super().__init__()
        self.where, self.parameters = where, parameters
        self.edits: dict[str, list[dict]] = {}
        for edit in edits:
            self.edits.setdefault(edit["site"], []).append(edit)
        self.found: dict[str, dict] = {}
        self.listing = True
        self.products: dict[int, tuple] = {}  # what made a tensor: for the edits of a reset gate
        self.kept: list = []

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if family(name) not in PARAMETERS and name not in PLAIN:
            return func(*args, **kwargs)
        path, library = self.where()
        file, line, instruction = user_frame()
        site = f"{path}:{name}" if library or not file else f"{file}:{line}:{instruction}:{name}"
        if self.listing:
            self._list(site, path, "" if library else file, line, name, args, kwargs)
        result = func
        for edit in self.edits.get(site, ()):
            if edit.get("path", path) == path:
                result = self.edited(edit, result, name)
        made = result(*args, **kwargs)
        if isinstance(made, torch.Tensor):
            self.products[id(made)] = (name, func, args, kwargs)
            self.kept.append(made)
        return made

    def _list(self, site: str, path: str, file: str, line: int, name: str, args: tuple, kwargs: dict) -> None:
        if site in self.found:
            self.found[site]["count"] += 1
            return
        names = PARAMETERS.get(family(name), ())
        given = {**dict(zip(names, args)), **kwargs}
        settings = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items() if is_plain(v)}
        scalars = [[i, float(v)] for i, v in enumerate(args) if isinstance(v, (int, float)) and not isinstance(v, bool)]
        shapes = [list(v.shape) for v in args if isinstance(v, torch.Tensor)]
        self.found[site] = {
            "site": site,
            "path": path,
            "file": file,
            "line": line,
            "name": name,
            "settings": settings,
            "scalars": scalars,
            "shapes": shapes,
            "count": 1,
            "parameter": bool(args) and isinstance(args[0], torch.nn.Parameter),
        }

    def edited(self, edit: dict, func: Callable, name: str) -> Callable:
        """The function that stands there instead."""
        kind = edit["edit"]
        if kind == "instead":
            return lambda x, *_, **__: operation(edit["operation"], self.parameters)(x)
        if kind == "after":
            return lambda *a, **k: operation(edit["operation"], self.parameters)(func(*a, **k))
        if kind == "before":
            return lambda x, *a, **k: func(operation(edit["operation"], self.parameters)(x), *a, **k)
        if kind == "set":
            return lambda *a, **k: func(*given(name, a, k, edit["values"])[0], **given(name, a, k, edit["values"])[1])
        if kind == "scalar":
            at, value = edit["at"], edit["value"]
            return lambda *a, **k: func(*a[:at], value, *a[at + 1 :], **k)
        if kind == "function":
            return lambda *a, **k: getattr(torch.nn.functional, edit["name"])(*a, **{**k, **edit.get("more", {})})
        if kind == "swapped":
            return lambda a, b, *more, **k: func(b, a, *more, **k)
        if kind == "reset before":
            return lambda *a, **k: self.reset_before(func, a, k)
        if kind == "reset after":
            return lambda *a, **k: self.reset_after(func, a, k)
        raise KeyError(kind)

    def reset_before(self, func: Callable, args: tuple, kwargs: dict) -> Any:
        """r * (h W + b) as (r * h) W + b."""
        for one, other in (args[:2], args[1::-1]):
            tail = []
            name, product, inner, more = self.products.get(id(other), ("", None, (), {}))
            while name == "add" and isinstance(inner[0], torch.Tensor) and id(inner[0]) in self.products:
                tail.append(inner[1])
                name, product, inner, more = self.products[id(inner[0])]
            if name in PRODUCTS:
                made = product(one * inner[0], *inner[1:], **more)
                return sum(tail, made)
        return func(*args, **kwargs)

    def reset_after(self, func: Callable, args: tuple, kwargs: dict) -> Any:
        """(r * h) W + b as r * (h W + b), at the product or at the sum; the gate is what a sigmoid made."""
        name, product, inner, more = self.products.get(id(args[0]), ("", None, (), {}))
        others = []
        if name == "add" and self.products.get(id(inner[1]), ("",))[0] in PRODUCTS:  # (x + (r * h) W) + b
            others, (name, product, inner, more) = [inner[0]], self.products[id(inner[1])]
        if name in PRODUCTS:
            reset, state = self.gate_and_state(inner[0])
            if reset is None:
                return func(*args, **kwargs)
            return sum(others, reset * func(product(state, *inner[1:], **more), *args[1:]))
        reset, state = self.gate_and_state(args[0])
        return func(*args, **kwargs) if reset is None else reset * func(state, *args[1:], **kwargs)

    def gate_and_state(self, array: Any) -> tuple:
        """The factors of a product, if one of them is a gate."""
        name, _, inner, _ = self.products.get(id(array), ("", None, (), {}))
        if name != "mul" or not all(isinstance(a, torch.Tensor) for a in inner[:2]):
            return None, None
        first, second = inner[:2]
        return (second, first) if self.products.get(id(second), ("",))[0] == "sigmoid" else (first, second)


def user_frame() -> tuple[str, int, int]:
    """(file, line, instruction) of the innermost frame outside torch and this package."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((TORCH, HERE, "<")):
            return Path(file).name, frame.f_lineno, frame.f_lasti
        frame = frame.f_back
    return "", 0, 0
