"""What a conversion is to write."""

from __future__ import annotations

from dataclasses import dataclass, field

from crossfw.checkpoints.params import ParamsFile
from crossfw.checkpoints.safetensors_file import Tensor


@dataclass
class Plan:
    """What a `.params` file becomes.

    Attributes:
        source: the file.
        tensors: what is to be written.
        left_out: name in the source -> why it is not written.
        notes: name -> what else a person should know of it.
    """

    source: ParamsFile
    tensors: list[Tensor]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors)
