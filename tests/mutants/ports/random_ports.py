"""Random true ports against the verifier; none may be flagged: `python -m tests.mutants.ports.random_ports 500`."""

from __future__ import annotations

import sys
import time

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from tests.mutants.ports.architecture import Architecture
from tests.mutants.ports.check import check
from tests.mutants.ports.random import mxnet_models, torch_models
from tests.mutants.ports.random.draw import true_ports
from tests.mutants.ports.random.spec import Spec

__all__ = ["architecture", "run", "true_ports"]


def architecture(spec: Spec) -> Architecture:
    """The port of a specification."""
    functions = {}
    if spec.loss is not None:
        samples = outputs_of(spec)

        def targets(rng: np.random.Generator) -> np.ndarray:
            return rng.integers(0, 4, samples) if spec.loss == "cross_entropy" else rng.standard_normal((samples, 4))

        functions.update(
            targets=targets,
            mxnet_loss=lambda output, targets: mxnet_models.LOSSES[spec.loss]()(output, targets),
            torch_loss=torch_models.LOSSES[spec.loss],
        )
    if spec.optimizer != "default":
        functions.update(
            mxnet_optimizer=lambda model: mxnet_models.optimizer(spec, model),
            torch_optimizer=lambda model: torch_models.optimizer(spec, model),
        )
    return Architecture(
        "random",
        mxnet_model=lambda: mxnet_models.model(spec),
        torch_model=lambda: torch_models.model(spec),
        inputs=spec.inputs,
        dtype=spec.dtype,
        **functions,
    )


def outputs_of(spec: Spec) -> int:
    """How many vectors the network gives: one per sample, where the samples stand on the axis that is not time."""
    if spec.start in ("image", "vector"):
        return spec.shape[0]
    (axis,) = {layer.settings["axis"] for layer in spec.layers if layer.kind == "over_time"}
    return spec.shape[1 - axis]


def run(count: int) -> list[tuple[Spec, str]]:
    """Verify that many different random ports; those that were flagged, and why.

    Raises:
        RuntimeError: fewer different ones were drawn.
    """
    flagged, started, seen = [], time.monotonic(), set()

    @settings(
        max_examples=2 * count,  # some are drawn again
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(true_ports())
    def verify_one(spec: Spec) -> None:
        if repr(spec) in seen or len(seen) == count:
            return
        seen.add(repr(spec))
        try:
            verdict = check(architecture(spec))
            reason = "" if verdict else verdict.reason
        except Exception as error:  # whatever it is, this port was not found to agree
            reason = f"{type(error).__name__}: {error}; {str(error.__cause__).strip().splitlines()[-1:]}"
        if reason:
            flagged.append((spec, reason))
            print(f"flagged: {reason}\n    {spec}", flush=True)

    verify_one()
    if len(seen) < count:
        raise RuntimeError(f"{len(seen)} different ports were drawn, not {count}")
    print(f"{len(flagged)} of {len(seen)} random true ports flagged, {time.monotonic() - started:.0f} s", flush=True)
    return flagged


if __name__ == "__main__":
    sys.exit(1 if run(int(sys.argv[1])) else 0)
