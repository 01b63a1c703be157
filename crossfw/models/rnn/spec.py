"""The recurrent network with one hidden layer and a linear output layer: equations, names, shapes.

For steps t = 1 ... T, with the state h_0 given (Elman, "Finding structure in time", 1990, equations as in
D2L chapter 9.4):

    a_t = W_xh x_t + b_h + W_hh h_{t-1}        one recurrent bias, or b_xh + b_hh in place of b_h
    h_t = f(a_t)                               f: tanh, relu, sigmoid or identity
    y_t = W_hq h_t + b_q

Weights are stored as (outputs, inputs), which is how both frameworks' library layers store them, and rows of
a batch are multiplied from the left: x W^T. A language model's x_t is the one-hot vector of a token, so that
W_xh x_t is a column of W_xh. The loss is the mean over all T x N positions of -log softmax(y_t)[target].

Two recurrent biases compute the same function as one, and learn differently: the effective bias b_xh + b_hh
moves twice as far, and the global gradient norm counts it twice. `biases` says which of the two models it is,
and every implementation follows it: a library layer under `biases = 1` keeps its second bias frozen at zero.
"""

from __future__ import annotations

from dataclasses import dataclass

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
INPUTS = ("tokens", "features")


@dataclass(frozen=True)
class Spec:
    """What every implementation of the model needs to know.

    Attributes:
        input_size: V tokens of the vocabulary, or D features of an input vector.
        hidden_size: H units.
        output_size: Q outputs, the classes of the softmax.
        activation: the name of f.
        biases: recurrent biases, 1 (b_h) or 2 (b_xh and b_hh).
        inputs: "tokens", integers (T, N), or "features", reals (T, N, D).
    """

    input_size: int
    hidden_size: int
    output_size: int
    activation: str = "tanh"
    biases: int = 1
    inputs: str = "tokens"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The canonical parameters in canonical order, each with its shape."""
        biases = ("b_h",) if self.biases == 1 else ("b_xh", "b_hh")
        return {
            "W_xh": (self.hidden_size, self.input_size),
            "W_hh": (self.hidden_size, self.hidden_size),
            **dict.fromkeys(biases, (self.hidden_size,)),
            "W_hq": (self.output_size, self.hidden_size),
            "b_q": (self.output_size,),
        }

    def activation_names(self) -> tuple[str, ...]:
        """What `forward` returns besides the last state: hidden (T, N, H) and output (T, N, Q)."""
        return ("hidden", "output")

    def state_shape(self, batch_size: int) -> tuple[int, ...]:
        """Shape (N, H) of the state that one batch hands to the next."""
        return (batch_size, self.hidden_size)

    def longest_sum(self) -> int:
        """Terms of the longest inner product in one step; the bounds on rounding grow with it."""
        return max(self.input_size if self.inputs == "features" else 1, self.hidden_size, self.output_size)

    def flops_per_token(self) -> dict[str, float]:
        """Floating-point operations of the matrix products for one token: in inference and in a training step.

        A token's row of W_xh is looked up, not multiplied. Back-propagation needs two products for each one of
        the forward pass: one for the gradient of the input, one for that of the weights.
        """
        projection = self.input_size * self.hidden_size if self.inputs == "features" else 0
        forward = 2.0 * (projection + self.hidden_size**2 + self.hidden_size * self.output_size)
        return {"infer": forward, "train": 3 * forward}
