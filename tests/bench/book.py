"""The recurrent models of "Dive into Deep Learning" as the book writes them, over `d2l.torch` or `d2l.mxnet`.

RNNScratch, the output layer and the training step are d2l's own. GRU and LSTM from scratch, stacked and bidirectional
ones stand in the book's text, not in the package: they are written here after it (10.1 to 10.4), one weight matrix for
each gate and one product for each matrix in every step. The same code runs on both packages.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Callable

GATES = {"rnn": ("h",), "gru": ("r", "z", "h"), "lstm": ("i", "f", "c", "o")}  # in the order of our stacked rows


def scratch(d2l: ModuleType, parameter: Callable, cell: str, inputs: int, sizes: Any) -> Any:
    """The recurrent part from scratch, for a `StackSpec` of one cell; each cell in it is in `cells`."""

    class GRUScratch(d2l.Module):
        """10.2: the reset gate acts before the product."""

        def __init__(self, num_inputs: int, num_hiddens: int):
            super().__init__()
            self.num_hiddens = num_hiddens
            make_weights(self, cell, num_inputs)

        def forward(self, inputs, H=None):
            matmul = d2l.matmul
            H = d2l.zeros((inputs.shape[1], self.num_hiddens)) if H is None else H
            outputs = []
            for X in inputs:
                Z = d2l.sigmoid(matmul(X, self.W_xz) + matmul(H, self.W_hz) + self.b_z)
                R = d2l.sigmoid(matmul(X, self.W_xr) + matmul(H, self.W_hr) + self.b_r)
                H_tilde = d2l.tanh(matmul(X, self.W_xh) + matmul(R * H, self.W_hh) + self.b_h)
                H = Z * H + (1 - Z) * H_tilde
                outputs.append(H)
            return outputs, H

    class LSTMScratch(d2l.Module):
        """10.1."""

        def __init__(self, num_inputs: int, num_hiddens: int):
            super().__init__()
            self.num_hiddens = num_hiddens
            make_weights(self, cell, num_inputs)

        def forward(self, inputs, H_C=None):
            matmul, first = d2l.matmul, (inputs.shape[1], self.num_hiddens)
            H, C = (d2l.zeros(first), d2l.zeros(first)) if H_C is None else H_C
            outputs = []
            for X in inputs:
                In = d2l.sigmoid(matmul(X, self.W_xi) + matmul(H, self.W_hi) + self.b_i)
                Forget = d2l.sigmoid(matmul(X, self.W_xf) + matmul(H, self.W_hf) + self.b_f)
                Out = d2l.sigmoid(matmul(X, self.W_xo) + matmul(H, self.W_ho) + self.b_o)
                C_tilde = d2l.tanh(matmul(X, self.W_xc) + matmul(H, self.W_hc) + self.b_c)
                C = Forget * C + In * C_tilde
                H = Out * d2l.tanh(C)
                outputs.append(H)
            return outputs, (H, C)

    class Stack(d2l.Module):
        """10.3 and 10.4: layers one after the other; a second direction reads each layer's inputs from the end."""

        def __init__(self, num_inputs: int):
            super().__init__()
            self.num_hiddens, self.sigma, self.cells = sizes.width, 0.01, ()
            for place in sizes.all_places:
                made = kind(sizes.width if place.layer else num_inputs, place.hidden_size)
                setattr(self, f"cell{place.suffix}", made)
                self.cells += (made,)

        def forward(self, inputs, state=None):
            for layer in range(sizes.layers):
                ahead, *behind = self.cells[layer * len(sizes.sizes) : (layer + 1) * len(sizes.sizes)]
                outputs, _ = ahead(inputs)
                if behind:
                    from_end, _ = behind[0](d2l.stack(list(reversed(list(inputs))), 0))
                    outputs = [d2l.concat((f, b), -1) for f, b in zip(outputs, reversed(from_end))]
                inputs = d2l.stack(outputs, 0) if layer + 1 < sizes.layers else outputs
            return outputs, None

    def make_weights(module: Any, cell: str, num_inputs: int) -> None:
        for gate in GATES[cell]:
            size = module.num_hiddens
            setattr(module, f"W_x{gate}", parameter(d2l.randn(num_inputs, size) * 0.01))
            setattr(module, f"W_h{gate}", parameter(d2l.randn(size, size) * 0.01))
            setattr(module, f"b_{gate}", parameter(d2l.zeros(size)))

    kind = {"rnn": d2l.RNNScratch, "gru": GRUScratch, "lstm": LSTMScratch}[cell]
    if len(sizes.all_places) > 1:
        return Stack(inputs)
    made = kind(inputs, sizes.hidden_size)
    made.sigma = 0.01
    object.__setattr__(made, "cells", (made,))
    return made


def weights(cell: str, module: Any) -> list[tuple[Any, Any, Any]]:
    """(W_x, W_h, b) of every gate of a cell from scratch, transposed to ours: (D, H), (H, H), (H,)."""
    return [tuple(getattr(module, name + gate) for name in ("W_x", "W_h", "b_")) for gate in GATES[cell]]
