"""Reading a state dict from a file."""

from __future__ import annotations

import pickle
import zipfile

import torch

from crossfw.errors import CrossfwError


def state_dict(path: str) -> dict[str, torch.Tensor]:
    """The state dict in a `.safetensors` file or in one that `torch.save` wrote; nothing else is unpickled.

    Raises:
        CrossfwError: it is no such file.
    """
    if path.endswith(".safetensors"):
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        refusals: tuple = (SafetensorError,)
    else:
        refusals = (pickle.UnpicklingError, EOFError, zipfile.BadZipFile, RuntimeError)
    try:
        state = load_file(path) if path.endswith(".safetensors") else torch.load(path, "cpu", weights_only=True)
    except refusals as error:
        raise no_state_dict(path, f"torch cannot read it as one ({type(error).__name__})") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise no_state_dict(path, f"it holds a {type(state).__name__} of other things than tensors")
    return state


def no_state_dict(path: str, found: str) -> CrossfwError:
    """The error for a file that holds none."""
    remedy = "save one with torch.save(model.state_dict(), path), or as .safetensors"
    return CrossfwError(f"the state dict in {path}", found, remedy)
