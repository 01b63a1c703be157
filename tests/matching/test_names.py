"""Units from names and shapes alone, in every way in which MXNet names arrays."""

from __future__ import annotations

import pytest

from crossfw.checkpoints.names import recurrent_paths, units_from_names
from crossfw.matching.units import Slot, Unit


def described(shapes: dict, torch: tuple = ()) -> list[tuple]:
    units = units_from_names(shapes, torch)
    return [(unit.path, unit.kind, [slot.role for slot in unit.slots]) for unit in units]


def lstm(prefix: str, separator: str = "_") -> dict:
    rows = {"i2h_weight": (12, 5), "h2h_weight": (12, 3), "i2h_bias": (12,), "h2h_bias": (12,)}
    return {f"{prefix}{separator}{name}".lstrip("_."): shape for name, shape in rows.items()}


CELL = ["W_ih", "W_hh", "b_ih", "b_hh"]
BATCH = ["gamma", "beta", "running_mean", "running_var"]
NAMES = {
    "structural": ({"0.weight": (3, 4), "0.bias": (3,)}, [("0", "dense", ["weight", "bias"])]),
    "nested": ({"features.1.gamma": (3,), "features.1.beta": (3,)}, [("features.1", "layer_norm", ["gamma", "beta"])]),
    "full": (
        {"resnetv10_stage1_conv0_weight": (8, 4, 3, 3)},
        [("resnetv10_stage1_conv0", "conv", ["weight"])],
    ),
    "a symbol's batch norm, auxiliary states last": (
        {"bn0_gamma": (3,), "fc_weight": (2, 3), "fc_bias": (2,), "bn0_beta": (3,)}
        | {"bn0_moving_mean": (3,), "bn0_moving_var": (3,)},
        [("bn0", "batch_norm", BATCH), ("fc", "dense", ["weight", "bias"])],
    ),
    "without a path": ({"weight": (3, 4), "bias": (3,)}, [("", "dense", ["weight", "bias"])]),
    "prelu": ({"2.alpha": (1,)}, [("2", "prelu", ["alpha"])]),
    "cell": (lstm("0", "."), [("0", "lstm", CELL)]),
    "cell called like a direction": (lstm("r0"), [("l0_reverse", "lstm", CELL)]),
    "full recurrent": (
        lstm("model_lstm0_l0") | lstm("model_lstm0_r0"),
        [("model_lstm0.l0", "lstm", CELL), ("model_lstm0.l0_reverse", "lstm", CELL)],
    ),
    "recurrent of old versions": (
        lstm("1.l0") | lstm("1.l1"),
        [("1.l0", "lstm", CELL), ("1.l1", "lstm", CELL)],
    ),
    "structural recurrent with dropout between": (
        lstm("1._unfused.0", ".") | lstm("1._unfused.2", "."),
        [("1.l0", "lstm", CELL), ("1.l1", "lstm", CELL)],
    ),
    "structural bidirectional": (
        lstm("1._unfused.0.l_cell", ".") | lstm("1._unfused.0.r_cell", "."),
        [("1.l0", "lstm", CELL), ("1.l0_reverse", "lstm", CELL)],
    ),
    "gru": ({"g_i2h_weight": (6, 5), "g_h2h_weight": (6, 2)}, [("g", "gru", ["W_ih", "W_hh"])]),
    "rnn": ({"g_i2h_weight": (2, 5), "g_h2h_weight": (2, 2)}, [("g", "rnn", ["W_ih", "W_hh"])]),
    "with a projection": (
        {"g_i2h_weight": (12, 5), "g_h2h_weight": (12, 2), "g_h2r_weight": (2, 3)},
        [("g", "lstm", ["W_ih", "W_hh", "W_hr"])],
    ),
    "no cell known": (
        {"g_i2h_weight": (10, 5), "g_h2h_weight": (10, 2)},
        [("g_i2h_weight", "raw", ["g_i2h_weight"]), ("g_h2h_weight", "raw", ["g_h2h_weight"])],
    ),
    "own arrays": (
        {"cell.W_xh": (3, 4), "0.weight": (3,)},
        [("cell.W_xh", "raw", ["W_xh"]), ("0.weight", "raw", ["weight"])],
    ),
    "an embedding by its name": ({"embedding0_weight": (9, 4)}, [("embedding0", "embedding", ["weight"])]),
    "a flat network that torch lacks": ({"0.rnn_param": (99,)}, [("0.rnn_param", "raw", ["rnn_param"])]),
}


@pytest.mark.parametrize("case", NAMES)
def test_names(case):
    shapes, wanted = NAMES[case]
    assert described(shapes) == wanted


def layer(kind: str, **shapes: tuple) -> Unit:
    return Unit(kind, kind, tuple(Slot(role, f"{kind}.{role}", shape) for role, shape in shapes.items()))


HINTS = {
    "embedding": ({"0.weight": (9, 4)}, layer("embedding", weight=(9, 4))),
    "dense": ({"0.weight": (9, 4)}, layer("dense", weight=(9, 4))),
    "conv_transpose": (
        {"0.weight": (4, 8, 2, 2), "0.bias": (8,)},
        layer("conv_transpose", weight=(4, 8, 2, 2), bias=(8,)),
    ),
    "group_norm": ({"0.gamma": (4,), "0.beta": (4,)}, layer("group_norm", gamma=(4,), beta=(4,))),
    "instance_norm": ({"0.gamma": (4,), "0.beta": (4,)}, layer("instance_norm", gamma=(4,), beta=(4,))),
}


@pytest.mark.parametrize("kind", HINTS)
def test_the_torch_model_decides_what_names_leave_open(kind):
    shapes, hint = HINTS[kind]
    assert described(shapes, (layer("dense", weight=(1, 1)), hint))[0][1] == kind


def test_what_torch_has_twice_is_left_open():
    torch = (layer("dense", weight=(9, 4)), layer("embedding", weight=(9, 4)))
    found = described({"0.weight": (9, 4), "1.weight": (9, 4)}, torch)
    assert [kind for _, kind, _ in found] == ["raw", "raw"]
    found = described({"embedding.weight": (9, 4), "output.weight": (9, 4)}, torch)
    assert [kind for _, kind, _ in found] == ["embedding", "dense"]


def test_both_names_of_one_role_are_kept():
    units = units_from_names({"bn_running_mean": (3,), "bn_moving_mean": (3,)}, ())
    assert sorted(slot.name for unit in units for slot in unit.slots) == ["bn_moving_mean", "bn_running_mean"]


def test_paths_that_would_become_one_stay():
    assert recurrent_paths(["0.l0", "0_l0"]) == {}
