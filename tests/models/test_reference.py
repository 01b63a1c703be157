"""The reference's back-propagation by hand, against central differences and against its own step-by-step form."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.models import reference_class, spec_class
from crossfw.models.dropout import masks
from crossfw.models.initial import revealing_parameters
from tests.models.cases import CASES, make

STEP = 1e-6


def made(case: str) -> tuple:
    """The reference with revealing parameters, a batch with dropout masks, a state."""
    kind, spec, batch = make(case)
    rng = np.random.default_rng(7)
    model = reference_class(kind)(spec, "float64", "cpu")
    model.parameters.update(revealing_parameters(spec.shapes(), 7))
    shapes = spec.state_shapes(batch["inputs"].shape[1])
    state = {name: rng.uniform(0.2, 0.9, shape) for name, shape in shapes.items()}
    drawn = {name: value.astype(np.float64) for name, value in masks(spec, batch, rng).items()}
    return model, {**batch, **drawn}, state


def loss_of(model, batch: dict, state: dict) -> float:
    return float(model.loss(model.forward(batch, state)[0]["output"], batch))


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


@pytest.mark.parametrize("case", CASES)
def test_backward_is_the_central_difference(case):
    model, batch, state = made(case)
    loss, gradients, d_state, *_ = model.backward(batch, state)
    assert loss == loss_of(model, batch, state)
    # truncation is of order STEP^2, cancellation of order loss eps / STEP
    tolerance = 1e-9 * max(1.0, float(loss))
    found = {**gradients, **{f"initial {name}": value for name, value in d_state.items()}}
    tensors = {**model.parameters, **{f"initial {name}": value for name, value in state.items()}}
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        expected = central_difference(array, lambda: loss_of(model, batch, state))
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=tolerance, err_msg=name)
        assert np.abs(expected).max() > 1e-4, f"{name}: a gradient of zero would prove nothing"


@pytest.mark.parametrize("case", CASES)
def test_back_propagation_through_time_gate_by_gate_and_step_by_step(case, monkeypatch):
    """The gradient of every gate's sum at every step, by a small push on that sum alone."""
    from crossfw.models.stack import numpy as stack

    model, batch, state = made(case)
    d_projected = model.backward(batch, state).d_projected
    pushes = {suffix: np.zeros_like(value) for suffix, value in d_projected.items()}
    real = stack.project
    monkeypatch.setattr(stack, "project", lambda place, p, x: real(place, p, x) + pushes[place.prefix + place.suffix])
    spec = model.spec
    stacks = [spec.stack] if hasattr(spec, "stack") else [spec.encoder, spec.decoder]
    for place in (place for each in stacks for place in each.all_places):
        where = place.prefix + place.suffix
        expected = central_difference(pushes[where], lambda: loss_of(model, batch, state))
        gates = getattr(place.spec, "GATE_NAMES", ("a",))
        found = d_projected[where].reshape(*expected.shape[:2], len(gates), -1)
        expected = expected.reshape(found.shape)
        for number, gate in enumerate(gates):
            for t in range(len(expected)):
                message = f"gate {gate}, step {t}, cell {where or 'first'}"
                ours, theirs = found[t, :, number], expected[t, :, number]
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8, err_msg=message)
        assert np.abs(expected).max() > 1e-5


@pytest.mark.parametrize("case", [name for name in CASES if make(name)[1].steppable])
def test_the_cell_in_a_loop_is_the_layer(case):
    model, batch, state = made(case)
    batch = {name: value for name, value in batch.items() if "keep_" not in name}
    activations, last = model.forward(batch, state)
    for t, inputs in enumerate(batch["inputs"]):
        output, state = model.step(inputs, state)
        np.testing.assert_allclose(output, activations["output"][t], rtol=1e-14, atol=1e-15)
    for name, value in last.items():
        np.testing.assert_allclose(state[name], value, rtol=1e-14)


def test_gradient_of_one_step_by_hand():
    """One linear step with one unit: y = w (u x + v h), dL/dw etc. written out."""
    spec = spec_class("network")(1, 1, 2, "identity", 1, "features")
    model = reference_class("network")(spec, "float64", "cpu")
    values = {"W_xh": [[0.5]], "W_hh": [[0.25]], "b_h": [0.0], "W_hq": [[1.0], [-1.0]], "b_q": [0.0, 0.0]}
    model.parameters.update({name: np.array(value) for name, value in values.items()})
    batch = {"inputs": np.array([[[2.0]]]), "targets": np.array([[0]])}
    _, gradients, d_state, last, *_ = model.backward(batch, {"h": np.array([[4.0]])})
    h = 0.5 * 2 + 0.25 * 4
    p = 1 / (1 + np.exp(-2 * h))  # softmax of (h, -h)
    d_h = (p - 1) - (1 - p)
    np.testing.assert_allclose(last["h"], [[h]])
    np.testing.assert_allclose(gradients["W_hq"], [[(p - 1) * h], [(1 - p) * h]])
    np.testing.assert_allclose(gradients["W_xh"], [[d_h * 2]])
    np.testing.assert_allclose(gradients["W_hh"], [[d_h * 4]])
    np.testing.assert_allclose(d_state["h"], [[d_h * 0.25]])


def test_a_padded_sequence_gives_what_it_gives_alone():
    """Masked steps change nothing: states, hidden states, loss and gradients are those of the shorter sequence."""
    kind, spec, batch = make("tagger, mask, two layers")
    model = reference_class(kind)(spec, "float64", "cpu")
    model.parameters.update(revealing_parameters(spec.shapes(), 7))
    length, column = 2, slice(2, 3)
    assert batch["mask"][:, 2].sum() == length
    one = {name: np.ascontiguousarray(value[:, column]) for name, value in batch.items()}
    short = {name: value[:length] for name, value in one.items()}
    del short["mask"]
    padded = model.backward(one, model.initial_state(1))
    alone = model.backward(short, model.initial_state(1))
    np.testing.assert_allclose(padded.loss, alone.loss, rtol=1e-14)
    for what in ("gradients", "d_state", "last"):
        ours, theirs = getattr(padded, what), getattr(alone, what)
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-16, err_msg=name)
