"""Checkpoints of real Gluon models, converted for torch modules: they load strictly and compute what MXNet computes."""

from __future__ import annotations

import json

import mxnet as mx
import numpy as np
import pytest
import torch
from mxnet.gluon import nn, rnn
from safetensors.torch import load_file

from crossfw.checkpoints.convert import differences, plan_conversion, write
from crossfw.errors import CrossfwError
from crossfw.ports.torch.build import ModuleService
from tests.checkpoints import params_bytes as raw

pytestmark = pytest.mark.filterwarnings("ignore:Please use .csr_matrix.:DeprecationWarning")
HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"


class Tagger(nn.HybridBlock):
    """An embedding, two bidirectional layers, a batch norm over features, a dense layer."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.emb = nn.Embedding(11, 8)
            self.lstm = rnn.LSTM(6, num_layers=2, bidirectional=True, input_size=8, dropout=0.1)
            self.bn = nn.BatchNorm(axis=2, in_channels=12)
            self.fc = nn.Dense(11, in_units=12, flatten=False)

    def hybrid_forward(self, F, x):
        return self.fc(self.bn(self.lstm(self.emb(x))))


TAGGER = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.rnn = nn.LSTM(8, 6, num_layers=2, bidirectional=True)
        self.norm = nn.BatchNorm1d(12)
        self.out = nn.Linear(12, 11)

    def forward(self, x):
        return self.out(self.norm(self.rnn(self.embedding(x))[0].transpose(1, 2)).transpose(1, 2))
"""


def convolutions():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=2), nn.BatchNorm(in_channels=4), nn.PReLU())
    net.add(nn.Conv2DTranspose(6, 2, strides=2, in_channels=4, use_bias=False), nn.GroupNorm(3))
    net.add(nn.InstanceNorm(in_channels=6), nn.Dense(5, in_units=6 * 8 * 8), nn.LayerNorm(in_channels=5))
    return net


CONVOLUTIONS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.act = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.PReLU()
        self.up, self.gn = nn.ConvTranspose2d(4, 6, 2, stride=2, bias=False), nn.GroupNorm(3, 6)
        self.instance, self.fc = nn.InstanceNorm2d(6, affine=True), nn.Linear(384, 5)
        self.ln = nn.LayerNorm(5)

    def forward(self, x):
        x = self.instance(self.gn(self.up(self.act(self.bn(self.conv(x))))))
        return self.ln(self.fc(x.flatten(1)))
"""


class Scratch(nn.Block):
    """Arrays of its own: a matrix the other way round, and a square one whose direction the other one tells."""

    def __init__(self):
        super().__init__()
        self.W_in = self.params.get("W_in", shape=(3, 5))
        self.W_out = self.params.get("W_out", shape=(5, 5))
        self.scale = self.params.get("scale", shape=(5,))

    def forward(self, x):
        return mx.nd.dot(mx.nd.dot(x, self.W_in.data()) * self.scale.data(), self.W_out.data())


SCRATCH = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.W_in = nn.Linear(3, 5, bias=False)
        self.W_out = nn.Linear(5, 5, bias=False)
        self.scale = nn.Parameter(torch.ones(5))

    def forward(self, x):
        return self.W_out(self.W_in(x) * self.scale)
"""


class Tied(nn.Block):
    """A language model without a recurrence, whose output weights are the embedding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.output = nn.Dense(7, in_units=4, flatten=False, params=self.embedding.params)

    def forward(self, x):
        return self.output(self.embedding(x))


TIED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Embedding(7, 4), nn.Linear(4, 7)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        return self.decoder(self.encoder(x))
"""


class Cells(nn.Block):
    """Two GRU cells, one after the other, in one step."""

    def __init__(self):
        super().__init__()
        self.cell0, self.cell1 = rnn.GRUCell(4, input_size=4), rnn.GRUCell(4, input_size=4)

    def forward(self, x):
        return self.cell1(self.cell0(x, [x])[0], [x])[0]


CELLS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell0, self.cell1 = nn.GRUCell(4, 4), nn.GRUCell(4, 4)

    def forward(self, x):
        return self.cell1(self.cell0(x, x), x)
"""
TOKENS = np.random.default_rng(0).integers(0, 7, (5, 3))
IMAGES = np.random.default_rng(0).standard_normal((2, 2, 6, 6)).astype(np.float32)
MODELS = {
    "tagger": (Tagger, TAGGER, TOKENS),
    "convolutions": (convolutions, CONVOLUTIONS, IMAGES),
    "scratch": (Scratch, SCRATCH, IMAGES.reshape(-1, 3)),
    "tied": (Tied, TIED, TOKENS),
    "cells": (Cells, CELLS, IMAGES.reshape(-1, 4)),
}
SAVED = {
    "structural": lambda net, stem: net.save_parameters(f"{stem}.params"),
    "deduplicated": lambda net, stem: net.save_parameters(f"{stem}.params", deduplicate=True),
    "full names": lambda net, stem: net.collect_params().save(f"{stem}.params"),
}


def trained(model, inputs: np.ndarray | None = None):
    """A model whose every array has numbers of its own, running statistics too; they need not be learned."""
    mx.random.seed(3)
    net = model()
    net.initialize(mx.init.Uniform(0.5))
    if inputs is not None:
        net(mx.nd.array(inputs))
    for parameter in net.collect_params().values():
        value = mx.nd.random.uniform(0.5, 1.5, parameter.shape)
        parameter.set_data(value if parameter.name.endswith(("gamma", "var")) else value - 1)
    return net


def port(folder, text: str, more: str = "") -> str:
    (folder / "net.py").write_text(f"{HEAD}{text}\n\ndef build():\n    return Net()\n{more}")
    return f"{folder / 'net.py'}:build"


def module(text: str):
    space: dict = {}
    exec(HEAD + text, space)
    return space["Net"]()


def converted(folder, text: str, more: str = "", params: str = "x.params"):
    """The module with the converted weights."""
    plan = plan_conversion(folder / params, port(folder, text, more))
    write(plan, folder / "x.safetensors")
    assert differences(plan, folder / "x.safetensors") == []
    net = module(text)
    net.load_state_dict(load_file(str(folder / "x.safetensors")), strict=True)
    return net.eval()


def agree(net, ours, inputs: np.ndarray) -> None:
    tokens = inputs.dtype.kind == "i"
    with torch.no_grad():
        found = net(torch.tensor(inputs)).numpy()
    wanted = ours(mx.nd.array(inputs, dtype="int32" if tokens else "float32")).asnumpy()
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("how", SAVED)
def test_converted_models_compute_the_same(tmp_path, model, how):
    make, text, inputs = MODELS[model]
    ours = trained(make, inputs)
    SAVED[how](ours, tmp_path / "x")
    agree(converted(tmp_path, text), ours, inputs)


def test_export_has_prefixes_and_fixed_gammas(tmp_path):
    """A symbol's BatchNorm with fix_gamma ignores the gamma that is stored."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=2), nn.BatchNorm(in_channels=4, scale=False), nn.Dense(3, in_units=64))
    ours = trained(lambda: net)
    ours.hybridize()
    ours(mx.nd.array(IMAGES))
    ours.export(str(tmp_path / "x"))
    names = set(mx.nd.load(str(tmp_path / "x-0000.params")))
    assert {name[:4] for name in names} == {"arg:", "aux:"}
    text = """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 3))
"""
    agree(converted(tmp_path, text, params="x-0000.params"), ours, IMAGES)
    nodes = json.loads((tmp_path / "x-symbol.json").read_text())["nodes"]
    assert any(node.get("attrs", {}).get("fix_gamma") == "True" for node in nodes)
    (tmp_path / "x-symbol.json").write_text("{}")
    with pytest.raises(CrossfwError, match="no symbol"):
        plan_conversion(tmp_path / "x-0000.params", port(tmp_path, text))


def test_a_gamma_of_ones_that_torch_lacks_is_left_out(tmp_path):
    ours = nn.HybridSequential()
    ours.add(nn.LayerNorm(in_channels=4, scale=False, center=False), nn.Dense(4, in_units=4))
    ours.add(nn.LayerNorm(in_channels=4), nn.Dense(3, in_units=4))
    ours.initialize()
    ours.save_parameters(str(tmp_path / "x.params"))
    text = "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(\n"
    text += (
        "            nn.LayerNorm(4, elementwise_affine=False), nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 3))\n"
    )
    agree(converted(tmp_path, text), ours, IMAGES.reshape(-1, 4))
    plan = plan_conversion(tmp_path / "x.params", port(tmp_path, text))
    assert set(plan.left_out) == {"0.gamma", "0.beta"}


@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN"])
def test_the_flat_array_of_mxnet_2(tmp_path, mode):
    text = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.{mode}(3, 4, num_layers=2, bidirectional=True), nn.Linear(8, 3)
"""
    other = module(text)
    parts = {name: value.detach().numpy() for name, value in other.rnn.named_parameters()}
    ends = [f"l{layer}{way}" for layer in range(2) for way in ("", "_reverse")]
    order = [f"{kind}_{way}_{end}" for kind in ("weight", "bias") for end in ends for way in ("ih", "hh")]
    flat = np.concatenate([parts[name].reshape(-1) for name in order])
    arrays = {"rnn.rnn_param": flat, "fc.weight": other.fc.weight, "fc.bias": other.fc.bias}
    with open(tmp_path / "x.params", "wb") as file:
        np.savez(file, **{name: np.asarray(value.tolist(), np.float32) for name, value in arrays.items()})
    found = converted(tmp_path, text).state_dict()
    for name, value in other.state_dict().items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_stays(tmp_path, dtype):
    value = np.array([[0x3C00, 0x3E00], [0x4000, 0xC000]], np.uint16)
    value = value.view(np.float16) if dtype == "float16" else value
    record = raw.dense(value, dtype=dtype)
    (tmp_path / "x.params").write_bytes(raw.listing([record], ["arg:fc_weight"]))
    text = "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Linear(2, 2, bias=False))\n"
    converted(tmp_path, text)
    written = load_file(str(tmp_path / "x.safetensors"))["0.weight"]
    assert written.dtype == getattr(torch, dtype)
    np.testing.assert_array_equal(written.view(torch.int16).numpy(), value.view(np.int16))


def two_dense(folder) -> None:
    ours = nn.HybridSequential()
    ours.add(nn.Dense(4, in_units=4), nn.Dense(4, in_units=4))
    trained(lambda: ours).save_parameters(str(folder / "x.params"))


CLASS = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
PAIR = CLASS + "        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 4)\n"


def test_what_names_leave_open_is_refused_and_rename_settles_it(tmp_path):
    two_dense(tmp_path)
    with pytest.raises(CrossfwError, match="leave open") as caught:
        plan_conversion(tmp_path / "x.params", port(tmp_path, PAIR))
    assert "rename" in caught.value.remedy
    wanted = mx.nd.load(str(tmp_path / "x.params"))
    for more in (
        "rename = {'0.weight': 'head.weight', '0.bias': 'head.bias'}",
        "rename = [('^0', 'head'), ('^1', 'body')]",
        "import re\nrename = [(re.compile('^0'), 'head'), ('^1', 'body')]",
        "def rename(name): return name.replace('0', 'head').replace('1', 'body')",
    ):
        found = converted(tmp_path, PAIR, more).state_dict()
        for old, new in (("0", "head"), ("1", "body")):
            np.testing.assert_array_equal(found[f"{new}.weight"].numpy(), wanted[f"{old}.weight"].asnumpy())


def test_a_module_is_built_without_memory_where_its_own_values_are_not_needed(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(f"{HEAD}\ndef build():\n    return nn.Linear(1_000_000, 1_000_000, bias=False)\n")
    found = ModuleService(str(file)).describe("build", [])
    assert found["shapes"] == {"weight": [1_000_000, 1_000_000]}
    assert found["initial"] == {}


def test_values_that_a_module_makes_itself_are_kept(tmp_path):
    file = tmp_path / "net.py"
    body = "    net = nn.Linear(2, 3)\n    net.register_buffer('scale', torch.full((2,), 7.0))\n    return net\n"
    file.write_text(f"{HEAD}\ndef build():\n{body}")
    found = ModuleService(str(file)).describe("build", [])
    np.testing.assert_array_equal(found["initial"]["scale"], [7.0, 7.0])


def test_a_rename_of_no_known_form(tmp_path):
    two_dense(tmp_path)
    with pytest.raises(CrossfwError, match="no such thing"):
        plan_conversion(tmp_path / "x.params", port(tmp_path, PAIR, "rename = [1, 2]"))


VOCABULARY = CLASS + "        self.{first}, self.{second} = nn.{one}, nn.{two}\n"


def test_an_embedding_and_a_matrix_of_its_shape(tmp_path):
    """Names may tell them apart; the order of definition alone may not."""
    ours = nn.HybridSequential()
    ours.add(nn.Embedding(7, 4), nn.Dense(7, in_units=4, use_bias=False))
    trained(lambda: ours).collect_params().save(str(tmp_path / "x.params"))
    kinds = {"one": "Linear(4, 7, bias=False)", "two": "Embedding(7, 4)"}
    found = converted(tmp_path, VOCABULARY.format(first="out", second="embedding", **kinds)).state_dict()
    np.testing.assert_array_equal(found["embedding.weight"].numpy(), ours[0].weight.data().asnumpy())
    np.testing.assert_array_equal(found["out.weight"].numpy(), ours[1].weight.data().asnumpy())
    ours.save_parameters(str(tmp_path / "x.params"))
    with pytest.raises(CrossfwError, match="leave open"):
        plan_conversion(tmp_path / "x.params", port(tmp_path, VOCABULARY.format(first="a", second="b", **kinds)))


FAULTY = {
    "a layer more in torch": (
        PAIR + "        self.more = nn.Linear(4, 7)\n",
        ["more.weight (7, 4)", "has no partner in MXNet"],
    ),
    "another layer of its size": (
        CLASS + "        self.l0, self.table = nn.Linear(4, 4), nn.Embedding(4, 4)\n",
        ["table.weight (4, 4) of torch: it may be 1.weight (4, 4)"],
    ),
    "a layer more in the file": (CLASS + "        self.l0 = nn.Linear(4, 4)\n", ["has no partner in torch"]),
    "another shape": (
        CLASS + "        self.l0, self.l1 = nn.Linear(4, 4), nn.Linear(4, 5)\n",
        ["MXNet's weight is (4, 4), torch's (5, 4)"],
    ),
    "no bias": (
        CLASS + "        self.l0, self.l1 = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)\n",
        ["MXNet has a bias"],
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_what_has_no_partner_is_named(tmp_path, case):
    two_dense(tmp_path)
    text, words = FAULTY[case]
    with pytest.raises(CrossfwError) as caught:
        plan_conversion(tmp_path / "x.params", port(tmp_path, text))
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")  # of MXNet, where no input has a type
def test_a_slope_that_a_symbol_calls_gamma_is_no_norm(tmp_path):
    """With the symbol beside the file, and from the module's shapes without it."""
    data = mx.sym.Variable("data")
    slopes = mx.sym.LeakyReLU(mx.sym.FullyConnected(data, num_hidden=4, name="fc"), act_type="prelu", name="relu")
    ours = mx.gluon.SymbolBlock(mx.sym.FullyConnected(slopes, num_hidden=3, name="out"), data)
    ours.initialize(mx.init.Uniform(0.5))
    inputs = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    ours(mx.nd.array(inputs))
    ours.export(str(tmp_path / "x"))
    text = """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(6, 4), nn.PReLU(4), nn.Linear(4, 3))
"""
    for _ in range(2):
        agree(converted(tmp_path, text, params="x-0000.params"), ours, inputs)
        (tmp_path / "x-symbol.json").unlink(missing_ok=True)


def test_constants_of_the_file_go_into_buffers(tmp_path):
    mx.nd.save(str(tmp_path / "x.params"), {"fc.weight": mx.nd.ones((3, 2)), "mean": mx.nd.array([[1.0], [2.0]])})
    text = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 3, bias=False)
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("steps", torch.full((1,), 5.0))
        self.register_buffer("cache", torch.zeros(2), persistent=False)
"""
    net = converted(tmp_path, text)
    assert net.mean.tolist() == [1.0, 2.0]
    assert net.steps.tolist() == [5.0]
