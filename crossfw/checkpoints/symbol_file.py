"""What the `-symbol.json` beside a checkpoint says of its arrays.

nodes[{op ("null": a variable), name, attrs (texts; older: attr, param), inputs [[node, output, ...], ...]}]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from crossfw.checkpoints.stored import BITS, StoredArray
from crossfw.errors import CrossfwError

BATCH_NORMS = ("BatchNorm", "BatchNorm_v1", "_contrib_SyncBatchNorm")


def fixed_gammas(params: Path) -> set[str]:
    """Names of gammas that stand in a checkpoint `PREFIX-0000.params` but are taken to be 1 by `PREFIX-symbol.json`.

    Empty where no such file lies beside it.

    Raises:
        CrossfwError: the file is no symbol.
    """
    return _second_inputs(params, lambda node: node["op"] in BATCH_NORMS and _fixes(node))


def slopes(params: Path) -> set[str]:
    """Names of the slopes of PReLU, which a symbol calls `NAME_gamma` as it does a norm's scale; as `fixed_gammas`."""
    return _second_inputs(params, lambda node: node["op"] == "LeakyReLU")


def _second_inputs(params: Path, wanted: Callable[[dict], bool]) -> set[str]:
    """Names of what some operators of the symbol beside a checkpoint take as their second input."""
    prefix = re.fullmatch(r"(.*)-\d{4,}\.params", params.name)
    path = params.with_name(f"{prefix[1]}-symbol.json") if prefix else None
    if path is None or not path.is_file():
        return set()
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
        layers = [node for node in nodes if wanted(node) and len(node["inputs"]) > 1]
        return {nodes[node["inputs"][1][0]]["name"] for node in layers}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        found = f"it is no symbol of MXNet: {error!r}"
        raise CrossfwError(f"read {path}", found, "save it again, or move it away from the .params file") from error


def _fixes(node: dict) -> bool:
    attributes = node.get("attrs") or node.get("attr") or node.get("param") or {}
    return attributes.get("fix_gamma", "True") in ("True", "true", "1")  # True is the operator's default


def ones_like(array: StoredArray) -> StoredArray:
    """An array of ones of the same dtype and shape."""
    bits = np.ones(array.shape, "f4").view("u4") >> 16 if array.dtype == "bfloat16" else np.ones(array.shape)
    return replace(array, storage="dense", aux=(), data=lambda: bits.astype(BITS[array.dtype]))
