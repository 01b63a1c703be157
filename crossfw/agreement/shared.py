"""The state that every stage starts from, the same for all implementations and both dtypes.

Because a stage starts from here and not from what the stage before it computed, a fault shows in the stage that
has it and does not spread. All values are rounded to float32, so that float32 runs start from them exactly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from crossfw.models import reference_class
from crossfw.optimizers.numpy import clip_global_norm
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec
from crossfw.weights.initial import revealing_parameters, round_to_float32

LEARNING_RATE = 2.0**-7
WARM_UPDATES = 3


@dataclass(frozen=True)
class Shared:
    """Inputs of the stages.

    Attributes:
        spec: of the model.
        parameters: revealing values by canonical name.
        inputs: tokens (T, N) int64 or features (T, N, D); targets: (T, N) int64; state: (N, H), not zero.
        output: made-up outputs (T, N, Q) for the loss alone.
        gradients: two sets of made-up gradients for clipping and the optimizers alone.
        norm: of the true gradient at `parameters`; half of it clips, twice of it does not.
        moments: made-up optimizer state, by name and parameter; second moments are positive.
    """

    spec: Any
    parameters: dict[str, np.ndarray]
    inputs: np.ndarray
    targets: np.ndarray
    state: np.ndarray
    output: np.ndarray
    gradients: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
    norm: float
    moments: dict[str, dict[str, np.ndarray]]

    @property
    def thresholds(self) -> dict[str, float]:
        """Clipping thresholds: one that is exceeded, one that is not."""
        return {"above the threshold": self.norm / 2, "below the threshold": self.norm * 2}

    def optimizers(self, clip: float | None) -> list[dict]:
        """The three optimizers as dictionaries, with a learning rate that float32 holds exactly."""
        return [asdict(OptimizerSpec(name=name, learning_rate=LEARNING_RATE, clip=clip)) for name in STATE_NAMES]


def make_shared(model: str, spec: Any, inputs: np.ndarray, targets: np.ndarray, seed: int = 0) -> Shared:
    """Draw the shared state for a model and one batch of its data."""
    rng = np.random.default_rng([seed, 3])
    steps, batch_size = targets.shape
    parameters = revealing_parameters(spec.shapes(), seed)
    inputs = inputs if inputs.dtype.kind == "i" else round_to_float32(inputs)
    state = round_to_float32(rng.uniform(0.2, 0.9, spec.state_shape(batch_size)))
    reference = reference_class(model)(spec, "float64", "cpu")
    reference.parameters.update(parameters)
    _, true_gradients, _, _ = reference.backward(inputs, targets, state)
    norm = float(np.float32(clip_global_norm(list(true_gradients.values()), np.inf)))
    scale = norm / np.sqrt(sum(value.size for value in parameters.values()))

    def like_parameters(low: float, high: float) -> dict[str, np.ndarray]:
        return {name: round_to_float32(rng.uniform(low, high, p.shape)) for name, p in parameters.items()}

    return Shared(
        spec=spec,
        parameters=parameters,
        inputs=inputs,
        targets=targets,
        state=state,
        output=round_to_float32(rng.normal(0.0, 3.0, (steps, batch_size, spec.output_size))),
        gradients=(like_parameters(-2 * scale, 2 * scale), like_parameters(-2 * scale, 2 * scale)),
        norm=norm,
        moments={
            "momentum": like_parameters(-scale, scale),
            "first_moment": like_parameters(-scale, scale),
            "second_moment": like_parameters(0.1 * scale**2, scale**2),
        },
    )
