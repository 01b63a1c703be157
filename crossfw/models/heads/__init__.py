"""What stands on top of a stack: one folder each, with equations, shapes and five siblings.

A task names its head by what it is for; several purposes have the same arithmetic and so the same folder.
"""

from __future__ import annotations

import importlib
from types import ModuleType

HEADS = {
    "language model": "sequence",
    "tagger": "sequence",
    "generator": "sequence",
    "classifier": "classifier",
    "context": "context",
}
POOLS = ("last", "mean")


def head_spec(head: str) -> ModuleType:
    """The module of a head's equations: `shapes`, `output_shape` and PER_STEP (an output for every step)."""
    return importlib.import_module(f"crossfw.models.heads.{HEADS[head]}.spec")
