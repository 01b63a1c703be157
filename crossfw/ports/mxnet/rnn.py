"""MXNet's fused RNN operator with relu, unrolled: its own float64 form rounds the states to float32.

The flat array of parameters holds the weights of all layers and directions, then all biases, each first of the input,
then of the state (src/operator/rnn-inl.h).
"""

from __future__ import annotations

from typing import Any

import mxnet as mx

from crossfw.ports.mxnet.invoke import Invocation


def relu_network(call: Invocation) -> list:
    """[output (T, N, D H)], and the last states (L D, N, H) where they are asked for."""
    data, flat, state = call.inputs
    hidden, layers = int(call.attribute("state_size", 0)), int(call.attribute("num_layers", 1))
    directions = 2 if call.attribute("bidirectional", False) else 1
    concat = (lambda arrays, axis: mx.np.concatenate(arrays, axis)) if call.numpy else _concat
    cut = _weights(flat, data.shape[2], hidden, layers, directions)
    last = []
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            number = layer * directions + direction
            steps = [data[t] for t in range(data.shape[0])]
            made, h = _steps(steps[::-1] if direction else steps, state[number], *cut[number], hidden)
            outputs.append(_stack(made[::-1] if direction else made, call.numpy))
            last.append(h)
        data = concat(outputs, 2) if directions > 1 else outputs[0]
    return [data, _stack(last, call.numpy)] if call.attribute("state_outputs", False) else [data]


def _steps(steps: list, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, hidden: int) -> tuple[list, Any]:
    """h_t = relu(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh) of every step, and the last."""
    made = []
    for x in steps:
        from_input = mx.nd.dot(_plain(x), w_ih.T) + b_ih.expand_dims(0).broadcast_like(_plain(h))
        h = mx.nd.relu(from_input + mx.nd.dot(_plain(h), w_hh.T) + b_hh.expand_dims(0).broadcast_like(_plain(h)))
        made.append(h)
    return made, h


def _plain(array: Any) -> Any:
    return array.as_nd_ndarray() if isinstance(array, mx.np.ndarray) else array


def _concat(arrays: list, axis: int) -> Any:
    return mx.nd.concat(*arrays, dim=axis)


def _stack(arrays: list, numpy: bool) -> Any:
    made = mx.nd.stack(*arrays, axis=0)
    return made.as_np_ndarray() if numpy else made


def _weights(flat: Any, width: int, hidden: int, layers: int, directions: int) -> list[tuple]:
    """(W_ih, W_hh, b_ih, b_hh) of every direction of every layer."""
    flat, at, matrices, found = _plain(flat), 0, [], []
    for layer in range(layers):
        inputs = width if layer == 0 else hidden * directions
        for _ in range(directions):
            pair = []
            for columns in (inputs, hidden):
                pair.append(
                    mx.nd.slice_axis(flat, axis=0, begin=at, end=at + hidden * columns).reshape((hidden, columns))
                )
                at += hidden * columns
            matrices.append(pair)
    for pair in matrices:
        biases = [mx.nd.slice_axis(flat, axis=0, begin=at + i * hidden, end=at + (i + 1) * hidden) for i in range(2)]
        at += 2 * hidden
        found.append((*pair, *biases))
    return found
