"""Let one implementation compute every stage from the shared state, and keep all that it says."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from crossfw.agreement.shared import WARM_UPDATES, Shared
from crossfw.agreement.trace import Trace
from crossfw.backends.client import WorkerError


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
        shared, known = self.shared, {*self.shared.spec.activation_names(), "state"}
        self.keep("forward", {"fresh state": self.call("initial_state", batch_size=shared.targets.shape[1])})
        for route, suffix in (("forward", ""), ("forward_by_steps", " by steps")):
            found = self.call(route, inputs=shared.inputs, state=shared.state)
            self.keep("forward", {name: value for name, value in found.items() if name in known}, suffix)

    def loss(self) -> None:
        """The loss of given outputs."""
        self.keep("loss", {"loss": self.call("loss", output=self.shared.output, targets=self.shared.targets)})

    def gradients(self, stage: str) -> None:
        """Loss and all gradients, of parameters and of the initial state."""
        shared = self.shared
        answer = self.call("gradients", inputs=shared.inputs, targets=shared.targets, state=shared.state)
        self.keep(stage, {"loss": answer["loss"], **answer["gradients"], "initial state": answer["state_gradient"]})

    def clipping(self) -> None:
        """Made-up gradients, once above and once below the threshold."""
        for case, theta in self.shared.thresholds.items():
            answer = self.call("clip", gradients=self.shared.gradients[0], theta=theta)
            self.keep("clipping", {"norm": answer["norm"], **answer["gradients"]}, f", {case}")

    def optimizers(self) -> None:
        """Two updates from a fresh state with made-up gradients; then a whole training step from a warm state."""
        shared = self.shared
        for name, spec in shared.optimizers().items():
            self._start(asdict(spec))
            for gradients in shared.gradients:
                self.call("update", gradients=gradients)
            self._keep_update(f" ({name}, fresh state)")
            self._start(asdict(spec))
            warm = {key: shared.moments[key] for key in spec.state_names()}
            self.call("load_optimizer", state=warm, updates=WARM_UPDATES)
            answer = self.call("step", inputs=shared.inputs, targets=shared.targets, state=shared.state)
            self._keep_update(f" ({name}, whole step)")
            self.keep("update", {"state handed on": answer["state"]}, f" ({name}, whole step)")

    def _start(self, spec: dict) -> None:
        self.call("load", parameters=self.shared.parameters)
        self.call("configure_optimizer", spec=spec)

    def _keep_update(self, suffix: str) -> None:
        self.keep("update", self.call("export"), suffix)
        for name, arrays in self.call("export_optimizer")["state"].items():
            self.keep("optimizer state", arrays, f" {name}{suffix}")


def record(backend: Any, model: str, shared: Shared, dtype: str, device: str) -> Trace:
    """The trace of one implementation in one dtype, and the facts that it told when it was built.

    Raises:
        Interrupted: a call failed; what was recorded until then is in its `trace`.
    """
    recorder, facts = Recorder(backend, shared, dtype), {"dtype": dtype}
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
        facts |= backend.call("build", model=model, spec=asdict(shared.spec), dtype=dtype, device=device)
        facts["environment"] = backend.call("environment")
        for stage in stages:
            stage()
    except WorkerError as error:
        raise Interrupted(error, Trace(recorder.arrays, {**facts, "interrupted": True})) from error
    return Trace(recorder.arrays, facts)
