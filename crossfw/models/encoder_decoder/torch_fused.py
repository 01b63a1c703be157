"""From scratch in PyTorch, on the fast layers of `fused`."""

from __future__ import annotations

from crossfw.models.encoder_decoder import torch_scratch
from crossfw.models.fused.torch import stack


class Model(torch_scratch.Model):
    """The model of `spec.py`."""

    run = staticmethod(stack.run)
