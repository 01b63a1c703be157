"""What a cell recorded: named arrays, and facts about the run; a pair of files, safetensors and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from crossfw.checkpoints.safetensors_file import Tensor, write_safetensors
from crossfw.files import write_aside


@dataclass(frozen=True)
class Trace:
    """Arrays by "stage/tensor", and JSON-able facts."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def stages(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays by stage and tensor."""
        found: dict[str, dict[str, np.ndarray]] = {}
        for key, value in self.arrays.items():
            stage, _, tensor = key.partition("/")
            found.setdefault(stage, {})[tensor] = value
        return found

    def stage(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one stage, by tensor."""
        return self.stages.get(name, {})

    def save(self, path: Path) -> None:
        """Write `path`.safetensors and then `path`.json, whose presence says that the trace is whole.

        It does not wait until the arrays are on the disk: a power cut may cost what was saved a moment before.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = [Tensor(key, a.dtype.name, a.shape, partial(np.asarray, a)) for key, a in self.arrays.items()]
        write_safetensors(path.with_name(f"{path.name}.safetensors"), tensors, {})
        write_aside(path.with_name(f"{path.name}.json"), json.dumps(self.facts).encode())

    @classmethod
    def load(cls, path: Path) -> Trace:
        """Read what `save` wrote.

        Raises:
            OSError: a file is missing. ValueError: a file is not whole.
        """
        facts = json.loads(path.with_name(f"{path.name}.json").read_bytes())
        if not isinstance(facts, dict):
            raise ValueError(f"{path.name}.json holds no facts")
        try:
            return cls(load(path.with_name(f"{path.name}.safetensors").read_bytes()), facts)
        except SafetensorError as error:
            raise ValueError(f"{path.name}.safetensors is not whole: {error}") from error
