"""The state that every stage starts from, the same for all implementations and both dtypes.

Because a stage starts from here and not from what the stage before it computed, a fault shows in the stage that
has it and does not spread. All values are rounded to float32, so that float32 runs start from them exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from crossfw.agreement.bounds import CEILING, ELEMENTARY, SAFETY
from crossfw.agreement.condition import measure_condition
from crossfw.errors import CrossfwError
from crossfw.models import reference_class
from crossfw.models.dropout import masks
from crossfw.models.initial import revealing_parameters, round_to_float32
from crossfw.optimizers.numpy import clip_global_norm
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec

# Exact in float32, and none of them a default that a port could have written down by mistake.
HYPER_PARAMETERS = {
    "learning_rate": 2.0**-7,
    "momentum": 0.875,
    "beta1": 0.75,
    "beta2": 0.96875,
    "rho": 0.9375,
    "epsilon": 2.0**-10,
}
WITHOUT_DECAY_OF_BIASES = ("nag", "adam")
CLIPPED_BY_VALUE = "rmsprop"  # where MXNet's own clipping comes after the weight decay
OTHER_CLIPPING = ("sgd below the threshold", "sgd without clipping")  # the optimizer alone is that of "sgd"
WARM_UPDATES = 3
LARGE = 150_000  # parameters
MASKS = ("mask", "source_mask")
SHRINKINGS = (1.0, 0.25, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-10)


@dataclass(frozen=True)
class Shared:
    """Inputs of the stages.

    Attributes:
        spec: of the model.
        parameters: revealing values by canonical name.
        batch: named arrays, dropout masks among them, and masks of padding that hide something; state: by name (N, H),
            not zero.
        output: made-up outputs for the loss alone.
        gradients: two sets of made-up gradients for clipping and the optimizers alone, from a fresh state.
        gradients_along_moments: another one, for an update from `moments`, with their signs.
        norm: of the true gradient at `parameters`; half of it clips, twice of it does not.
        moments: made-up optimizer state, by name and parameter; second moments and squares are positive.
        condition: of the tensors, by "stage/tensor"; see `condition.py`.
        recipe: the task's own optimizer, or None.
    """

    spec: Any
    parameters: dict[str, np.ndarray]
    batch: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    output: np.ndarray
    gradients: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
    gradients_along_moments: dict[str, np.ndarray]
    norm: float
    moments: dict[str, dict[str, np.ndarray]]
    condition: dict[str, float]
    recipe: OptimizerSpec | None = None

    @property
    def thresholds(self) -> dict[str, float]:
        """Clipping thresholds: one that is exceeded, one that is not."""
        return {"above the threshold": self.norm / 2, "below the threshold": self.norm * 2}

    @cached_property
    def scale(self) -> float:
        """Root mean square of the true gradients' elements; in float32, exactly."""
        return gradient_scale(self.norm, self.parameters)

    @cached_property
    def weight_decay(self) -> float:
        """A power of two with which the decay of no weight is more than an eighth of `scale`.

        So wd w cannot cancel a made-up gradient (at least 0.6 `scale`), nor what the moments (at least 0.3 `scale`)
        bring into an update, even after an update that took a weight through zero (none moves it by 1/16); and yet
        it is so much of them that no bound hides it.
        """
        largest = max(float(np.abs(value).max()) for value in self.parameters.values()) + 2.0**-4
        return 2.0 ** math.floor(math.log2(self.scale / (8 * largest)))

    def memory(self, stage: str, tensor: str) -> float:
        """The memory of the optimizer that a tensor of the stages update and optimizer state is about; else 0."""
        if stage not in ("update", "optimizer state"):
            return 0.0
        found = [memory_of(spec) for name, spec in self.optimizers.items() if f"({name}, " in tensor]
        return max(found, default=0.0)

    @cached_property
    def optimizers(self) -> dict[str, OptimizerSpec]:
        """The optimizers, by their names in the report; all decay, and clip at half of the true gradient's norm.

        Besides, plain SGD clips at twice the norm, which must change nothing, and not at all. A large model is put
        through SGD and its recipe's own optimizer only: they all work element by element, whatever the size.
        """
        large = sum(value.size for value in self.parameters.values()) > LARGE
        specs = {
            name: OptimizerSpec(
                name=name,
                clip=self.norm / 2,
                clip_value=self.scale if name == CLIPPED_BY_VALUE else None,
                weight_decay=self.weight_decay,
                decay_biases=name not in WITHOUT_DECAY_OF_BIASES,
                **HYPER_PARAMETERS,
            )
            for name in (("sgd",) if large else STATE_NAMES)
        }
        if not large:
            specs.update(zip(OTHER_CLIPPING, (replace(specs["sgd"], clip=theta) for theta in (self.norm * 2, None))))
        if self.recipe is not None:
            specs[self.recipe_name] = self.recipe
        return specs

    @property
    def recipe_name(self) -> str:
        """Of the recipe's optimizer in the report."""
        return f"the recipe's {self.recipe.name}" if self.recipe else ""

    @property
    def whole_steps(self) -> tuple[str, ...]:
        """The optimizers that take a whole training step: every way of clipping, and the recipe's own.

        A step is gradients, clipping and update; what an optimizer does with gradients does not depend on where they
        come from, so the others are given made-up ones.
        """
        names = ("sgd", *OTHER_CLIPPING, CLIPPED_BY_VALUE, self.recipe_name)
        return tuple(name for name in names if name in self.optimizers)


def revealing_mask(steps: int, batch_size: int) -> np.ndarray:
    """A mask (T, N) that hides something wherever it can: the first sequence is whole, each further one shorter.

    The corner of a batch that is looked at may have no padding, and then a mask that is ignored would not be missed.
    """
    lengths = np.maximum(steps - np.arange(batch_size), 1)
    if batch_size == 1:
        lengths = np.maximum(lengths - 1, 1)
    return (np.arange(steps)[:, None] < lengths).astype(np.float64)


def revealing_shown(steps: int, batch_size: int) -> np.ndarray:
    """As `revealing_mask`, of outputs: the first step is hidden too, where there are others."""
    shown = revealing_mask(steps, batch_size)
    shown[0] = float(steps == 1)
    shown[-1, 0] = 1.0  # something is left to look at
    return shown


def memory_of(optimizer: OptimizerSpec) -> float:
    """1 / (1 - beta) of the longest memory of an optimizer; 0 where it has none that is computed so."""
    betas = {"adam": (optimizer.beta1, optimizer.beta2), "rmsprop": (optimizer.rho,)}.get(optimizer.name, ())
    return max((1 / (1 - beta) for beta in betas), default=0.0)


def gradient_scale(norm: float, parameters: dict[str, np.ndarray]) -> float:
    """Root mean square of the elements of a gradient with this norm, in float32."""
    return float(np.float32(norm / np.sqrt(sum(value.size for value in parameters.values()))))


def make_shared(
    model: str, spec: Any, batch: dict[str, np.ndarray], recipe: OptimizerSpec | None = None, seed: int = 0
) -> Shared:
    """Draw the shared state for a model and one batch of its data.

    Parameters are shrunk until rounding is not magnified beyond what the bounds allow for; large features saturate
    an activation, and then nothing could be told from the digits that are left.

    Raises:
        CrossfwError: the batch does not suit the model, or rounding is magnified too much whatever the parameters.
    """
    rng = np.random.default_rng([seed, 3])
    try:
        spec.check(batch)
    except ValueError as error:
        raise CrossfwError("a batch of the data", str(error), "mend the data, or the sizes of the model") from error
    shapes = spec.state_shapes(batch["inputs"].shape[1])
    given = {
        "batch": {
            **{name: round_to_float32(value) if value.dtype.kind == "f" else value for name, value in batch.items()},
            **{name: revealing_mask(*batch[name].shape) for name in MASKS if name in batch},
            **({"shown": revealing_shown(*batch["shown"].shape)} if "shown" in batch else {}),
            **masks(spec, batch, rng),
        },
        "state": {name: round_to_float32(rng.uniform(0.2, 0.9, shape)) for name, shape in shapes.items()},
        # within 1 of zero no class is nearly certain, so the loss keeps its digits
        "output": round_to_float32(rng.uniform(-1.0, 1.0, spec.output_shape(batch))),
    }
    parameters, condition = _well_conditioned(model, spec, given, seed)
    true_gradients = _gradients(model, spec, parameters, given)
    norm = float(np.float32(clip_global_norm(list(true_gradients.values()), np.inf)))
    scale = gradient_scale(norm, parameters)

    def along(signs: dict[str, np.ndarray], size: float) -> dict[str, np.ndarray]:
        """Values of about a size that never cancel the ones whose signs they share: a sum of both keeps its digits."""
        return {
            name: round_to_float32(np.where(value < 0, -1.0, 1.0) * rng.uniform(0.3 * size, size, value.shape))
            for name, value in signs.items()
        }

    ones = {name: np.ones_like(value) for name, value in parameters.items()}
    made_up = along(parameters, 2 * scale)  # g + wd w keeps its digits, with the recipe's own wd too
    moments = {
        "momentum": along(true_gradients, scale),
        "first_moment": along(true_gradients, scale),
        "second_moment": along(ones, scale**2),
        "squares": along(ones, scale**2),
    }
    return Shared(
        spec=spec,
        parameters=parameters,
        gradients=(made_up, along(made_up, 2 * scale)),
        gradients_along_moments=along(true_gradients, 2 * scale),
        norm=norm,
        moments=moments,
        condition=condition,
        recipe=recipe,
        **given,
    )


def _well_conditioned(model: str, spec: Any, given: dict, seed: int) -> tuple[dict, dict[str, float]]:
    """Revealing parameters, shrunk as much as it takes, and the condition of the tensors under them."""
    allowed = CEILING["float64"] / (SAFETY * float(np.finfo(np.float64).eps) * ELEMENTARY["float64"])
    for factor in SHRINKINGS:
        drawn = revealing_parameters(spec.shapes(), seed)
        parameters = {name: round_to_float32(value * factor) for name, value in drawn.items()}
        condition = measure_condition(model, spec, parameters, given, seed)
        if 2 * max(condition.values()) < allowed:
            return parameters, condition
    worst = max(condition, key=lambda key: condition[key])
    raise CrossfwError(
        "a comparison within the bounds of rounding",
        f"the model magnifies rounding errors {condition[worst]:.1e} times (at {worst}), even with small weights",
        "scale the features of the data to about 1",
    )


def _gradients(model: str, spec: Any, parameters: dict, given: dict) -> dict[str, np.ndarray]:
    """The reference's true gradients, float64."""
    reference = reference_class(model)(spec, "float64", "cpu")
    reference.parameters.update(parameters)
    return reference.backward(given["batch"], given["state"]).gradients
