"""The reference's back-propagation by hand, against central differences and against its own step-by-step form."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.models.rnn.numpy import Model
from crossfw.models.rnn.spec import ACTIVATIONS, Spec
from crossfw.weights.initial import revealing_parameters

STEP = 1e-6
T, N = 4, 3
CASES = [
    (activation, biases, inputs) for activation in ACTIVATIONS for biases in (1, 2) for inputs in ("tokens", "features")
]


def make(activation: str, biases: int, inputs: str) -> tuple[Model, tuple]:
    spec = Spec(5, 4, 6, activation, biases, inputs)
    rng = np.random.default_rng(7)
    model = Model(spec, "float64", "cpu")
    model.parameters.update(revealing_parameters(spec.shapes(), 7))
    x = rng.integers(0, 5, (T, N)) if inputs == "tokens" else rng.normal(size=(T, N, 5))
    return model, (x, rng.integers(0, 6, (T, N)), rng.uniform(0.2, 0.9, (N, 4)))


def loss_of(model: Model, x: np.ndarray, targets: np.ndarray, state: np.ndarray) -> float:
    return float(model.loss(model.forward(x, state)[0]["output"], targets))


def central_difference(array: np.ndarray, loss) -> np.ndarray:
    """d loss / d array, element by element."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = loss()
        array[index] = kept - STEP
        below = loss()
        array[index] = kept
        gradient[index] = (above - below) / (2 * STEP)
    return gradient


@pytest.mark.parametrize(("activation", "biases", "inputs"), CASES)
def test_backward_is_the_central_difference(activation, biases, inputs):
    model, (x, targets, state) = make(activation, biases, inputs)
    loss, gradients, d_state, _ = model.backward(x, targets, state)
    assert loss == loss_of(model, x, targets, state)
    tensors = {**model.parameters, "initial state": state}
    for name, array in tensors.items():
        expected = central_difference(array, lambda: loss_of(model, x, targets, state))
        found = d_state if name == "initial state" else gradients[name]
        # truncation is of order STEP^2, cancellation of order eps / STEP
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=name)
        assert np.abs(found).max() > 1e-4, f"{name}: a gradient of zero would prove nothing"


@pytest.mark.parametrize(("activation", "biases", "inputs"), CASES)
def test_the_cell_in_a_loop_is_the_layer(activation, biases, inputs):
    model, (x, _, state) = make(activation, biases, inputs)
    activations, last = model.forward(x, state)
    for t in range(T):
        output, state = model.step(x[t], state)
        np.testing.assert_allclose(output, activations["output"][t], rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(state, last)


def test_gradient_of_one_step_by_hand():
    """One linear step with one unit: y = w (u x + v h), dL/dw etc. written out."""
    spec = Spec(1, 1, 2, "identity", 1, "features")
    model = Model(spec, "float64", "cpu")
    values = {"W_xh": [[0.5]], "W_hh": [[0.25]], "b_h": [0.0], "W_hq": [[1.0], [-1.0]], "b_q": [0.0, 0.0]}
    model.parameters.update({name: np.array(value) for name, value in values.items()})
    _, gradients, d_state, last = model.backward(np.array([[[2.0]]]), np.array([[0]]), np.array([[4.0]]))
    h = 0.5 * 2 + 0.25 * 4
    p = 1 / (1 + np.exp(-2 * h))  # softmax of (h, -h)
    d_h = (p - 1) - (1 - p)
    np.testing.assert_allclose(last, [[h]])
    np.testing.assert_allclose(gradients["W_hq"], [[(p - 1) * h], [(1 - p) * h]])
    np.testing.assert_allclose(gradients["W_xh"], [[d_h * 2]])
    np.testing.assert_allclose(gradients["W_hh"], [[d_h * 4]])
    np.testing.assert_allclose(d_state, [[d_h * 0.25]])
