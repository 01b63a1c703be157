"""Faults in the parts that models are composed of, and the small tasks on which they must show."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.faults import Fault

HEAD = """
title = "small"
description = "A small task of the tests."
[recipe]
optimizer = "{optimizer}"
learning_rate = 0.05
clip = 1.0
epochs = 2
initial = "torch"
quick_updates = 3
"""
TEXT = """
[data]
corpus = "english-story"
preparation = "d2l-1.0"
max_tokens = 300
batch_size = 4
steps = 6
"""
NAMES = """
[data]
kind = "tagging"
corpus = "names"
training_sequences = 24
validation_sequences = 4
test_sequences = 4
batch_size = 8
"""
REVIEWS = NAMES.replace("tagging", "classification").replace("names", "sentiment")
PAIRS = NAMES.replace("tagging", "translation").replace("names", "parallel") + "mask_source = true\n"
TASKS = {
    "gru": '[model]\ncell = "gru"\nreset = "before"\nhidden_size = 7\n' + TEXT,
    "lstm": '[model]\ncell = "lstm"\nlayers = 2\ndropout = 0.25\nhidden_size = 6\n' + TEXT,
    "bidirectional": '[model]\ncell = "rnn"\ndirection = "bidirectional"\nhidden_size = 6\n' + TEXT,
    "tagger": '[model]\ncell = "gru"\nhead = "tagger"\ndirection = "bidirectional"\nhidden_size = 6\n' + NAMES,
    "classifier": '[model]\ncell = "lstm"\nhead = "classifier"\nhidden_size = 6\n' + REVIEWS,
    "translator": '[model]\nhead = "encoder-decoder"\ncell = "gru"\nembedding_size = 5\ncontext = true\n'
    + "hidden_size = 6\n"
    + PAIRS,
}


def other_spec(change: str) -> str:
    """A `Model` of another spec, with parameters of the same names and shapes."""
    return f"""
from dataclasses import replace
class Model(sibling.Model):
    def __init__(self, spec, *arguments):
        super().__init__(replace(spec, {change}), *arguments)
"""


def other_batch(names: str, method: str = "forward") -> str:
    """A `Model` that does not see some arrays of a batch."""
    return f"""
class Model(sibling.Model):
    def {method}(self, *arguments):
        hide = lambda a: {{n: v for n, v in a.items() if not n.startswith({names!r})}} if isinstance(a, dict) else a
        return super().{method}(*map(hide, arguments))
"""


def other_optimizer(change: str) -> str:
    """An `Optimizer` of another spec."""
    return f"""
from dataclasses import replace
from crossfw.optimizers import HERE_scratch as plain
Model = sibling.Model
class Optimizer(plain.Optimizer):
    def __init__(self, spec, model):
        super().__init__({change}, model)
"""


# The task, its recipe's optimizer, and the fault.
FAULTS = (
    ("gru", "sgd", Fault("reset after the product", "forward", other_spec('reset="after"'))),
    ("bidirectional", "sgd", Fault("both directions forward", "forward", other_spec('direction="both forward"'))),
    ("classifier", "sgd", Fault("mean of the states for the last", "forward", other_spec('pool="mean"'))),
    ("lstm", "sgd", Fault("dropout left out", "forward", other_batch("keep_"))),
    ("tagger", "sgd", Fault("padding not hidden from the states", "forward", other_batch("mask"))),
    ("tagger", "sgd", Fault("padding not hidden from the loss", "loss", other_batch("mask", "loss"))),
    ("classifier", "sgd", Fault("last state after the padding", "forward", other_batch("mask"))),
    ("translator", "sgd", Fault("the encoder reads the padding", "forward", other_batch("source_mask"))),
    (
        "lstm",
        "sgd",
        Fault(
            "the cell state is not handed on",
            "forward",
            """
class Model(sibling.Model):
    def forward(self, batch, state):
        activations, last = super().forward(batch, state)
        return activations, {n: v * 0 if n.startswith("c") else v for n, v in last.items()}
""",
        ),
    ),
    (
        "lstm",
        "sgd",
        Fault(
            "the layers' states swapped",
            "forward",
            """
class Model(sibling.Model):
    def forward(self, batch, state):
        return super().forward(batch, {**state, "h": state["h_l1"], "h_l1": state["h"]})
""",
        ),
    ),
    (
        "translator",
        "sgd",
        Fault(
            "the decoder starts from zeros",
            "forward",
            """
class Model(sibling.Model):
    def decode(self, batch, state, context):
        return super().decode(batch, {n: v * 0 for n, v in state.items()}, context)
""",
        ),
    ),
    (
        "translator",
        "sgd",
        Fault(
            "no context beside the inputs",
            "forward",
            """
class Model(sibling.Model):
    def decode(self, batch, state, context):
        return super().decode(batch, state, context * 0)
""",
        ),
    ),
    (
        "gru",
        "nag",
        Fault(
            "momentum for Nesterov's",
            "update",
            other_optimizer('replace(spec, name="momentum") if spec.name == "nag" else spec'),
        ),
    ),
    ("gru", "sgd", Fault("weight decay forgotten", "update", other_optimizer("replace(spec, weight_decay=0.0)"))),
    ("gru", "sgd", Fault("biases decayed too", "update", other_optimizer("replace(spec, decay_biases=True)"))),
    ("gru", "sgd", Fault("elements not clipped", "update", other_optimizer("replace(spec, clip_value=None)"))),
    ("gru", "rmsprop", Fault("rho written down", "update", other_optimizer("replace(spec, rho=0.9)"))),
    (
        "gru",
        "sgd",
        Fault(
            "the learning rate never changes",
            "update",
            other_optimizer("spec") + "    def set_learning_rate(self, learning_rate):\n        pass\n",
        ),
    ),
)


def write_part_task(folder: Path, name: str, optimizer: str) -> str:
    """The path of the task."""
    head, recipe = HEAD.format(optimizer=optimizer).split("[recipe]")
    path = folder / "small.toml"
    path.write_text(f"{head}{TASKS[name]}\n[recipe]{recipe}")
    return str(path)
