"""Faults that a port may have, seeded into siblings: small files as a user would pass with torch-WORD=FILE.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEADS = {
    "torch": """
import torch
from crossfw.frameworks.torch import Backend as Plain
flip = lambda x: torch.flip(x, (0,))
""",
    "mxnet": """
from mxnet import nd
from crossfw.frameworks.mxnet import Backend as Plain
flip = lambda x: nd.flip(x, axis=0)
""",
}


@dataclass(frozen=True)
class Fault:
    """A fault, the siblings that it can be seeded into, and where it must be found."""

    name: str
    stage: str
    body: str
    styles: tuple[str, ...] = ("scratch",)


def other_parameters(change: str, *methods: str) -> str:
    """A `Model` whose methods see changed parameters."""
    overrides = "".join(
        f"    def {name}(self, *arguments):\n        return self.seen({name!r}, *arguments)\n" for name in methods
    )
    return f"""
class Model(sibling.Model):
    def seen(self, method, *arguments):
        p = self.parameters
        self.parameters = {{**p, **{change}}}
        try:
            return getattr(sibling.Model, method)(self, *arguments)
        finally:
            self.parameters = p
{overrides}"""


ALL = ("scratch", "library")
FAULTS = (
    Fault(
        "swapped W_xh and W_hh",
        "forward",
        other_parameters("{'W_xh': p['W_hh'], 'W_hh': p['W_xh']}", "forward"),
    ),
    Fault("transposed W_hh", "forward", other_parameters("{'W_hh': p['W_hh'].T}", "forward")),
    Fault("missing bias", "forward", other_parameters("{'b_h': p['b_h'] * 0}", "forward")),
    Fault(
        "relu for tanh",
        "forward",
        """
class Model(sibling.Model):
    def __init__(self, spec, *arguments):
        from dataclasses import replace
        super().__init__(replace(spec, activation="relu"), *arguments)
""",
        ALL,
    ),
    Fault(
        "sum for mean loss",
        "loss",
        """
class Model(sibling.Model):
    def loss(self, output, batch):
        targets = batch["targets"]
        return super().loss(output, batch) * (targets.shape[0] * targets.shape[1])
""",
        ALL,
    ),
    Fault(
        "clip after the update",
        "update",
        """
Model = sibling.Model
class Backend(Plain):
    def step(self, batch, state):
        loss, state = self.backward(batch, state)
        self.optimizer.step()
        if self.optimizer.spec.clip is not None:
            self.clip_global_norm(list(self.gradients().values()), self.optimizer.spec.clip)
        return loss, state
""",
        ALL,
    ),
    Fault(
        "state not carried over",
        "update",
        """
Model = sibling.Model
class Backend(Plain):
    def step(self, batch, state):
        loss, state = super().step(batch, state)
        return loss, {"h": state["h"] * 0}
""",
        ALL,
    ),
    Fault(
        "time reversed",
        "forward",
        """
class Model(sibling.Model):
    def forward(self, batch, state):
        return super().forward({**batch, "inputs": flip(batch["inputs"])}, state)
""",
        ALL,
    ),
    Fault(
        "state lost after some steps",
        "trajectory",
        """
Model = sibling.Model
class Backend(Plain):
    steps = 0
    def step(self, batch, state):
        self.steps += 1
        return super().step(batch, state if self.steps < 12 else {"h": state["h"] * 0})
""",
    ),
    Fault(
        "state lost in float32 training only",
        "trajectory",
        """
Model = sibling.Model
class Backend(Plain):
    steps = 0
    def step(self, batch, state):
        self.steps += 1
        lost = self.steps > 12 and "float32" in str(state["h"].dtype)
        return super().step(batch, {"h": state["h"] * 0} if lost else state)
""",
    ),
    Fault(
        "state lost in validation only",
        "trajectory",
        """
Model = sibling.Model
class Backend(Plain):
    steps = 0
    def step(self, *arguments):
        self.steps += 1
        return super().step(*arguments)
    def forward(self, batch, state):
        return super().forward(batch, {"h": state["h"] * 0} if self.steps > 3 else state)
""",
    ),
    Fault(
        "noise in training",
        "trajectory",
        """
import random
Model = sibling.Model
class Backend(Plain):
    steps = 0
    def step(self, batch, state):
        self.steps += 1
        noise = random.SystemRandom().random() if self.steps > 12 else 1.0
        return super().step(batch, {"h": state["h"] * noise})
""",
    ),
    Fault(
        "another initial state",
        "forward",
        """
class Model(sibling.Model):
    def initial_state(self, batch_size):
        return {"h": super().initial_state(batch_size)["h"] + 0.1}
""",
        ALL,
    ),
    Fault(
        "a frozen bias",
        "gradients",
        """
class Model(sibling.Model):
    def forward(self, batch, state):
        p = self.parameters
        self.parameters = {**p, "b_q": p["b_q"].detach()}
        try:
            return super().forward(batch, state)
        finally:
            self.parameters = p
""",
    ),
    Fault(
        "the initial state cut off from the graph",
        "gradients",
        """
class Model(sibling.Model):
    def forward(self, batch, state):
        return super().forward(batch, {"h": state["h"].detach()})
""",
        ALL,
    ),
    Fault(
        "float64 whatever was asked for",
        "parameters",
        """
class Model(sibling.Model):
    def __init__(self, spec, dtype, device):
        super().__init__(spec, "float64", device)
    def initial_state(self, batch_size):
        return super().initial_state(batch_size)
class Backend(Plain):
    def __init__(self, model, device, dtype):
        super().__init__(model, device, "float64")
""",
        ALL,
    ),
    Fault(
        "always rescaled to the threshold",
        "clipping",
        """
Model = sibling.Model
def clip_global_norm(gradients, theta):
    norm = sum((g * g).sum() for g in gradients) ** 0.5
    for g in gradients:
        g *= theta / norm.reshape((1,) * len(g.shape))
    return norm
""",
    ),
    Fault(
        "momentum written down",
        "update",
        """
from dataclasses import replace
from crossfw.optimizers import HERE_scratch as plain
Model = sibling.Model
class Optimizer(plain.Optimizer):
    def __init__(self, spec, model):
        super().__init__(replace(spec, momentum=0.9), model)
""",
    ),
    Fault(
        "updates before a warm start not counted",
        "update",
        """
from crossfw.optimizers import HERE_scratch as plain
Model = sibling.Model
class Optimizer(plain.Optimizer):
    def load(self, state, updates):
        super().load(state, 0)
""",
    ),
)


def write_fault(fault: Fault, framework: str, style: str, folder: Path, model: str = "network") -> str:
    """The path of the file with the fault."""
    native = {"torch": "nn", "mxnet": "gluon"}[framework] if style == "library" else "scratch"
    module = f"{framework}_{native}"
    head = f"{HEADS[framework]}from crossfw.models.{model} import {module} as sibling\n"
    optimizers = f"from crossfw.optimizers.{module} import Optimizer, clip_global_norm\n"
    path = folder / f"{framework}_{native}.py"
    path.write_text(head + optimizers + fault.body.replace("HERE", framework))
    return str(path)
