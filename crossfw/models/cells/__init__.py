"""The cells: one folder each, with the equations of one step and four siblings of it beside the reference.

`spec.py` says how many gates are stacked in the weights and which arrays a state has. In every sibling a cell is a step
from a projected input (W_xh x_t with the biases that do not depend on the state) and a state to the next state; the
library siblings make the framework's own layer and cell. What runs a cell over time, layers and directions is `stack`.
"""

from __future__ import annotations

import importlib
from types import ModuleType

CELLS = ("dense", "rnn", "gru", "lstm")


def cell_spec(cell: str) -> ModuleType:
    """The module of a cell's equations: GATES, STATES, RECURRENT and `folds_biases`."""
    return importlib.import_module(f"crossfw.models.cells.{cell}.spec")
