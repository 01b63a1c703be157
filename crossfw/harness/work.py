"""A task made ready: its data, its model's spec, the state that its stages share, and what its cells depend on."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from crossfw import __version__
from crossfw.agreement.shared import Shared, make_shared
from crossfw.data import DataSpec, InlineSpec, load_dataset
from crossfw.errors import CrossfwError
from crossfw.harness.options import RunOptions
from crossfw.harness.store import fingerprint
from crossfw.models import REFERENCE, Implementation
from crossfw.task import Task
from crossfw.throughput.measure import FULL, GLANCE, NAMED, Effort
from crossfw.training.curves import TrainingPlan
from crossfw.workers.client import PACKAGE

AGREEMENT_STEPS = 8
AGREEMENT_SEQUENCES = 4


def corner(batch: dict[str, np.ndarray], steps: int | None, sequences: int | None) -> dict[str, np.ndarray]:
    """The first steps of the first sequences of a batch; None for all of them."""
    return {
        name: np.ascontiguousarray(value[:steps, :sequences] if value.ndim > 1 else value[:sequences])
        for name, value in batch.items()
    }


def source_hash(folder: Path, pattern: str = "**/*.py") -> str:
    """SHA-256 (hex) of the source files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Work:
    """A task with its data and its model's spec, under the options of a run.

    Raises:
        CrossfwError: the data cannot be loaded or do not suit the task.
    """

    task: Task
    options: RunOptions

    @cached_property
    def dataset(self) -> Any:
        """The batches."""
        return load_dataset(self.task.data, self.options.data_dir)

    @cached_property
    def batch(self) -> dict[str, np.ndarray]:
        """The first batch."""
        return self.dataset.training(0, 1)[0].arrays()

    @cached_property
    def agreement_batch(self) -> dict[str, np.ndarray]:
        """The corner of the first batch that the agreement stages use: what is wrong is wrong in few steps too."""
        return corner(self.batch, AGREEMENT_STEPS, AGREEMENT_SEQUENCES)

    @cached_property
    def spec(self) -> Any:
        """The model's spec with the sizes that the data gave."""
        return self.task.spec(self.dataset.sizes)

    @cached_property
    def shared(self) -> Shared:
        """The state that the agreement stages start from."""
        recipe = self.task.recipe.optimizer if self.task.recipe else None
        return make_shared(self.task.model.kind, self.spec, self.agreement_batch, recipe)

    @property
    def epochs(self) -> int:
        """Epochs of the curves that are reported; 0 where nothing is trained."""
        recipe, options = self.task.recipe, self.options
        if recipe is None:
            return 0
        quick = recipe.quick_epochs if options.suite == "quick" else None
        return options.epochs or quick or recipe.epochs

    @property
    def batches_used(self) -> int | None:
        """Batches of an epoch that are used; None for all."""
        recipe = self.task.recipe
        return recipe.quick_updates if recipe and self.options.suite == "quick" else None

    @property
    def updates_per_epoch(self) -> int:
        """Batches that an epoch trains on."""
        return len(self.dataset.training(0, 1)[: self.batches_used])

    @property
    def seeds(self) -> int:
        """From how many seeds the curves that are reported are trained."""
        recipe = self.task.recipe
        return self.options.seeds or (recipe.seeds if recipe and self.options.suite == "full" else 1)

    def is_trained_to_the_end(self, implementation: Implementation) -> bool:
        """Whether its curve has all `epochs`: a user's own, in a named task, or by `Recipe.full_implementations`."""
        named, options = self.task.recipe.full_implementations, self.options
        everything = options.suite != "full" or options.tasks or implementation.file
        spoken_of = {i.name for i in options.implementations}.issuperset(named)
        return bool(everything or not named or not spoken_of or implementation.name in named)

    def check(self) -> None:
        """Load everything, so that a mistake in the task is told before anything runs.

        Raises:
            CrossfwError: the data cannot be had or do not suit the task, or the prefix to continue has unknown tokens.
        """
        _ = self.shared
        if self.task.generate is None or not isinstance(self.task.data, DataSpec):
            return
        prefix, known = self.task.generate.prefix, set(self.dataset.vocabulary.tokens)
        tokens = list(prefix) if self.task.data.unit == "character" else prefix.split()
        strange = [token for token in dict.fromkeys(tokens) if token not in known]
        if strange or not tokens:
            found = f"not in the vocabulary: {', '.join(map(repr, strange))}" if strange else "it is empty"
            raise CrossfwError(f"generate.prefix = {prefix!r}", found, "write it with tokens of the prepared text")

    def setup(self) -> dict[str, Any]:
        """Every setting of the task, for the report."""
        task, recipe = self.task, self.task.recipe
        found = {
            **asdict(self.spec),
            "parameters": sum(int(np.prod(shape)) for shape in self.spec.shapes().values()),
            **self.dataset.describe(),
        }
        if recipe is not None:
            found["updates per epoch"] = f"{self.updates_per_epoch} of {len(self.dataset.training(0, 1))}"
            found["epochs run"] = f"{self.epochs} of {recipe.epochs}"
            found.update(self._shorter_curves())
        data = {} if isinstance(task.data, InlineSpec) else asdict(task.data)
        training = {} if recipe is None else {**asdict(recipe), "optimizer": recipe.optimizer.name}
        training.pop("full_implementations", None)  # `_shorter_curves` tells what came of it
        optimizer = {} if recipe is None else recipe.optimizer.settings()
        return {**data, **found, **training, **optimizer}

    def _shorter_curves(self) -> dict[str, str]:
        """Which implementations are not trained to the end, as a setting for the report."""
        own = [i for i in self.options.implementations if i.name != REFERENCE]
        shorter = [i.name for i in own if not self.is_trained_to_the_end(i)]
        what = f"{', '.join(shorter)}: {self.compared_epochs} epochs, as far as curves are compared exactly"
        return {"not trained to the end": what} if shorter else {}

    @property
    def compared_epochs(self) -> int:
        """Epochs of the curves that are compared exactly, as the task says."""
        return min(self.epochs, self.task.recipe.compared_epochs) if self.task.recipe else 0

    @cached_property
    def identity(self) -> str:
        """What every cell of the task depends on: the task, its data, and crossfw's own code."""
        return fingerprint(__version__, source_hash(PACKAGE), asdict(self.task), self.dataset.fingerprint)

    def cell_key(self, implementation: Implementation, *plan: Any) -> str:
        """What one cell depends on besides: its plan, the device, the interpreter, and the files of a user's port."""
        python = dict(self.options.pythons).get(implementation.framework, sys.executable)
        code = source_hash(Path(implementation.file).parent, "*.py") if implementation.file else None
        return fingerprint(
            self.identity, implementation.name, implementation.file, code, python, self.options.device, plan
        )

    def conclusion_key(self, missing: list[str]) -> str:
        """What the result of the whole task depends on."""
        o = self.options
        cells = [self.cell_key(implementation) for implementation in o.implementations]
        speed = o.threads, self.measures_memory, [asdict(swept) for swept in o.sweeps]
        return fingerprint(cells, missing, o.suite, o.epochs, self.seeds, o.dtype, *speed)

    @property
    def measures_memory(self) -> bool:
        """Whether memory is measured: it takes a fresh process each, too much for a quick look at every task."""
        return self.effort is not GLANCE

    @property
    def effort(self) -> Effort:
        """How long speed is measured."""
        return NAMED if self.options.tasks else FULL if self.options.suite == "full" else GLANCE

    def plans(self, implementation: Implementation) -> list[TrainingPlan]:
        """The training cells of an implementation.

        float64 twice, for the trajectory; then the dtype that is reported, from every seed, and once more one unit
        in the last place away. The reference is trained only as far as trajectories are compared, the second time with
        another rounding at every update too. In a quick run it alone is trained a second time: noise has no time to
        grow in a few updates, and the reference's is the floor.
        """
        if not self.epochs:
            return []
        device, dtype = self.options.device, self.options.dtype
        make = partial(TrainingPlan, device=device, batches_used=self.batches_used)
        if implementation.name == REFERENCE:
            plans = [
                make(kind, seed=0, epochs=self.compared_epochs, perturbed=moved, rounded_otherwise=moved)
                for kind in ("float64", dtype)
                for moved in (False, True)
            ]
            return list(dict.fromkeys(plans))
        if not self.is_trained_to_the_end(implementation):
            kinds = dict.fromkeys((dtype, "float64"))
            return [make(kind, seed=0, epochs=self.compared_epochs) for kind in kinds]
        plans = [make(dtype, seed=seed, epochs=self.epochs, evaluated=True) for seed in range(self.seeds)]
        if dtype != "float64" or self.epochs != self.compared_epochs:  # else it is the first of these
            plans.append(make("float64", seed=0, epochs=self.compared_epochs))
        if self.options.suite != "quick":
            plans += [make(kind, seed=0, epochs=self.compared_epochs, perturbed=True) for kind in ("float64", dtype)]
        return list(dict.fromkeys(plans))
