"""What people have of Module: a symbol and a checkpoint, as a block.

`model/net` stands for `model/net-symbol.json` and the newest `model/net-0003.params` beside it. The variables that the
checkpoint does not hold are the inputs, but for labels of loss operators, on which no output depends.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet import gluon

from crossfw.checkpoints.params import plain_names, read_params
from crossfw.errors import CrossfwError
from crossfw.ports.mxnet.graph import graph_of, label_names, symbol_without_labels

PARAMETER = r"(weight|bias|gamma|beta|alpha|parameters|mean|var)$"


def checkpoint_of(prefix: str, folder: Path) -> tuple[Path, Path]:
    """The symbol and the newest checkpoint of a prefix, relative to a folder.

    Raises:
        CrossfwError: one of them is not there.
    """
    path = folder / prefix
    symbol = path.with_name(f"{path.name}-symbol.json")
    if not symbol.is_file():
        found = f"there is no file {symbol}"
        raise CrossfwError(f"the model {prefix}", found, "give the prefix of PREFIX-symbol.json and PREFIX-0003.params")
    pattern = re.compile(re.escape(path.name) + r"-(\d{4,})\.params")
    files = [(int(found[1]), file) for file in symbol.parent.iterdir() if (found := pattern.fullmatch(file.name))]
    if not files:
        found = f"there is no {path.name}-0000.params (or of another epoch) beside {symbol}"
        raise CrossfwError(f"the model {prefix}", found, "put the checkpoint there, or name it with mxnet_checkpoint")
    return symbol, max(files)[1]


def block_of(symbol: mx.sym.Symbol, params: Path | None, given: list[str]) -> gluon.SymbolBlock:
    """A symbol as a block.

    Args:
        params: its checkpoint. given: names of the inputs, where they have names.

    Raises:
        CrossfwError: neither the checkpoint nor the names tell which variables are inputs.
    """
    arguments, labels = symbol.list_arguments(), label_names(graph_of(symbol))
    held = set(plain_names(read_params(params)).values()) if params is not None else set()
    named = [name for name in arguments if name in given]
    inputs = named or [name for name in arguments if name not in held and name not in labels]
    if params is None and not named:
        inputs = [name for name in inputs if name == "data" or not re.search(PARAMETER, name)]
    if not inputs:
        found = f"no variable of the symbol is an input: {', '.join(arguments[:8])}"
        remedy = "let inputs(rng) return a dict with the names of the symbol's inputs, or name its checkpoint"
        raise CrossfwError("the inputs of a symbol", found, remedy)
    return gluon.SymbolBlock(symbol_without_labels(symbol, inputs), [mx.sym.Variable(name) for name in inputs])


def input_names(drawn: Any) -> list[str]:
    """The names of inputs, where they are drawn as a dict."""
    return list(drawn) if isinstance(drawn, dict) else []
