"""Matching of units: each rule on models of a few handmade units, and properties over random ones."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfw.errors import CrossfwError
from crossfw.matching.match import constant_faults, coverage_faults, match
from crossfw.matching.units import Slot, Unit


def unit(path, kind, order=None, fixed=(), settings=None, **shapes):
    slots = tuple(Slot(role, f"{path}.{role}", shape, learns=role not in fixed) for role, shape in shapes.items())
    return Unit(path, kind, slots, settings or {}, order, path)


def dense(path, out, inputs, order=None, bias=True):
    return unit(path, "dense", order, weight=(out, inputs), **({"bias": (out,)} if bias else {}))


def conv(path, out, inputs, window=3, order=None):
    return unit(path, "conv", order, weight=(out, inputs, window, window), bias=(out,))


def norm(path, width, order=None, kind="batch_norm", fixed=(), drop=(), **settings):
    roles = ["gamma", "beta"] + (["running_mean", "running_var"] if kind == "batch_norm" else [])
    fixed = (*fixed, "running_mean", "running_var")
    return unit(path, kind, order, fixed, settings, **{role: (width,) for role in roles if role not in drop})


def recurrent(path, kind, size, inputs, order=None):
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    shapes = {"W_ih": (gates * size, inputs), "W_hh": (gates * size, size), "b_ih": (gates * size,)}
    return unit(path, kind, order, **shapes, b_hh=(gates * size,))


def partners(mapping):
    return {slots.mxnet.name: slots.torch.name for slots in mapping.slot_pairs()}


def paths(mapping):
    return {pair.mxnet.path: pair.torch.path for pair in mapping.pairs}


def arrays(units, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    sizes = {}
    for each in units:
        for slot in each.slots:
            end = slot.offset + int(np.prod(slot.shape)) * slot.repeat
            sizes[slot.name] = max(sizes.get(slot.name, 0), end)
    return {name: rng.standard_normal(size).astype(dtype) for name, size in sizes.items()}


def test_only_candidates_of_every_kind():
    def model(prefix, first):
        return [
            unit(f"{prefix}a", "embedding", first, weight=(20, 8)),
            recurrent(f"{prefix}b.l0", "lstm", 4, 8, first + 1),
            recurrent(f"{prefix}b.l0_reverse", "gru", 4, 8, first + 2),
            recurrent(f"{prefix}b.l1", "rnn", 4, 8, first + 3),
            norm(f"{prefix}c", 4, first + 4),
            norm(f"{prefix}d", 4, first + 5, "layer_norm"),
            norm(f"{prefix}e", 2, first + 6, "group_norm"),
            norm(f"{prefix}f", 4, first + 7, "instance_norm"),
            unit(f"{prefix}g", "prelu", first + 8, alpha=(1,)),
            conv(f"{prefix}h", 4, 3, 3, first + 9),
            unit(f"{prefix}i", "conv_transpose", first + 10, weight=(3, 4, 3), bias=(4,)),
            dense(f"{prefix}j", 5, 4, first + 11),
        ]

    left, right = model("x", 0), model("y", 3)
    found = match(left, right[::-1])
    assert not found.faults
    assert not found.ambiguous
    assert paths(found) == {a.path: b.path for a, b in zip(left, right)}
    assert {pair.evidence for pair in found.pairs} == {"only candidate"}
    assert len(found.table()) == sum(len(each.slots) for each in left)


def test_equal_layers_go_by_order_of_execution():
    left = [dense("a", 4, 4, 2), dense("b", 4, 4, 0), dense("c", 4, 4, 1)]
    right = [dense("x", 4, 4, 7), dense("y", 4, 4, 8), dense("z", 4, 4, 9)]
    found = match(left, right)
    assert paths(found) == {"b": "x", "c": "y", "a": "z"}
    assert {pair.evidence for pair in found.pairs} == {"order of execution"}
    assert not found.faults


def test_order_against_names_is_ambiguous():
    left = [dense("key", 4, 4, 0), dense("query", 4, 4, 1), dense("value", 4, 4, 2)]
    right = [dense("query_proj", 4, 4, 0), dense("key_proj", 4, 4, 1), dense("value_proj", 4, 4, 2)]
    found = match(left, right)
    assert paths(found) == {"key": "query_proj", "query": "key_proj", "value": "value_proj"}
    (doubt,) = found.ambiguous
    assert "names disagree" in str(doubt)
    assert {pair.evidence for pair in found.settled().pairs} == {"trial"}
    assert not found.settled().ambiguous


def test_never_run_layers_go_by_name():
    names = ["encoder.query", "encoder.key", "decoder.query", "decoder.key"]
    left = [dense(name, 4, 4) for name in names]
    right = [dense("net." + name.replace("encoder", "enc"), 4, 4) for name in reversed(names)]
    found = match(left, right)
    assert paths(found) == {name: "net." + name.replace("encoder", "enc") for name in names}
    assert {pair.evidence for pair in found.pairs} == {"name"}
    assert not found.ambiguous
    assert not found.faults


def test_counts_start_anywhere():
    left = [conv(f"resnetv10_stage1_conv{index}", 4, 4) for index in (0, 1, 2, 10)]
    right = [conv(f"layer1.{index}.conv{number}", 4, 4) for index in (0, 1) for number in (1, 2)]
    found = match(left, right[::-1])
    assert paths(found) == {a.path: b.path for a, b in zip(left, right)}


def test_nothing_tells_them_apart():
    found = match([dense("a", 4, 4), dense("b", 4, 4)], [dense("x", 4, 4), dense("y", 4, 4)])
    (doubt,) = found.ambiguous
    assert "neither" in doubt.reason


def test_a_layer_too_many_is_the_one_without_partner():
    sizes = [4, 4, 6, 4, 4]
    left = [dense(f"m{index}", size, 4, index) for index, size in enumerate(sizes)]
    right = [dense(f"t{index}", size, 4, index) for index, size in enumerate(sizes)]
    for missing in range(5):
        found = match(left, right[:missing] + right[missing + 1 :])
        (fault,) = found.faults
        assert f"dense m{missing} of MXNet has no partner in torch: m{missing}" in fault
        assert bool(found.ambiguous) == (missing != 2)
        assert len(found.pairs) == 4
        assert all(slots.mxnet.shape == slots.torch.shape for slots in found.slot_pairs())


FAULTS = {
    "missing bias": (
        [dense("fc1", 10, 4, 0)],
        [dense("fc1", 10, 4, 0, bias=False)],
        ["dense fc1: MXNet has a bias of shape (10,), torch has none"],
    ),
    "bias too many": (
        [dense("a", 10, 4, 0, bias=False), dense("b", 10, 4, 1)],
        [dense("x", 10, 4, 0), dense("y", 10, 4, 1)],
        ["dense a (torch: x): torch has a bias of shape (10,), MXNet has none"],
    ),
    "other window": (
        [conv("features.0", 16, 3, 3, 0), dense("f", 2, 3, 1)],
        [conv("features.0", 16, 3, 5, 0), dense("f", 2, 3, 1)],
        ["conv features.0: MXNet's weight is (16, 3, 3, 3), torch's (16, 3, 5, 5)"],
    ),
    "other norm": (
        [dense("a", 3, 3, 0), norm("n", 3, 1, "layer_norm"), dense("b", 4, 3, 2)],
        [dense("a", 3, 3, 0), norm("n", 3, 1), dense("b", 4, 3, 2)],
        [
            "layer_norm n: a layer_norm in MXNet, a batch_norm in torch",
            "layer_norm n: torch has a running_mean of shape (3,), MXNet has none",
            "layer_norm n: torch has a running_var of shape (3,), MXNet has none",
        ],
    ),
    "other cell": (
        [recurrent("r", "gru", 2, 3, 0)],
        [recurrent("r", "lstm", 2, 3, 0)],
        ["gru r: a gru in MXNet, a lstm in torch", "gru r: MXNet's W_ih is (6, 3), torch's (8, 3)"],
    ),
    "fixed gamma": (
        [norm("n", 3, 0, fixed=("gamma",), fix_gamma=True)],
        [norm("n", 3, 0)],
        ["batch_norm n: MXNet's gamma is fixed at 1, torch's n.gamma learns"],
    ),
    "frozen in torch": (
        [dense("a", 2, 3)],
        [unit("a", "dense", fixed=("weight",), weight=(2, 3), bias=(2,))],
        ["dense a: MXNet's weight learns, torch's a.weight does not"],
    ),
    "no statistics": (
        [norm("n", 3)],
        [norm("n", 3, drop=("running_mean", "running_var"))],
        [
            "batch_norm n: MXNet has a running_mean of shape (3,), torch has none",
            "batch_norm n: MXNet has a running_var of shape (3,), torch has none",
        ],
    ),
    "learning norm without partner": (
        [norm("n", 3, kind="instance_norm")],
        [],
        ["instance_norm n of MXNet has no partner in torch: n.gamma (3,), n.beta (3,)"],
    ),
    "constants only": ([norm("n", 3, kind="instance_norm", fixed=("gamma", "beta"))], [], []),
    "not affine": ([norm("n", 3, fixed=("gamma", "beta"))], [norm("n", 3, drop=("gamma", "beta"))], []),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case):
    left, right, faults = FAULTS[case]
    found = match(left, right)
    assert set(faults) <= set(found.faults)
    assert case == "other cell" or list(found.faults) == faults


def tied(path, order=None):
    return [
        unit(f"{path}encoder", "embedding", order, weight=(9, 4)),
        Unit(f"{path}decoder", "dense", (Slot("weight", f"{path}encoder.weight", (9, 4)),), {}, order, path),
    ]


def test_ties_on_both_sides_agree():
    found = match(tied("a"), tied("b"))
    assert not found.faults
    assert len(found.pairs) == 2


def test_ties_on_one_side():
    apart = [unit("encoder", "embedding", weight=(9, 4)), dense("decoder", 9, 4, bias=False)]
    assert match(tied(""), apart).faults == (
        "encoder.weight and decoder.weight are one array in MXNet and two in torch",
    )
    assert match(apart, tied("")).faults == (
        "encoder.weight and decoder.weight are one array in torch and two in MXNet",
    )


def test_a_tied_layer_that_the_other_side_writes_as_a_function():
    left = tied("")
    left[1] = replace(left[1], slots=(*left[1].slots, Slot("bias", "decoder.bias", (9,))))
    right = [unit("emb", "embedding", weight=(9, 4)), unit("", "raw", b=(9,))]
    found = match(left, right)
    assert not found.faults
    assert partners(found) == {"encoder.weight": "emb.weight", "decoder.bias": ".b"}


def scratch():
    return [unit("", "raw", 0, W_xh=(7, 5), W_hh=(5, 5), b_h=(5,), W_hq=(5, 7), b_q=(7,))]


def test_a_scratch_model_in_one_class():
    right = [
        unit("rnn.l0", "rnn", 0, W_ih=(5, 7), W_hh=(5, 5), b_ih=(5,)),
        dense("linear", 7, 5, 1),
    ]
    found = match(scratch(), right)
    assert not found.faults
    assert partners(found) == {
        ".W_xh": "rnn.l0.W_ih",
        ".W_hh": "rnn.l0.W_hh",
        ".b_h": "rnn.l0.b_ih",
        ".W_hq": "linear.weight",
        ".b_q": "linear.bias",
    }
    assert [slots.transposed for slots in found.slot_pairs() if len(slots.mxnet.shape) == 2] == [True] * 3
    back = match(right, scratch())
    assert partners(back) == {value: key for key, value in partners(found).items()}


def test_weights_travel_either_way_and_keep_the_targets_dtype():
    left = scratch()
    right = [unit("rnn.l0", "rnn", 0, W_ih=(5, 7), W_hh=(5, 5), b_ih=(5,)), dense("linear", 7, 5, 1)]
    found = match(left, right)
    source, target = arrays(left, 1, "float64"), arrays(right, 2, "float64")
    there = found.to_torch(source, target)
    np.testing.assert_array_equal(there["rnn.l0.W_ih"].reshape(5, 7), source[".W_xh"].reshape(7, 5).T)
    np.testing.assert_array_equal(there["linear.bias"], source[".b_q"])
    back = found.to_mxnet(there, {name: np.zeros_like(value) for name, value in source.items()})
    for name, value in source.items():
        np.testing.assert_array_equal(back[name], value)
    assert found.to_torch(source, arrays(right, 2, "float32"))["rnn.l0.W_hh"].dtype == np.float32


def test_parts_of_arrays_travel():
    left = [dense(name, 4, 4, index) for index, name in enumerate(("query", "key", "value"))]
    right = [
        Unit(
            f"attention.{name}",
            "dense",
            (Slot("weight", "in_proj_weight", (4, 4), 16 * index), Slot("bias", "in_proj_bias", (4,), 4 * index)),
            {},
            index,
        )
        for index, name in enumerate(("query", "key", "value"))
    ]
    found = match(left, right)
    assert not found.faults
    assert not found.ambiguous
    source = arrays(left)
    there = found.to_torch(source, arrays(right, 1))
    whole = np.concatenate([source[f"{name}.weight"] for name in ("query", "key", "value")])
    np.testing.assert_array_equal(there["in_proj_weight"], whole)
    hole = [replace(each, slots=each.slots[:1]) if each.path.endswith("key") else each for each in right]
    assert coverage_faults(hole, "torch") == ["in_proj_bias of torch is not covered by its units, each number once"]
    assert not coverage_faults(right, "torch", {"in_proj_weight": 48, "in_proj_bias": 12})
    assert coverage_faults(right, "torch", {"in_proj_weight": 64, "x": 1}) == [
        "in_proj_weight of torch is not covered by its units, each number once",
        "x of torch belongs to no unit",
    ]


def test_a_norm_per_group_travels():
    left = [norm("n", 2, kind="group_norm")]
    right = [replace(left[0], slots=tuple(replace(slot, repeat=3) for slot in left[0].slots))]
    found = match(left, right)
    source = arrays(left)
    there = found.to_torch(source, arrays(right, 1))
    np.testing.assert_array_equal(there["n.gamma"], np.repeat(source["n.gamma"], 3))
    np.testing.assert_array_equal(found.to_mxnet(there, arrays(left, 2))["n.gamma"], source["n.gamma"])


def test_a_fixed_gamma_travels_as_ones():
    left = [norm("n", 3, fixed=("gamma",), fix_gamma=True)]
    found = match(left, [norm("n", 3)])
    there = found.to_torch(arrays(left), arrays(left, 1))
    np.testing.assert_array_equal(there["n.gamma"], np.ones(3))


def test_constants_without_partner_are_ones_and_zeros():
    left = [norm("n", 3, kind="instance_norm", fixed=("gamma", "beta")), norm("m", 3, fixed=("gamma",), fix_gamma=True)]
    right = [norm("m", 3, drop=("gamma",))]
    found = match(left, right)
    assert not found.faults
    values = arrays(left) | {"n.gamma": np.ones(3), "n.beta": np.zeros(3)}
    assert not constant_faults(found, values, arrays(right))
    values |= {"n.gamma": np.full(3, 2.0)}
    words = "n.gamma of MXNet has no partner, does not learn, and is not ones"
    assert constant_faults(found, values, arrays(right)) == [words]


def test_arrays_of_another_model_are_refused():
    left = [dense("a", 2, 3)]
    found = match(left, left)
    with pytest.raises(CrossfwError, match=r"no array of that name \(did you mean 'a.weigth'\?\)"):
        found.to_torch({"a.weigth": np.zeros(6), "a.bias": np.zeros(2)}, arrays(left))
    with pytest.raises(CrossfwError, match="an array of 5 numbers where the description has 6"):
        found.to_torch(arrays(left), {"a.weight": np.zeros(5), "a.bias": np.zeros(2)})


def gates():
    names = [f"W_x{gate}" for gate in "ifco"]
    return [unit("", "raw", 0, **dict.fromkeys(names, (5, 2)))], [unit("lstm.l0", "lstm", 0, W_ih=(8, 5))], names


def test_separate_gates_are_a_fault_that_rename_mends():
    left, right, names = gates()
    assert "what remains differs in shape" in match(left, right).faults[-1]
    assert "lstm.l0.W_ih (8, 5) in torch" in match(left, right).faults[-1]
    found = match(left, right, {f".{name}": "lstm.l0.W_ih" for name in names})
    assert not found.faults
    source = arrays(left)
    there = found.to_torch(source, arrays(right))["lstm.l0.W_ih"].reshape(8, 5)
    np.testing.assert_array_equal(there, np.concatenate([source[f".{name}"].reshape(5, 2).T for name in names]))
    back = match(right, left, {"lstm.l0.W_ih": [f".{name}" for name in names]})
    assert not back.faults


@pytest.mark.parametrize(
    "rename",
    [
        {"a.weight": "y.weight"},
        [(r"^a\.", "y."), (r"^b\.", "x.")],
        lambda name: name.replace("a.", "y.") if name.startswith("a.") else None,
    ],
)
def test_rename_overrides_order_and_names(rename):
    found = match([dense("a", 4, 4, 0), dense("b", 4, 4, 1)], [dense("x", 4, 4, 0), dense("y", 4, 4, 1)], rename)
    assert not found.faults
    assert paths(found) == {"a": "y", "b": "x"}
    assert found.table()[0]["evidence"] == "rename"


@pytest.mark.parametrize(
    ("rename", "words"),
    [
        ({"a.wieght": "x.weight"}, r"no parameter 'a.wieght' in the MXNet model \(did you mean 'a.weight'\?\)"),
        ({"a.weight": "x.wieght"}, r"no parameter 'x.wieght' in the torch model \(did you mean 'x.weight'\?\)"),
        ([("nothing", "x")], "no parameter of the MXNet model matches"),
        ({"a.weight": "x.bias", "a.bias": "x.bias", "b.bias": "x.bias"}, "not 3 equal parts"),
        ({"a.weight": ["x.bias", "x.weight"], "b.weight": "x.bias"}, "is also the name for b.weight"),
    ],
)
def test_rename_with_names_that_are_nowhere_or_clash(rename, words):
    with pytest.raises(CrossfwError, match=words):
        match([dense("a", 4, 4), dense("b", 4, 4)], [dense("x", 4, 4), dense("y", 4, 4)], rename)


def test_rename_of_other_shapes_is_a_fault():
    found = match([dense("a", 4, 3, bias=False)], [dense("x", 5, 3, bias=False)], {"a.weight": "x.weight"})
    assert found.faults == ("dense a (torch: x): a.weight of MXNet is (4, 3), x.weight of torch (5, 3)",)


def test_rename_of_several_layers_to_one_array():
    names = ("query", "key", "value")
    left = [dense(name, 4, 4, index, bias=False) for index, name in enumerate(names)]
    right = [
        Unit(f"a.{name}", "dense", (Slot("weight", "in_proj_weight", (4, 4), 16 * index),), {}, index)
        for index, name in enumerate(names)
    ]
    found = match(left, right, {f"{name}.weight": "in_proj_weight" for name in ("key", "query", "value")})
    assert not found.faults
    assert paths(found) == {"key": "a.query", "query": "a.key", "value": "a.value"}


@pytest.mark.parametrize(("role", "transposed"), [("W", True), ("weight", False)])
def test_a_square_matrix_that_nothing_else_settles_is_to_be_tried(role, transposed):
    found = match([unit("own", "raw", 0, **{role: (4, 4)})], [dense("x", 4, 4, 0, bias=False)])
    assert [slots.transposed for slots in found.slot_pairs()] == [transposed]
    assert "square" in found.ambiguous[0].reason


def test_a_layer_that_one_side_keeps_in_its_own_class_holds_its_place():
    left = [unit("own", "raw", 0, W=(4, 4)), dense("b", 4, 4, 1, bias=False)]
    right = [dense("x", 4, 4, 0, bias=False), dense("y", 4, 4, 1, bias=False)]
    assert paths(match(left, right)) == {"own": "x", "b": "y"}
    assert paths(match(right, left)) == {"x": "own", "y": "b"}


def test_large_models_are_matched_in_time():
    left = [dense(f"a.{index}", 4, 4, index) for index in range(1000)]
    right = [dense(f"b.{index}", 4, 4, index) for index in range(1000)]
    begin = time.process_time()
    assert paths(match(left, right)) == {f"a.{index}": f"b.{index}" for index in range(1000)}
    assert len(match(left, right[:500] + right[501:]).faults) == 1
    assert time.process_time() - begin < 30


def test_arrays_of_which_only_names_are_known():
    left = [
        unit(
            "",
            "raw",
            0,
            stage1_conv0_weight=(4, 4, 3, 3),
            stage1_conv1_weight=(4, 4, 3, 3),
            stage1_batchnorm0_gamma=(4,),
            stage1_batchnorm0_beta=(4,),
            stage1_batchnorm0_running_mean=(4,),
            stage1_batchnorm0_running_var=(4,),
        )
    ]
    right = [
        unit("layer1.conv1", "conv", 0, weight=(4, 4, 3, 3)),
        norm("layer1.bn1", 4, 1),
        unit("layer1.conv2", "conv", 2, weight=(4, 4, 3, 3)),
    ]
    found = match(left, right)
    assert partners(found) == {
        ".stage1_conv0_weight": "layer1.conv1.weight",
        ".stage1_conv1_weight": "layer1.conv2.weight",
        ".stage1_batchnorm0_gamma": "layer1.bn1.gamma",
        ".stage1_batchnorm0_beta": "layer1.bn1.beta",
        ".stage1_batchnorm0_running_mean": "layer1.bn1.running_mean",
        ".stage1_batchnorm0_running_var": "layer1.bn1.running_var",
    }


SHAPES = st.tuples(st.sampled_from(["dense", "conv", "batch_norm", "lstm", "embedding"]), st.integers(2, 4))
WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "lima"]


def made(kind, size, path, order):
    makers = {
        "dense": lambda: dense(path, size, size, order),
        "conv": lambda: conv(path, size, size, 3, order),
        "batch_norm": lambda: norm(path, size, order),
        "lstm": lambda: recurrent(path, "lstm", size, size, order),
        "embedding": lambda: unit(path, "embedding", order, weight=(size, size)),
    }
    return makers[kind]()


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_a_renamed_copy_is_matched_exactly(shapes, random):
    left = [made(*shape, f"m{index}", index) for index, shape in enumerate(shapes)]
    right = [made(*shape, f"{random.choice(WORDS)}_t{index}", index) for index, shape in enumerate(shapes)]
    wanted = {a.path: b.path for a, b in zip(left, right)}
    tree = random.sample(right, len(right))
    found = match(left, tree)
    assert not found.faults
    assert paths(found) == wanted


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, min_size=2, max_size=12), st.data())
def test_a_removed_unit_is_the_one_reported(shapes, data):
    left = [made(*shape, f"net.{WORDS[index]}", index) for index, shape in enumerate(shapes)]
    right = [made(*shape, f"{WORDS[index]}", index) for index, shape in enumerate(shapes)]
    removed = data.draw(st.integers(0, len(shapes) - 1))
    del right[removed]
    found = match(left, right)
    (fault,) = found.faults
    assert f"{left[removed].path} of MXNet has no partner" in fault
    assert paths(found) == {f"net.{each.path}": each.path for each in right}


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_units_that_were_never_run_are_matched_by_equal_names(shapes, random):
    left = [made(*shape, f"net.{WORDS[index]}", None) for index, shape in enumerate(shapes)]
    right = random.sample(left, len(left))
    found = match(left, right)
    assert not found.faults
    assert not found.ambiguous
    assert paths(found) == {each.path: each.path for each in left}


def own(units, random):
    """Some of the layers as a user's own arrays, dense ones transposed."""
    found = []
    for each in units:
        if random.random() < 0.3:
            slots = [replace(slot, shape=slot.shape[::-1]) if len(slot.shape) == 2 else slot for slot in each.slots]
            each = replace(each, kind="raw", slots=tuple(slots))
        found.append(each if random.random() < 0.7 else replace(each, order=None))
    return found


@settings(deadline=None, max_examples=200)
@given(st.lists(SHAPES, max_size=8), st.lists(SHAPES, max_size=8), st.randoms(use_true_random=False))
def test_each_parameter_is_mapped_once_or_reported(first, second, random):
    left = own([made(*shape, f"m.{WORDS[index]}", index) for index, shape in enumerate(first)], random)
    right = own([made(*shape, f"t.{WORDS[-index]}", index) for index, shape in enumerate(second)], random)
    mapping = match(left, right)
    pairs = mapping.slot_pairs()
    for side in ("mxnet", "torch"):
        used = [getattr(slots, side) for slots in pairs]
        assert len(set(used)) == len(used)
        for each in getattr(mapping, side):
            missing = [slot for slot in each.slots if slot not in used]
            assert all(any(each.path in fault and slot.role in fault for fault in mapping.faults) for slot in missing)
    for slots in pairs:
        assert slots.torch.shape == (slots.mxnet.shape[::-1] if slots.transposed else slots.mxnet.shape)
    source, target = arrays(left, 0), arrays(right, 1)
    there = mapping.to_torch(source, target)
    back = mapping.to_mxnet(there, source)
    assert all((back[name] == source[name]).all() for name in source)
