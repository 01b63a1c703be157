"""What a cell recorded: named arrays, and facts about the run; a pair of files, safetensors and JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that it is there completely or not at all."""
    aside = path.with_name(f"{path.name}.tmp")
    aside.write_bytes(data)
    os.replace(aside, path)


@dataclass(frozen=True)
class Trace:
    """Arrays by "stage/tensor", and JSON-able facts."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def stage(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one stage, by tensor."""
        prefix = f"{name}/"
        return {key[len(prefix) :]: value for key, value in self.arrays.items() if key.startswith(prefix)}

    def save(self, path: Path) -> None:
        """Write `path`.safetensors and then `path`.json; the JSON's presence says that the trace is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.safetensors.tmp")
        save_file({key: np.array(value, order="C") for key, value in self.arrays.items()}, aside)
        os.replace(aside, path.with_name(f"{path.name}.safetensors"))
        write_aside(path.with_name(f"{path.name}.json"), json.dumps(self.facts).encode())

    @classmethod
    def load(cls, path: Path) -> Trace:
        """Read what `save` wrote."""
        facts = json.loads(path.with_name(f"{path.name}.json").read_bytes())
        return cls(load_file(path.with_name(f"{path.name}.safetensors")), facts)
