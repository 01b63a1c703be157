"""What the cells' graphs in MXNet are made of, beside its elementary operations, each in its fastest form.

MXNet merges equal expressions of a graph, so that a part or transpose of a weight that every step writes down is
computed once.
"""

from __future__ import annotations

from types import ModuleType

from mxnet import sym


def add(*terms: sym.Symbol) -> sym.Symbol:
    """The sum of terms of one shape, by `add_n`: `+` takes 1.5 times as long."""
    return sym.add_n(*terms)


def activate(F: ModuleType, name: str, a: sym.Symbol) -> sym.Symbol:
    """f(a) by `Activation`, which computes many elements at a time: `tanh` and `sigmoid` take 10 times as long."""
    return a if name == "identity" else F.Activation(a, act_type=name)


def sigmoid(a: sym.Symbol) -> sym.Symbol:
    """1 / (1 + exp(-a))."""
    return activate(sym, "sigmoid", a)


def tanh(a: sym.Symbol) -> sym.Symbol:
    """The hyperbolic tangent."""
    return activate(sym, "tanh", a)


def sigmoid_slope(y: sym.Symbol) -> sym.Symbol:
    """y (1 - y), the derivative of y = sigmoid(a), in one operation."""
    return sym.contrib.quadratic(y, a=-1, b=1, c=0)


def tanh_slope(y: sym.Symbol) -> sym.Symbol:
    """1 - y^2, the derivative of y = tanh(a), in one operation."""
    return sym.contrib.quadratic(y, a=-1, b=0, c=1)


def sigmoid_back(d: sym.Symbol, y: sym.Symbol) -> sym.Symbol:
    """d y (1 - y)."""
    return d * sigmoid_slope(y)


def tanh_back(d: sym.Symbol, y: sym.Symbol) -> sym.Symbol:
    """d (1 - y^2)."""
    return d * tanh_slope(y)


def part(array: sym.Symbol, begin: int, end: int | None, axis: int = -1) -> sym.Symbol:
    """From `begin` to before `end` along one axis; as `split`, which takes 10 times as long."""
    return sym.slice_axis(array, axis=axis, begin=begin, end=end)


def product(x: sym.Symbol, W: sym.Symbol, rows: int, **bias: sym.Symbol) -> sym.Symbol:
    """x W^T [+ bias] for x (..., D) and W (rows, D), by `FullyConnected`: `dot` takes 3 times as long."""
    return sym.FullyConnected(x, W, num_hidden=rows, flatten=False, no_bias=not bias, **bias)


def product_back(d: sym.Symbol, W: sym.Symbol, columns: int) -> sym.Symbol:
    """d W for d (..., G H) and W (G H, columns)."""
    return product(d, sym.transpose(W), columns)


def outer(d: sym.Symbol, h: sym.Symbol, columns: int) -> sym.Symbol:
    """The sum over steps and sequences of d_t h_t^T, as one product, for d (T N, G H) and h (T N, columns)."""
    return product(sym.transpose(d), sym.transpose(h), columns)
