"""A training cell: one implementation trained on one task from one seed, and the curve that it drew."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Callable

import numpy as np

from crossfw.agreement.trace import Trace
from crossfw.models.initial import initial_parameters, one_ulp_away
from crossfw.task import Task
from crossfw.training.evaluation import Evaluation

CHECKPOINT_UPDATES = 100
VALIDATED = 5  # beyond the epochs that are compared, every so many epochs are validated, and the last one
DROPOUT_STREAM, ROUNDING_STREAM = 5, 6  # beside those of `crossfw.models.initial` and of the shared state


@dataclass(frozen=True)
class TrainingPlan:
    """What tells one training cell of a task from another.

    Attributes:
        dtype, device: to train in and on.
        seed: of the initial weights and of the batches.
        epochs: passes over the training data.
        batches_used: of each pass; None for all.
        perturbed: start one unit in the last place away.
        rounded_otherwise: and round every update as another implementation might; for the reference only.
        evaluated: ask the trained model for predictions and texts.
    """

    dtype: str
    device: str
    seed: int
    epochs: int
    batches_used: int | None = None
    perturbed: bool = False
    rounded_otherwise: bool = False
    evaluated: bool = False


def perplexity(nll: float, tokens: int) -> float:
    """exp(total negative log-likelihood in nats / tokens); inf where that overflows."""
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return math.inf


def make_ready(backend: Any, task: Task, spec: Any, dtype: str, device: str, weights: dict[str, np.ndarray]) -> None:
    """Build a task's model in a backend, load weights, and make a fresh optimizer of the recipe."""
    backend.call("build", model=task.model.kind, spec=asdict(spec), dtype=dtype, device=device)
    backend.call("load", parameters=weights)
    backend.call("configure_optimizer", spec=asdict(task.recipe.optimizer))


def recipe_weights(task: Task, spec: Any, seed: int) -> dict[str, np.ndarray]:
    """The recipe's initial weights, float64."""
    recipe = task.recipe
    return initial_parameters(spec.shapes(), recipe.initial, recipe.initial_scale, seed)


def _batches(batches: list) -> list:
    return [batch.arrays() for batch in batches]


class TrainingRun:
    """Drives a backend through the epochs of a plan."""

    def __init__(self, backend: Any, task: Task, dataset: Any, spec: Any, plan: TrainingPlan):
        self.backend, self.call = backend, backend.call
        self.task, self.dataset, self.spec, self.plan = task, dataset, spec, plan
        self.points: list[dict] = []
        self.updates = 0
        self.checkpoint: dict[str, np.ndarray] = {}
        self.diverged: dict | None = None

    def start(self) -> None:
        """Build the model, load its initial weights, make a fresh optimizer."""
        plan, weights = self.plan, recipe_weights(self.task, self.spec, self.plan.seed)
        weights = one_ulp_away(weights, plan.dtype) if plan.perturbed else weights
        make_ready(self.backend, self.task, self.spec, plan.dtype, plan.device, weights)
        if plan.rounded_otherwise:
            self.call("round_otherwise", seed=[plan.seed, ROUNDING_STREAM])

    def epoch(self, number: int) -> None:
        """Train one epoch, then validate, unless this epoch's curve is looked at from afar; `number` counts from 1."""
        carry = self.dataset.carries_state
        batches = _batches(self.dataset.training(self.plan.seed, number)[: self.plan.batches_used])
        seed = [self.plan.seed, number, DROPOUT_STREAM]
        trained = self.call("train", batches=batches, carry_state=carry, seed=seed)
        if trained["diverged"] or not math.isfinite(perplexity(trained["nll"], trained["tokens"])):
            place = trained["diverged"] or {"step": trained["steps"] - 1, "tensor": "perplexity", "value": "inf"}
            self.diverged = {"epoch": number, "update": self.updates + place["step"] + 1, **place}
            return
        self.updates += trained["steps"]
        self._note(number, "training", trained)
        looked_at = number <= self.task.recipe.compared_epochs or number % VALIDATED == 0 or number == self.plan.epochs
        validation = _batches(self.dataset.validation()[: self.plan.batches_used]) if looked_at else []
        if validation:
            self._note(number, "validation", self.call("evaluate", batches=validation, carry_state=carry))
        if self.updates >= CHECKPOINT_UPDATES and not self.checkpoint:
            self._take_checkpoint()

    def result(self) -> Trace:
        """The curve, measures and samples as facts; parameters after the first epoch past 100 updates, or the last."""
        trained = None
        if self.plan.evaluated and not self.diverged:
            trained = Evaluation(self.call, self.task, self.dataset)
        if not self.checkpoint and not self.diverged:
            self._take_checkpoint()
        facts = {
            "plan": asdict(self.plan),
            "points": self.points,
            "diverged": self.diverged,
            "measures": trained.measures if trained else [],
            "samples": trained.samples if trained else [],
            "checkpoint_updates": self.checkpoint_updates if self.checkpoint else None,
        }
        return Trace({f"trajectory/{name}": value for name, value in self.checkpoint.items()}, facts)

    def _note(self, epoch: int, split: str, counted: dict) -> None:
        value = perplexity(counted["nll"], counted["tokens"])
        point = {"epoch": epoch, "split": split, "perplexity": value, "loss": counted["loss"], "updates": self.updates}
        self.points.append(point)

    def _take_checkpoint(self) -> None:
        self.checkpoint, self.checkpoint_updates = self.call("export"), self.updates


def train(backend: Any, task: Task, dataset: Any, spec: Any, plan: TrainingPlan, advance: Callable[[], None]) -> Trace:
    """The trace of one training cell; `advance` is called after every epoch. It ends early when numbers diverge."""
    run = TrainingRun(backend, task, dataset, spec, plan)
    run.start()
    for number in range(1, plan.epochs + 1):
        run.epoch(number)
        advance()
        if run.diverged:
            break
    return run.result()
