"""What a user's torch module wants to load: the service behind `crossfw convert --for FILE.py:FUNCTION`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import numpy as np

from crossfw.checks import nearest
from crossfw.errors import CrossfwError
from crossfw.ports.portfile import run_file
from crossfw.ports.user_errors import call_user


class ModuleService:
    """Builds the module once and describes it.

    Args:
        file: the user's Python file.
    """

    def __init__(self, file: str):
        self.file = file

    def describe(self, function: str, names: list) -> dict:
        """The module's units and state dict.

        Args:
            function: of the file; returns the module.
            names: of the arrays in the `.params` file, for a `rename` that is a function.

        Returns:
            `units`; `shapes` and `first` (the first name of the same tensor) by name in the state dict; `initial`, the
            tensors that are no weights; and `rename`, a dict, a list of rules or None.

        Raises:
            CrossfwError: no torch, no such function, it fails, or it returns something else.
        """
        try:
            import torch
        except ImportError as error:
            remedy = "pip install 'crossfw[torch]', or name an interpreter that has it: --torch-python"
            raise CrossfwError(f"the module of {self.file}", f"no torch here: {error}", remedy) from error
        user = vars(run_file(self.file))
        asked = f"{function}() of {self.file}"
        if not callable(user.get(function)):
            known = [name for name, value in user.items() if callable(value)]
            raise CrossfwError(asked, f"no such function{nearest(function, known)}", "name one that returns the module")
        found = _described_without_values(user[function])
        if found is None:
            module = call_user(self.file, f"{function}()", user[function])
            if not isinstance(module, torch.nn.Module):
                raise CrossfwError(asked, f"it returned a {type(module).__name__}", "let it return a torch.nn.Module")
            found = _described(module)
        return {**found, "rename": self._rename(user.get("rename"), names)}

    def _rename(self, rename: Any, names: list) -> Any:
        if callable(rename):
            told = {name: call_user(self.file, "rename", rename, name) for name in names}
            return {name: other for name, other in told.items() if other is not None}
        if rename is None or isinstance(rename, dict):
            return rename
        try:
            return [(getattr(pattern, "pattern", pattern), replacement) for pattern, replacement in rename]
        except (TypeError, ValueError) as error:
            remedy = "give a dict, a list of (pattern, replacement), or a function"
            raise CrossfwError(f"rename of {self.file}", f"it is no such thing: {error}", remedy) from error


def _described_without_values(build: Callable) -> dict | None:
    """The same of a module whose tensors have no values, and take no memory.

    None where the values of some are needed, or where the function does not work so; what it raises, it will raise
    again.
    """
    import torch

    try:
        with torch.device("meta"):
            module = build()
        found = _described(module)
    except Exception:
        return None
    return None if found["initial"] else found


def _described(module: Any) -> dict:
    """Units, shapes, first names and the tensors that are no weights: buffers, counters."""
    from crossfw.ports.torch.units import Names, units_of

    state, by_id = module.state_dict(keep_vars=True), Names(module).by_id
    first = {name: by_id.get(id(tensor), name) for name, tensor in state.items()}
    stored = [
        replace(unit, slots=tuple(slot for slot in unit.slots if slot.name in first.values()))
        for unit in units_of(module, {})
    ]
    units = [unit for unit in stored if unit.slots]
    covered = {s.name for unit in units for s in unit.slots if not (unit.kind == "raw" and s.constant)}
    return {
        "units": [unit.to_json() for unit in units],
        "shapes": {name: list(tensor.shape) for name, tensor in state.items()},
        "first": first,
        "initial": {name: _array(tensor) for name, tensor in state.items() if first[name] not in covered},
    }


def _array(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    half = tensor.is_floating_point() and tensor.element_size() < 4  # NumPy has no bfloat16; widening is exact
    return (tensor.float() if half else tensor).numpy()
