"""One side of a pair behind named calls: the service of a worker, and of the same process in a notebook."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from crossfw.checks import require_boolean, require_choice, require_integer
from crossfw.errors import CrossfwError
from crossfw.frameworks.loading import prepare_for_mxnet
from crossfw.ports.portfile import Port, read_port

SIDES = {"mxnet": "crossfw.ports.mxnet.model", "torch": "crossfw.ports.torch.changes"}


class PortService:
    """The methods of a `Side`, after `open` has built it.

    Args:
        framework: "mxnet" or "torch".
        port: the user's functions, or the file that holds them.
    """

    def __init__(self, framework: str, port: Any):
        self.framework, self.source = framework, port
        self.port: Any = None
        self.side: Any = None

    def open(self) -> dict:
        """Read the port, build the model; the settings of the port.

        Raises:
            CrossfwError: the port or its model cannot be had.
        """
        if self.framework == "mxnet":
            prepare_for_mxnet()
        self.port = self.source if isinstance(self.source, Port) else read_port(self.source)
        try:
            module = importlib.import_module(SIDES[self.framework])
        except ImportError as error:
            raise CrossfwError(
                f"the {self.framework} side of {self.port.origin}",
                f"this interpreter cannot import it: {error}",
                f"pip install 'crossfw[{self.framework}]', or name an interpreter that has it: "
                f"--{self.framework}-python",
            ) from error
        self.side = module.Side(self.port)
        dtype, updates = self.port.setting("dtype", None), self.port.setting("updates", None)
        if dtype is not None:
            require_choice("dtype", dtype, ("float64", "float32"))
        if updates is not None:
            require_integer("updates", updates, 1)
        train_mode = self.port.setting("train_mode", True)
        require_boolean("train_mode", train_mode)
        return {
            "sizes": list(self.port.sizes),
            "dtype": dtype,
            "train_mode": train_mode,
            "updates": updates,
            "clips": self.port.of(self.framework, "clip") is not None,
            "has_loss": self.port.of(self.framework, "loss") is not None,
            "has_optimizer": self.port.of(self.framework, "optimizer") is not None,
            "checkpoint": self.checkpoint(),
        }

    def checkpoint(self) -> Any:
        """The path of the side's checkpoint, absolute; None where there is none.

        Raises:
            CrossfwError: there is no such file.
        """
        name = self.port.of(self.framework, "checkpoint")
        if name is None:
            return None
        path = Path(self.port.origin).resolve().parent / name
        if not path.is_file():
            asked = f"the {self.framework} checkpoint {name} of {self.port.origin}"
            raise CrossfwError(asked, f"there is no file {path}", "give its path relative to the port file")
        return str(path)

    def load_checkpoint(self) -> None:
        """Load the side's checkpoint.

        Raises:
            CrossfwError: the framework refuses it.
        """
        path = self.checkpoint()
        remedy = f"save it from this model, with these names and shapes: {path}"
        self.side.call(f"the {self.framework} checkpoint", self.side.load_checkpoint, path, remedy=remedy)

    def renamed(self, names: list) -> Any:
        """What the port's `rename` makes of MXNet's names: a dict by MXNet name; None without one.

        It may speak of an array by its name in the tree of layers or by one that checkpoints have.

        Raises:
            CrossfwError: it is none of the three forms.
        """
        rename = self.port.setting("rename", None)
        if rename is None:
            return None
        others = self.side.other_names()
        if isinstance(rename, dict):
            return {name if name in names else others.get(name, name): new for name, new in rename.items()}
        spellings = {name: [name, *(other for other, own in others.items() if own == name)] for name in names}
        if callable(rename):
            found = {name: self._first_told(rename, spelled) for name, spelled in spellings.items()}
            return {name: new for name, new in found.items() if new is not None}
        try:
            rules = [(re.compile(pattern), replacement) for pattern, replacement in rename]
        except (TypeError, ValueError, re.error) as error:
            asked, remedy = (
                f"rename of {self.port.origin}",
                "give a dict, a list of (pattern, replacement), or a function",
            )
            raise CrossfwError(asked, f"it is no such thing: {error}", remedy) from error
        found = {}
        for name, spelled in spellings.items():
            for pattern, replacement in rules:
                now = [found[name]] if name in found else spelled
                fitting = next((spelling for spelling in now if pattern.search(spelling)), None)
                if fitting is not None:
                    found[name] = pattern.sub(replacement, fitting)
        return found

    def _first_told(self, rename: Any, spelled: list) -> Any:
        """What a user's function says of the first spelling that it knows; the others are not asked about then."""
        told = (self.side.call("rename", rename, spelling) for spelling in spelled)
        return next((new for new in told if new is not None), None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self.__dict__.get("side") is None:
            raise AttributeError(name)
        return getattr(self.side, name)
