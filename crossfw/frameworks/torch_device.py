"""An NVIDIA card as torch sees it: what it is, and how much of its memory is in use."""

from __future__ import annotations

from typing import Any

import torch


def card(device: str) -> dict[str, Any]:
    """Name, memory and compute capability of a card, and the versions of CUDA and cuDNN; empty for "cpu"."""
    if device == "cpu":
        return {}
    found = torch.cuda.get_device_properties(device)
    return {
        "card": found.name,
        "card_memory_bytes": found.total_memory,
        "compute_capability": f"{found.major}.{found.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


class CardMemory:
    """What torch's allocator has given out on a card, in bytes; the sibling of `memory.ResidentMemory`."""

    def __init__(self, device: str):
        self.device = device

    def now(self) -> int:
        """At this moment."""
        return torch.cuda.memory_allocated(self.device)

    def forget_peak(self) -> None:
        """From here on."""
        torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """The most since `forget_peak`."""
        return torch.cuda.max_memory_allocated(self.device)
