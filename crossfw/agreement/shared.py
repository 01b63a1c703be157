"""The state that every stage starts from, the same for all implementations and both dtypes.

Because a stage starts from here and not from what the stage before it computed, a fault shows in the stage that
has it and does not spread. All values are rounded to float32, so that float32 runs start from them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossfw.agreement.bounds import CEILING, ELEMENTARY, SAFETY
from crossfw.agreement.condition import measure_condition
from crossfw.errors import CrossfwError
from crossfw.models import reference_class
from crossfw.optimizers.numpy import clip_global_norm
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec
from crossfw.weights.initial import revealing_parameters, round_to_float32

# Exact in float32, and none of them a default that a port could have written down by mistake.
HYPER_PARAMETERS = {
    "learning_rate": 2.0**-7,
    "momentum": 0.875,
    "beta1": 0.75,
    "beta2": 0.96875,
    "epsilon": 2.0**-10,
}
WARM_UPDATES = 3
SHRINKINGS = (1.0, 0.25, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-10)


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
        condition: of the tensors, by "stage/tensor"; see `condition.py`.
        recipe: the task's own optimizer, or None.
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
    condition: dict[str, float]
    recipe: OptimizerSpec | None = None

    @property
    def thresholds(self) -> dict[str, float]:
        """Clipping thresholds: one that is exceeded, one that is not."""
        return {"above the threshold": self.norm / 2, "below the threshold": self.norm * 2}

    def optimizers(self) -> dict[str, OptimizerSpec]:
        """The optimizers by what they are called in the report; all clip at half of the true gradient's norm.

        Besides, plain SGD clips at twice the norm, which must change nothing, and not at all.
        """
        specs = {name: OptimizerSpec(name=name, clip=self.norm / 2, **HYPER_PARAMETERS) for name in STATE_NAMES}
        specs["sgd below the threshold"] = replace(specs["sgd"], clip=self.norm * 2)
        specs["sgd without clipping"] = replace(specs["sgd"], clip=None)
        if self.recipe is not None:
            specs[f"the recipe's {self.recipe.name}"] = self.recipe
        return specs


def make_shared(
    model: str,
    spec: Any,
    inputs: np.ndarray,
    targets: np.ndarray,
    recipe: OptimizerSpec | None = None,
    seed: int = 0,
) -> Shared:
    """Draw the shared state for a model and one batch of its data.

    Parameters are shrunk until rounding is not magnified beyond what the bounds allow for; large features saturate
    an activation, and then nothing could be told from the digits that are left.

    Raises:
        CrossfwError: rounding is magnified too much whatever the parameters.
    """
    rng = np.random.default_rng([seed, 3])
    steps, batch_size = targets.shape
    batch = {
        "inputs": inputs if inputs.dtype.kind == "i" else round_to_float32(inputs),
        "targets": targets,
        "state": round_to_float32(rng.uniform(0.2, 0.9, spec.state_shape(batch_size))),
        # within 1 of zero no class is nearly certain, so the loss keeps its digits
        "output": round_to_float32(rng.uniform(-1.0, 1.0, (steps, batch_size, spec.output_size))),
    }
    parameters, condition = _well_conditioned(model, spec, batch, seed)
    true_gradients = _gradients(model, spec, parameters, batch)
    norm = float(np.float32(clip_global_norm(list(true_gradients.values()), np.inf)))
    scale = norm / np.sqrt(sum(value.size for value in parameters.values()))

    def along(signs: dict[str, np.ndarray], size: float) -> dict[str, np.ndarray]:
        """Values of about a size that never cancel the ones whose signs they share: a sum of both keeps its digits."""
        return {
            name: round_to_float32(np.where(value < 0, -1.0, 1.0) * rng.uniform(0.3 * size, size, value.shape))
            for name, value in signs.items()
        }

    made_up = along({name: rng.normal(size=value.shape) for name, value in parameters.items()}, 2 * scale)
    return Shared(
        spec=spec,
        parameters=parameters,
        gradients=(made_up, along(made_up, 2 * scale)),
        norm=norm,
        moments={
            "momentum": along(true_gradients, scale),
            "first_moment": along(true_gradients, scale),
            "second_moment": along({name: np.ones_like(value) for name, value in parameters.items()}, scale**2),
        },
        condition=condition,
        recipe=recipe,
        **batch,
    )


def _well_conditioned(model: str, spec: Any, batch: dict, seed: int) -> tuple[dict, dict[str, float]]:
    """Revealing parameters, shrunk as much as it takes, and the condition of the tensors under them."""
    allowed = CEILING["float64"] / (SAFETY * float(np.finfo(np.float64).eps) * ELEMENTARY["float64"])
    for factor in SHRINKINGS:
        drawn = revealing_parameters(spec.shapes(), seed)
        parameters = {name: round_to_float32(value * factor) for name, value in drawn.items()}
        condition = measure_condition(model, spec, parameters, batch, seed)
        if 2 * max(condition.values()) < allowed:
            return parameters, condition
    worst = max(condition, key=lambda key: condition[key])
    raise CrossfwError(
        "a comparison within the bounds of rounding",
        f"the model magnifies rounding errors {condition[worst]:.1e} times (at {worst}), even with small weights",
        "scale the features of the data to about 1",
    )


def _gradients(model: str, spec: Any, parameters: dict, batch: dict) -> dict[str, np.ndarray]:
    """The reference's true gradients, float64."""
    reference = reference_class(model)(spec, "float64", "cpu")
    reference.parameters.update(parameters)
    _, gradients, _, _ = reference.backward(batch["inputs"], batch["targets"], batch["state"])
    return gradients
