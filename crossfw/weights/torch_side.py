"""What a torch module wants to load, learned from a process of its own: this one imports no framework."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossfw.backends.client import PACKAGE
from crossfw.backends.frames import read_frame, write_frame
from crossfw.checks import nearest
from crossfw.errors import CrossfwError
from crossfw.weights.units import Unit

TIME_LIMIT = 600.0
BOOTSTRAP = """
import importlib.util, sys
if sys.path and sys.path[0] == "": del sys.path[0]
spec = importlib.util.spec_from_file_location("crossfw", sys.argv[1] + "/__init__.py",
                                              submodule_search_locations=[sys.argv[1]])
sys.modules["crossfw"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["crossfw"])
from crossfw.weights.torch_module import main
main()
"""


@dataclass(frozen=True)
class TorchSide:
    """A torch module, described.

    Attributes:
        units: its parametrised layers.
        shapes: name in its state dict -> shape.
        first: name -> the first name of the same tensor; another one where weights are tied.
        initial: the tensors that belong to no layer, as they start: counters and other buffers.
        rename: what the user's file says about names; see `matching.match`.
    """

    units: list[Unit]
    shapes: dict[str, tuple[int, ...]]
    first: dict[str, str]
    initial: dict[str, np.ndarray]
    rename: Any


def describe_port(port: str, names: list[str], python: str | None = None) -> TorchSide:
    """The module that a user's function returns.

    Args:
        port: "FILE.py:FUNCTION".
        names: of the arrays in the `.params` file.
        python: the interpreter that runs it; this one when None.

    Raises:
        CrossfwError: there is no such file or function, it fails, or returns no module.
    """
    asked = f"--for {port}"
    file, colon, function = port.rpartition(":")
    if not colon or not function.isidentifier():
        raise CrossfwError(asked, "no FILE.py:FUNCTION", "name the function that returns the module: --for net.py:build")
    if not Path(file).is_file():
        raise CrossfwError(asked, f"no file {file}", "name a Python file that exists")
    reply = _call(asked, python or sys.executable, {"file": file, "function": function, "names": names})
    if "error" in reply:
        raise CrossfwError(asked, f"it failed with {reply['error']}\n{reply['traceback'].strip()}", f"mend {file}")
    result = reply["result"]
    if "functions" in result:
        found = f"no function {function!r} in {file}{nearest(function, result['functions'])}"
        raise CrossfwError(asked, found, "name the function that returns the module")
    if "returned" in result:
        raise CrossfwError(asked, f"it returned a {result['returned']}", "let it return a torch.nn.Module")
    units = [Unit.from_json(plain) for plain in result["units"]]
    shapes = {name: tuple(shape) for name, shape in result["shapes"].items()}
    return TorchSide(units, shapes, result["first"], result["initial"], result["rename"])


def _call(asked: str, python: str, call: dict[str, Any]) -> dict[str, Any]:
    request = io.BytesIO()
    write_frame(request, call)
    try:
        done = subprocess.run(
            [python, "-c", BOOTSTRAP, str(PACKAGE)],
            input=request.getvalue(),
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except OSError as error:
        raise CrossfwError(asked, f"{python} cannot be started: {error.strerror}", "see --torch-python") from error
    except subprocess.TimeoutExpired as error:
        found = f"no answer for {TIME_LIMIT:g} s"
        raise CrossfwError(asked, found, "let the function only build the module") from error
    try:
        return read_frame(io.BytesIO(done.stdout))
    except (EOFError, ValueError) as error:
        last = done.stderr.decode(errors="replace").strip()[-2000:]
        found = f"its process exited with code {done.returncode}\n{last}"
        raise CrossfwError(asked, found, "run the function in Python by itself") from error
