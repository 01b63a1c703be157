"""The smallest changes that let a verifier see d2l's arrays and run its models in float64; they compute as before.

Each takes the model that d2l built, and returns it.
"""

from __future__ import annotations

from typing import Any

import numpy


def adopt_mxnet(block: Any) -> Any:
    """A from-scratch Gluon block whose arrays are Parameters, under the names that its attributes had.

    d2l holds such weights as plain arrays, which `collect_params()` does not see. Reading the attribute gives the
    Parameter's data.
    """
    import mxnet as mx

    arrays = {name: value for name, value in vars(block).items() if isinstance(value, mx.np.ndarray)}
    for name, value in arrays.items():
        delattr(block, name)
        parameter = block.params.get(name, shape=value.shape)
        parameter.initialize(init=mx.init.Constant(value))
        block._reg_params[name] = parameter
    for child in block._children.values():
        adopt_mxnet(child)
    if arrays:
        reads = {name: property(lambda self, name=name: self._reg_params[name].data()) for name in arrays}
        block.__class__ = type(type(block).__name__, (type(block),), reads)
    return block


def adopt_torch(module: Any) -> Any:
    """A from-scratch torch module whose own tensors are Parameters, under the names that they had."""
    import torch

    for name, value in list(vars(module).items()):
        if isinstance(value, torch.Tensor):
            delattr(module, name)
            setattr(module, name, torch.nn.Parameter(value.detach()))
    return module


def one_hot_in_dtype(model: Any, like: str) -> Any:
    """A language model whose one-hot vectors have the dtype of its weights; d2l's are always float32.

    In MXNet they also ask for a gradient: without one, MXNet's own recurrent kernels (float64, and float32 without
    oneDNN) leave the gradients of all layers but the last undefined (`rnn_impl.h`: dx is skipped when nobody asks).

    Args:
        like: dotted path of an array of the model whose dtype is taken.
    """
    own = model.one_hot

    def one_hot(tokens: Any) -> Any:
        array = model
        for name in like.split("."):
            array = getattr(array, name)
        array = array.data() if hasattr(array, "list_data") else array
        vectors = own(tokens)
        if not hasattr(vectors, "asnumpy"):
            return vectors.type(array.dtype)
        vectors = vectors.astype(array.dtype)
        vectors.attach_grad()
        return vectors

    model.one_hot = one_hot
    return model


def position_table(num_hiddens: int, max_len: int) -> numpy.ndarray:
    """The table of `PositionalEncoding`, (1, max_len, num_hiddens), float64."""
    angles = numpy.arange(max_len).reshape(-1, 1) / 10000 ** (numpy.arange(0, num_hiddens, 2) / num_hiddens)
    table = numpy.zeros((1, max_len, num_hiddens))
    table[:, :, 0::2], table[:, :, 1::2] = numpy.sin(angles), numpy.cos(angles)
    return table


def exact_positions_mxnet(model: Any) -> Any:
    """A model whose positional encodings read one table that both sides share, rounded to the input's dtype."""
    import mxnet as mx

    def patch(block: Any) -> None:
        if type(block).__name__ == "PositionalEncoding":
            _read_shared_table(block, lambda table, X: mx.np.array(table, dtype=X.dtype))

    model.apply(patch)
    return model


def exact_positions_torch(model: Any) -> Any:
    """A model whose positional encodings read one table that both sides share, rounded to the input's dtype."""
    import torch

    for module in model.modules():
        if type(module).__name__ == "PositionalEncoding":
            _read_shared_table(module, lambda table, X: torch.tensor(table, dtype=X.dtype))
    return model


def _read_shared_table(layer: Any, convert: Any) -> None:
    own, table = layer.forward, position_table(layer.P.shape[2], layer.P.shape[1])

    def forward(X: Any) -> Any:
        layer.P = convert(table, X)
        return own(X)

    layer.forward = forward
