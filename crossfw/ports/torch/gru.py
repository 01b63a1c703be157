"""A GRU that resets the state before the product with its weights, as from-scratch code has it; torch resets after."""

from __future__ import annotations

from typing import Any, Callable

import torch


def reset_before(module: torch.nn.Module) -> Callable:
    """The forward of a GRU or of a cell of one, with its own weights; one layer, either direction.

    Raises:
        ValueError: the module has several layers.
    """
    if isinstance(module, torch.nn.GRUCell):
        return lambda x, h=None: _step(
            x, torch.zeros(len(x), module.hidden_size).to(x) if h is None else h, *_weights(module, "")
        )
    if not isinstance(module, torch.nn.GRU) or module.num_layers > 1:
        raise ValueError(f"{type(module).__name__} is no GRU of one layer")

    def forward(x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        steps = x.transpose(0, 1) if module.batch_first else x  # (T, N, C)
        outputs, last = [], []
        for number, end in enumerate(("", "_reverse")[: 2 if module.bidirectional else 1]):
            h = steps.new_zeros(steps.shape[1], module.hidden_size) if state is None else state[number]
            made = []
            for step in steps.flip(0) if end else steps:
                h = _step(step, h, *_weights(module, "_l0" + end))
                made.append(h)
            outputs.append(torch.stack(made[::-1] if end else made))
            last.append(h)
        output = torch.cat(outputs, -1)
        return (output.transpose(0, 1) if module.batch_first else output), torch.stack(last)

    return forward


def _weights(module: torch.nn.Module, suffix: str) -> list:
    return [getattr(module, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def _step(x: torch.Tensor, h: torch.Tensor, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> torch.Tensor:
    """One step: x (N, C), h (N, H) -> (N, H)."""
    from_input = torch.nn.functional.linear(x, w_ih, b_ih).chunk(3, 1)
    (w_r, w_z, w_n), (b_r, b_z, b_n) = w_hh.chunk(3), (b_hh.chunk(3) if b_hh is not None else (0.0, 0.0, 0.0))
    r = torch.sigmoid(from_input[0] + h @ w_r.T + b_r)
    z = torch.sigmoid(from_input[1] + h @ w_z.T + b_z)
    return (1 - z) * torch.tanh(from_input[2] + (r * h) @ w_n.T + b_n) + z * h
