"""What a torch module wants to load, learned from a worker: this process imports no framework."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.matching.units import Unit
from crossfw.workers.client import CallFailed, Worker, WorkerError


@dataclass(frozen=True)
class TorchSide:
    """A torch module, described.

    Attributes:
        units: its parametrised layers.
        shapes: name in its state dict -> shape.
        first: name in its state dict -> the first name of the same tensor; another one where weights are tied.
        initial: the tensors that belong to no layer, as they start: counters and other buffers.
        rename: what the user's file says about names; see `matching.match`.
    """

    units: list[Unit]
    shapes: dict[str, tuple[int, ...]]
    first: dict[str, str]
    initial: dict[str, np.ndarray]
    rename: Any


def describe_torch(port: str, names: list[str], python: str | None = None) -> TorchSide:
    """The module that a user's function returns.

    Args:
        port: "FILE.py:FUNCTION".
        names: of the arrays in the `.params` file.
        python: the interpreter that runs it; this one when None.

    Raises:
        CrossfwError: there is no such file or function, it fails, or it returns no module.
    """
    asked = f"--for {port}"
    file, _, function = port.rpartition(":")
    if not file or not function.isidentifier():
        raise CrossfwError(
            asked, "no FILE.py:FUNCTION", "name the function that returns the module: --for net.py:build"
        )
    if not Path(file).is_file():
        raise CrossfwError(asked, f"no file {file}", "name a Python file that exists")
    try:
        with Worker("torch", "crossfw.ports.torch.build:ModuleService", (file,), python) as worker:
            told = worker.call("describe", function=function, names=names)
    except CallFailed as error:
        if error.told:
            raise CrossfwError(*error.told) from error
        raise CrossfwError(asked, f"{error.reason}\n{error.detail}", "report it") from error
    except WorkerError as error:
        raise CrossfwError(asked, f"{error.reason}\n{error.detail}".strip(), "run the function by itself") from error
    except OSError as error:
        raise CrossfwError(asked, f"{python} cannot be started: {error.strerror}", "see --torch-python") from error
    units = [Unit.from_json(plain) for plain in told["units"]]
    shapes = {name: tuple(shape) for name, shape in told["shapes"].items()}
    return TorchSide(units, shapes, told["first"], told["initial"], told["rename"])
