"""`crossfw verify` as a person types it: verdicts, files, exit codes, and one clear error for bad input."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from tests.test_cli import crossfw
from tests.verification.ports import write_port

TORCH_END = "torch.nn.Linear(6, 3))"
MXNET_END = "nn.Dense(3))"
HOSTILE = struct.pack("<QQQ", 0x112, 0, 2**63 - 1) + bytes(40)

BAD = {
    "no such file": (lambda d: d / "none.py", ["none.py", "there is no such file"]),
    "a module that raises": (
        lambda d: write_port(d, ("import numpy as np", "import numpy as np\n1 / 0")),
        ["ZeroDivisionError", "port.py, line 3: 1 / 0"],
    ),
    "no torch_model": (
        lambda d: write_port(d, ("def torch_model", "def torch_modle")),
        ["defines no torch_model", "did you mean 'torch_modle'"],
    ),
    "no inputs": (lambda d: write_port(d, ("def inputs", "def input_")), ["defines no inputs"]),
    "mxnet_model raises": (
        lambda d: write_port(d, ("net = nn.HybridSequential()", "net = nn.Sequentail()")),
        ["mxnet_model()", "AttributeError", "line 7: net = nn.Sequentail()"],
    ),
    "torch_model raises": (
        lambda d: write_port(d, ("import torch\n", "import torch\n    raise RuntimeError('no weights')\n")),
        ["torch_model()", "RuntimeError: no weights", "line 14"],
    ),
    "torch_model gives nothing": (
        lambda d: write_port(d, ("return torch.nn", "torch.nn")),
        ["torch_model()", "it gave nothing", "return a torch.nn.Module"],
    ),
    "mxnet_model gives a list": (
        lambda d: write_port(d, ("return net", "return [net]")),
        ["mxnet_model()", "it gave a builtins.list", "return a gluon.Block"],
    ),
    "inputs raise": (
        lambda d: write_port(d, ("return rng.standard_normal", "return rng.standard_norml")),
        ["inputs of", "standard_norml", "line 18"],
    ),
    "inputs that MXNet refuses": (
        lambda d: write_port(d, ("(batch_size, 4)", "(batch_size, 4)).astype(str")),
        ["inputs", "<U", "numbers"],
    ),
    "inputs that torch refuses": (
        lambda d: write_port(d, ("(batch_size, 4)", "(batch_size, 5)")),
        ["the torch model's forward", "RuntimeError", "mat1 and mat2", "(in Linear 0)", "called with (2, 5) float"],
    ),
    "a forward with a slip": (
        lambda d: write_port(d, ("    import torch\n", "    import torch\n    class Slip(torch.nn.Linear):\n"
                              "        def forward(self, x):\n            return self.inner(x)\n"
                              "    return torch.nn.Sequential(Slip(4, 3))\n")),
        ["no attribute 'inner' (in Slip 0; port.py, line 16: return self.inner(x))",
         "mend the torch model's forward in port.py"],
    ),
    "inputs that lack what the forward asks of them": (
        lambda d: write_port(d, ("    import torch\n", "    import torch\n    class Pair(torch.nn.Linear):\n"
                              "        def forward(self, x):\n            return super().forward(x.first)\n"
                              "    return torch.nn.Sequential(Pair(4, 3))\n")),
        ["'Tensor' object has no attribute 'first' (in Pair 0", "let inputs (port.py", "called with (2, 4) float"],
    ),
    "inputs of a shape that MXNet's layers refuse": (
        lambda d: write_port(d, ("activation=\"tanh\"", "activation=\"tanh\", in_units=5")),
        ["the MXNet model's forward", "MXNetError: Shape inconsistent", "(in Dense 0)", "let inputs (port.py, line 17)",
         "called with (2, 4) float32"],
    ),
    "inputs without arguments": (
        lambda d: write_port(d, ("def inputs(rng, batch_size):", "def inputs():"), ("batch_size, 4", "2, 4")),
        ["inputs() takes 0 positional arguments", "port.py, line 17"],
    ),
    "a model in the place of its function": (
        lambda d: write_port(d, ("def torch_model():\n    import torch\n    return", "import torch\ntorch_model =")),
        ["torch_model of", "it is a model, no function", "def torch_model()"],
    ),
    "a class in the place of a model": (
        lambda d: write_port(d, ("return torch.nn.Sequential(", "return torch.nn.Sequential\n    (")),
        ["torch_model()", "the class torch.nn.modules.container.Sequential itself", "return a torch.nn.Module"],
    ),
    "an output of no array": (
        lambda d: write_port(d, ("    import torch\n", "    import torch\n    class Quiet(torch.nn.Linear):\n"
                              "        def forward(self, x):\n            return None\n    return Quiet(4, 3)\n")),
        ["torch_model() gives no array at all"],
    ),
    "an output that is a text": (
        lambda d: write_port(d, ("    import torch\n", "    import torch\n    class Loud(torch.nn.Linear):\n"
                                 "        def forward(self, x):\n            return 'x'\n    return Loud(4, 3)\n")),
        ["the torch model's output", "output is a builtins.str", "let the model return arrays"],
    ),
    "lazy layers never completed": (
        lambda d: write_port(d, ("return torch.nn", "net = torch.nn"),
                             (TORCH_END, TORCH_END + "\n    net.extra = torch.nn.LazyLinear(2)\n"
                              "    net.forward = lambda x: net[2](net[1](net[0](x)))\n    return net")),
        ["torch_model()", "extra.weight, extra.bias", "lazy layers"],
    ),
    "a loss that takes other arguments": (
        lambda d: write_port(d, more="\ndef loss(output, targets):\n    return output.sum()\n"),
        ["mxnet_loss", "missing 1 required positional argument: 'targets'", "port.py, line 20"],
    ),
    "an optimizer on one side": (
        lambda d: write_port(d, more="\ndef torch_optimizer(model):\n    return None\n"),
        ["there is torch_optimizer, and no mxnet_optimizer"],
    ),
    "a train_mode that is a text": (
        lambda d: write_port(d, more='\ntrain_mode = "no"\n'), ["train_mode = 'no'", "give True or False"],
    ),
    "a hostile .params file": (
        lambda d: (d / "x.params").write_bytes(HOSTILE) and write_port(d, more='\nmxnet_checkpoint = "x.params"\n'),
        ["x.params", "9,223,372,036,854,775,807 arrays"],
    ),
    "a torch checkpoint that is none": (
        lambda d: write_port(d, more='\ntorch_checkpoint = "port.py"\n'),
        ["the state dict in", "UnpicklingError", "torch.save(model.state_dict(), path)"],
    ),
    "a torch model that ends its process": (
        lambda d: write_port(d, ("    import torch\n", "    import torch, os\n    os._exit(3)\n")),
        ["the torch side", "exited with code 3"],
    ),
    "a torch model that leaves": (
        lambda d: write_port(d, ("    import torch\n", "    import torch\n    raise SystemExit(3)\n")),
        ["torch"],
    ),
    "a layer without partner": (
        lambda d: write_port(d, (TORCH_END, "torch.nn.Linear(6, 3), torch.nn.Linear(3, 3))")),
        ["3.weight", "rename"],
    ),
    "deferred initialisation never completed": (
        lambda d: write_port(
            d, ("return net", "class Lost(type(net)):\n        def hybrid_forward(self, F, x):\n"
                "            return list(self._children.values())[0](x)\n    lost = Lost()\n"
                "    lost.add(nn.Dense(3), nn.Dense(5))\n    return lost")),
        ["1.weight", "deferred initialisation"],
    ),
    "a loss on one side": (
        lambda d: write_port(d, more="\ndef mxnet_loss(output):\n    return output.sum()\n"),
        ["there is mxnet_loss, and no torch_loss"],
    ),
    "a checkpoint that is not there": (
        lambda d: write_port(d, more='\nmxnet_checkpoint = "none.params"\n'),
        ["mxnet checkpoint none.params", "there is no file"],
    ),
    "an MXNet model that gives NaN": (
        lambda d: write_port(d, ('activation="tanh"', 'activation="tanh", bias_initializer="zeros"'),
                             ("rng.standard_normal((batch_size, 4))", "rng.standard_normal((batch_size, 4)) * np.nan")),
        ["output of the MXNet model", "NaN or infinite"],
    ),
    "a rename of names that are not there": (
        lambda d: write_port(d, more='\nrename = {"0.weigth": "0.weight"}\n'),
        ["0.weigth", "did you mean '0.weight'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(case, tmp_path):
    make, expected = BAD[case]
    done = crossfw("verify", str(make(tmp_path)))
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert "to do:" in said or "not compared" in said.lower()
    for words in expected:
        assert words in said


def test_a_true_port_agrees_and_writes_its_files(tmp_path):
    page, data = tmp_path / "v.html", tmp_path / "v.json"
    done = crossfw("verify", str(write_port(tmp_path)), "--html", str(page), "--json", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("AGREES")
    told = json.loads(data.read_text())
    assert told["agrees"]
    assert {row["stage"] for row in told["rows"]} >= {"parameters", "forward", "gradients", "update"}
    assert "<html" in page.read_text()
    assert "AGREES" in page.read_text()


def test_a_wrong_port_exits_with_1(tmp_path):
    done = crossfw("verify", str(write_port(tmp_path, ("torch.nn.Tanh()", "torch.nn.ReLU()"))))
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("DIFFERS")
    assert "stage forward" in done.stdout
    assert "activation" in done.stdout


def test_an_output_too_many_is_a_difference(tmp_path):
    path = write_port(
        tmp_path,
        ("return torch.nn.Sequential", "net = torch.nn.Sequential"),
        ("torch.nn.Linear(6, 3))", "torch.nn.Linear(6, 3))\n"
         "    class Two(torch.nn.Module):\n        def __init__(self):\n"
         "            super().__init__()\n            self.net = net\n        def forward(self, x):\n"
         "            return self.net(x), x\n    return Two()"),
    )  # fmt: skip
    done = crossfw("verify", str(path))
    assert done.returncode == 1, done.stdout + done.stderr
    for words in ("DIFFERS", "torch gives 2 (output[0] (2, 3), output[1] (2, 4))", "MXNet gives 1 (output (2, 3))"):
        assert words in done.stdout


def test_a_function_without_its_partner_is_told(tmp_path):
    done = crossfw("verify", str(write_port(tmp_path, more="\ndef torch_clip(model):\n    pass\n")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "there is torch_clip alone" in done.stdout


def test_a_misspelt_name_is_no_verdict(tmp_path):
    """What it was meant to say would not be verified, and nobody would know."""
    done = crossfw("verify", str(write_port(tmp_path, more="\ncheckpiont = 'x.params'\n")))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "checkpiont" in done.stderr
    assert "is checkpoint meant?" in done.stderr
    assert "underscore" in done.stderr


def test_a_file_that_is_no_python_is_told_with_one_place(tmp_path):
    done = crossfw("verify", str(write_port(tmp_path, more="\ndef broken(:\n")))
    assert done.returncode == 2
    assert done.stderr.count("port.py, line") == 1, done.stderr


RENAMES = {
    "the tree's": "rename = {'1.weight': '2.weight'}",
    "a checkpoint's": "rename = {'dense1_weight': '2.weight'}",
    "by rules": "rename = [('^dense1_', '2.')]",
    "by a function that knows the tree's names only": "rename = {'0.weight': '0.weight', '0.bias': '0.bias', "
    "'1.weight': '2.weight', '1.bias': '2.bias'}.__getitem__",
    "by a function": "def rename(name):\n    return name.replace('dense1_', '2.') if 'dense1_' in name else None",
}


@pytest.mark.parametrize("how", RENAMES)
def test_rename_takes_names_of_the_tree_and_of_checkpoints(tmp_path, how):
    done = crossfw("verify", str(write_port(tmp_path, more=f"\n{RENAMES[how]}\n")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("AGREES")


ADAM = """

def mxnet_optimizer(model):
    from mxnet import gluon
    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.01})


def torch_optimizer(model):
    import torch
    return torch.optim.Adam(model.parameters(), lr=0.01)
"""
CORRECTED = """
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    step, t = optimizer.step, 0

    def corrected(*arguments):
        nonlocal t
        t += 1
        {line}
        return step(*arguments)

    optimizer.step = corrected
    return optimizer
"""


def test_the_line_that_makes_adam_that_of_mxnet_is_told(tmp_path):
    done = crossfw("verify", str(write_port(tmp_path, more=ADAM)))
    assert done.returncode == 0
    (remedy,) = [line for line in done.stdout.splitlines() if "group['eps'] =" in line]
    line = remedy.partition("t = 1, 2, ...: ")[2]
    mended = ADAM.replace("    return torch.optim.Adam(model.parameters(), lr=0.01)\n", CORRECTED.format(line=line))
    done = crossfw("verify", str(write_port(tmp_path, more=mended)))
    assert done.returncode == 0, done.stdout
    assert "the place of epsilon" not in done.stdout


def test_the_other_framework_need_not_be_installed_on_a_side(tmp_path):
    text = write_port(tmp_path).read_text()
    guard = 'import sys\nassert not {"mxnet", "torch"} <= set(sys.modules), "both frameworks in one process"\n'
    Path(tmp_path / "port.py").write_text(
        text.replace("    return rng", "    import sys\n    " + guard.splitlines()[1] + "\n    return rng")
    )
    done = crossfw("verify", str(tmp_path / "port.py"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_interpreter_that_is_not_there_is_told(tmp_path):
    done = crossfw("verify", str(write_port(tmp_path)), "--torch-python", "no-such-python")
    assert done.returncode == 2
    assert "--torch-python no-such-python" in done.stderr
    assert "no executable" in done.stderr
