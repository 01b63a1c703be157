"""Let one implementation compute every stage from the shared state, and keep all that it says."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from crossfw.agreement.condition import of_state
from crossfw.agreement.shared import OTHER_CLIPPING, WARM_UPDATES, Shared
from crossfw.agreement.trace import Trace
from crossfw.optimizers.spec import OptimizerSpec
from crossfw.workers.client import WorkerError


class Interrupted(Exception):
    """A call failed while a trace was recorded."""

    def __init__(self, error: WorkerError, trace: Trace):
        super().__init__(str(error))
        self.error, self.trace = error, trace


class Recorder:
    """Calls a backend (a `Worker` or an in-process one) stage by stage and files the answers."""

    def __init__(self, backend: Any, shared: Shared, dtype: str):
        self.call, self.shared, self.dtype = backend.call, shared, dtype
        self.arrays: dict[str, np.ndarray] = {}
        self.facts: dict[str, Any] = {"dtype": dtype}

    def keep(self, stage: str, tensors: dict[str, np.ndarray], suffix: str = "") -> None:
        """File tensors under a stage."""
        for name, value in tensors.items():
            self.arrays[f"{stage}/{name}{suffix}"] = value

    def parameters(self) -> None:
        """What comes back after the shared parameters were put in."""
        self.call("load", parameters=self.shared.parameters)
        self.keep("parameters", self.call("export"))

    def forward(self) -> None:
        """The sequence at once, and by the cell in a loop; activations that the spec does not name are left out."""
        shared = self.shared
        fresh = self.call("initial_state", batch_size=shared.batch["inputs"].shape[1])
        self.keep("forward", of_state("fresh state", fresh))
        self._keep_forward("forward", shared.batch, "")
        plain = {name: value for name, value in shared.batch.items() if "keep_" not in name}
        if len(plain) < len(shared.batch):
            self._keep_forward("forward", plain, " without dropout")
        if shared.spec.steppable:
            self._keep_forward("forward_by_steps", plain, " by steps")

    def _keep_forward(self, route: str, batch: dict, suffix: str) -> None:
        found, known = self.call(route, batch=batch, state=self.shared.state), self.shared.spec.activation_names()
        self.keep("forward", {name: a for name, a in found["activations"].items() if name in known}, suffix)
        self.keep("forward", of_state("state", found["state"]), suffix)

    def loss(self) -> None:
        """The loss of given outputs."""
        self.keep("loss", {"loss": self.call("loss", output=self.shared.output, batch=self.shared.batch)})

    def gradients(self, stage: str) -> None:
        """Loss and all gradients, of parameters and of the initial state."""
        answer = self.call("gradients", batch=self.shared.batch, state=self.shared.state)
        self.keep(stage, {"loss": answer["loss"], **answer["gradients"]})
        self.keep(stage, of_state("initial state", answer["state_gradients"]))

    def clipping(self) -> None:
        """Made-up gradients, once above and once below the threshold."""
        for case, theta in self.shared.thresholds.items():
            answer = self.call("clip", gradients=self.shared.gradients[0], theta=theta)
            self.keep("clipping", {"norm": answer["norm"], **answer["gradients"]}, f", {case}")

    def optimizers(self) -> None:
        """Every optimizer from a fresh state, where it is one of its own, and then from a warm one."""
        shared = self.shared
        self.call("hold", parameters=shared.parameters, gradients=[*shared.gradients, shared.gradients_along_moments])
        for name, spec in shared.optimizers.items():
            if name not in OTHER_CLIPPING:
                self._update_from_fresh_state(name, spec)
            self._update_from_warm_state(name, spec)

    def _update_from_fresh_state(self, name: str, spec: OptimizerSpec) -> None:
        """Two updates with made-up gradients, the second one at half of the learning rate."""
        self.call("start_over", spec=asdict(spec))
        self.call("update_with_held", number=0)
        self.call("set_learning_rate", learning_rate=spec.learning_rate / 2)
        self.call("update_with_held", number=1)
        self._keep_update(f" ({name}, fresh state)")

    def _update_from_warm_state(self, name: str, spec: OptimizerSpec) -> None:
        """A whole training step, or an update with made-up gradients."""
        shared = self.shared
        self.call("start_over", spec=asdict(spec))
        warm = {key: shared.moments[key] for key in spec.state_names()}
        self.call("load_optimizer", state=warm, updates=WARM_UPDATES)
        if name not in shared.whole_steps:
            self.call("update_with_held", number=2)
            self._keep_update(f" ({name}, warm state)")
            return
        answer = self.call("step", batch=shared.batch, state=shared.state)
        self._keep_update(f" ({name}, whole step)")
        self.keep("update", of_state("state handed on", answer["state"]), f" ({name}, whole step)")

    def _keep_update(self, suffix: str) -> None:
        self.keep("update", self.call("export"), suffix)
        for name, arrays in self.call("export_optimizer")["state"].items():
            self.keep("optimizer state", arrays, f" {name}{suffix}")


def record_step(backend: Any, model: str, shared: Shared, dtype: str, device: str) -> Trace:
    """Loss and gradients of one training step, and the parameters that they belong to: the least that tells a model.

    Raises:
        WorkerError: a call failed.
    """
    recorder = Recorder(backend, shared, dtype)
    backend.call("build", model=model, spec=asdict(shared.spec), dtype=dtype, device=device)
    recorder.parameters()
    recorder.gradients("gradients")
    return Trace(recorder.arrays, recorder.facts)


def record(backend: Any, model: str, shared: Shared, dtype: str, device: str) -> Trace:
    """The trace of one implementation in one dtype, and the facts that it told when it was built.

    Raises:
        Interrupted: a call failed; what was recorded until then is in its `trace`.
    """
    recorder = Recorder(backend, shared, dtype)
    facts = recorder.facts
    stages = (
        recorder.parameters,
        recorder.forward,
        recorder.loss,
        lambda: recorder.gradients("gradients"),
        lambda: recorder.gradients("self-agreement"),
        recorder.clipping,
        recorder.optimizers,
    )
    try:
        facts.update(backend.call("build", model=model, spec=asdict(shared.spec), dtype=dtype, device=device))
        facts["environment"] = backend.call("environment")
        for stage in stages:
            stage()
        facts["notes"] = backend.call("notes")  # the last optimizer was the recipe's own
    except WorkerError as error:
        raise Interrupted(error, Trace(recorder.arrays, {**facts, "interrupted": True})) from error
    return Trace(recorder.arrays, facts)
