"""A task made ready: its data, its model's spec, the state that its stages share, and what its cells depend on."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from crossfw import __version__
from crossfw.agreement.shared import Shared, make_shared
from crossfw.backends.client import PACKAGE
from crossfw.data.dataset import Dataset, load_dataset
from crossfw.data.inline import InlineSpec
from crossfw.errors import CrossfwError
from crossfw.harness.options import RunOptions
from crossfw.harness.store import fingerprint
from crossfw.models import REFERENCE, Implementation, spec_class
from crossfw.task import Task
from crossfw.training.curves import TrainingPlan

TRAJECTORY_EPOCHS = 100


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
    def dataset(self) -> Dataset | None:
        """The batches; None for a task that holds its data itself."""
        inline = isinstance(self.task.data, InlineSpec)
        return None if inline else load_dataset(self.task.data, self.options.data_dir)

    @cached_property
    def batch(self) -> Any:
        """The first batch, which the agreement stages use."""
        return self.task.data.batch() if self.dataset is None else self.dataset.training(0, 1)[0]

    @cached_property
    def spec(self) -> Any:
        """The model's spec with the sizes that the data gave."""
        if self.dataset is None:
            sizes = self.batch.inputs.shape[-1], int(self.batch.targets.max()) + 1
        else:
            sizes = (len(self.dataset.vocabulary),) * 2
        return spec_class(self.task.model.kind)(**self.task.spec_values(*sizes))

    @cached_property
    def shared(self) -> Shared:
        """The state that the agreement stages start from."""
        recipe = self.task.recipe.optimizer_spec() if self.task.recipe else None
        return make_shared(self.task.model.kind, self.spec, self.batch.inputs, self.batch.targets, recipe)

    @property
    def epochs(self) -> int:
        """Epochs of the curves that are reported; 0 where nothing is trained."""
        recipe, options = self.task.recipe, self.options
        if recipe is None or self.dataset is None:
            return 0
        quick = recipe.quick_epochs if options.suite == "quick" else None
        return options.epochs or quick or recipe.epochs

    def check(self) -> None:
        """Load everything, so that a mistake in the task is told before anything runs.

        Raises:
            CrossfwError: the data cannot be had or do not suit the task, or the prefix to continue has unknown tokens.
        """
        _ = self.shared
        if self.dataset is None or self.task.generate is None:
            return
        prefix, known = self.task.generate.prefix, set(self.dataset.vocabulary.tokens)
        tokens = list(prefix) if self.task.data.unit == "character" else prefix.split()
        strange = [token for token in dict.fromkeys(tokens) if token not in known]
        if strange or not tokens:
            found = f"not in the vocabulary: {', '.join(map(repr, strange))}" if strange else "it is empty"
            raise CrossfwError(f"generate.prefix = {prefix!r}", found, "write it with tokens of the prepared text")

    def setup(self) -> dict[str, Any]:
        """Every setting of the task, for the report."""
        task, dataset = self.task, self.dataset
        sizes = {"parameters": sum(int(np.prod(shape)) for shape in self.spec.shapes().values())}
        if dataset is not None:
            sizes |= {
                "vocabulary": len(dataset.vocabulary),
                "training tokens": len(dataset.training_ids),
                "validation tokens": len(dataset.validation_ids),
                "updates per epoch": len(dataset.training(0, 1)),
                "epochs run": f"{self.epochs} of {task.recipe.epochs}" if task.recipe else None,
            }
        data = {} if dataset is None else asdict(task.data)
        return {**asdict(self.spec), **sizes, **data, **(asdict(task.recipe) if task.recipe else {})}

    @property
    def compared_epochs(self) -> int:
        """Epochs of the curves that are compared exactly; noise takes over before the last of them."""
        return min(self.epochs, TRAJECTORY_EPOCHS)

    @cached_property
    def identity(self) -> str:
        """What every cell of the task depends on: the task, its data, and crossfw's own code."""
        data = self.dataset.fingerprint if self.dataset else None
        return fingerprint(__version__, source_hash(PACKAGE), asdict(self.task), data)

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
        return fingerprint(cells, missing, o.suite, o.epochs, o.seeds, o.dtype, o.threads)

    def plans(self, implementation: Implementation) -> list[TrainingPlan]:
        """The training cells of an implementation.

        float64 twice, for the trajectory; then the dtype that is reported, from every seed, and once more one unit
        in the last place away. The reference is trained only as far as trajectories are compared.
        """
        if not self.epochs:
            return []
        device, dtype = self.options.device, self.options.dtype
        plans = [TrainingPlan("float64", device, 0, self.compared_epochs, moved) for moved in (False, True)]
        if implementation.name == REFERENCE:
            plans += [TrainingPlan(dtype, device, 0, self.compared_epochs, moved) for moved in (False, True)]
            return list(dict.fromkeys(plans))
        plans += [TrainingPlan(dtype, device, seed, self.epochs) for seed in range(self.options.seeds)]
        plans.append(TrainingPlan(dtype, device, 0, self.epochs, perturbed=True))
        return list(dict.fromkeys(plans))
