"""Integer inputs that are looked up in embeddings, drawn over all rows in one of the draws.

An input qualifies if an Embedding of MXNet's side takes it as it is, and if nothing else there depends on it: with all
rows of all embeddings made equal, other integers must leave MXNet's outputs as they are. A model that also makes a mask
or a length of them fails that, and keeps what its user draws; so does a pair of which one side refuses the integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.matching.match import Mapping
from crossfw.verification.bounds import longest_sum, rounding_bound
from crossfw.verification.comparing import error_of
from crossfw.verification.sides import Pair


def cover_tables(pair: Pair, mapping: Mapping, weights: dict[str, dict[str, np.ndarray]], draw: Any) -> list[str]:
    """Let both sides draw integers over the whole of their tables in a draw; a remark for each input."""
    tables = {p.mxnet.layer: p.slots[0] for p in mapping.pairs if p.mxnet.kind == "embedding" and p.slots}
    if not tables:
        return []
    found: dict[str, int] = {}
    notes = []
    equal_rows = with_equal_rows(weights["mxnet"], [slots.mxnet.name for slots in tables.values()])
    for name, paths in pair.mxnet.call("looked_up", **draw.arguments).items():
        into = [tables[path] for path in dict.fromkeys(paths) if path in tables]
        rows = min((slots.mxnet.shape[0] for slots in into), default=0)
        if rows > 1 and alone_there(pair, equal_rows, draw, {name: rows}):
            found[name] = rows
            names = ", ".join(slots.torch.name for slots in into)
            notes.append(f"{name} is looked up in {names}: with seed {draw.seed} it is drawn over 0 to {rows - 1}")
    pair.both("cover", seed=draw.seed, rows=found)
    return notes


def with_equal_rows(weights: dict[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
    """The weights with the first row of some matrices in the place of all their rows."""
    return {name: np.array(a[:1].repeat(len(a), 0)) if name in names else a for name, a in weights.items()}


def alone_there(pair: Pair, weights: dict[str, np.ndarray], draw: Any, rows: dict[str, int]) -> bool:
    """Whether both sides take integers over all rows, and MXNet's outputs do not depend on them under the weights."""
    units = pair.units["mxnet"]
    limit = rounding_bound(pair.settings["dtype"] or "float64", longest_sum(units), len(units))
    try:
        pair.mxnet.call("load", values=weights)
        pair.both("cover", seed=draw.seed, rows={})
        before = pair.mxnet.call("forward", **draw.arguments, training=False)["outputs"]
        pair.both("cover", seed=draw.seed, rows=rows)
        after = pair.both("forward", **draw.arguments, training=False)["mxnet"]["outputs"]
    except CrossfwError:
        return False
    return before.keys() == after.keys() and all(
        error_of(after[name], value) <= limit for name, value in before.items()
    )
