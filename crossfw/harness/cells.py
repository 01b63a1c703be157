"""The cells of one task: which there are, and what each computes. A finished cell is read back, not run again."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Callable

import numpy as np

from crossfw import __version__
from crossfw.agreement import examples
from crossfw.agreement.causality import change_through_the_future
from crossfw.agreement.record import Interrupted, record
from crossfw.agreement.shared import Shared, make_shared
from crossfw.agreement.trace import Trace
from crossfw.backends.client import PACKAGE, CallFailed, WorkerDied, WorkerError
from crossfw.data.dataset import Dataset, load_dataset
from crossfw.data.inline import InlineSpec
from crossfw.errors import CrossfwError
from crossfw.harness.crew import Crew, Job
from crossfw.harness.options import RunOptions
from crossfw.harness.store import Store, fingerprint
from crossfw.models import REFERENCE, Implementation, spec_class
from crossfw.schema import Failure
from crossfw.task import Task
from crossfw.training.curves import TrainingPlan, train

TRAJECTORY_EPOCHS = 100
DTYPES = ("float64", "float32")


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


def source_hash(folder: Path, pattern: str = "**/*.py") -> str:
    """SHA-256 (hex) of the source files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def plan_name(implementation: str, plan: TrainingPlan) -> str:
    """The file name of a training cell."""
    return (
        f"{implementation}.training.{plan.dtype}.seed{plan.seed}{'.perturbed' if plan.perturbed else ''}.e{plan.epochs}"
    )


@dataclass
class Cells:
    """Runs the cells of a task's agreement and training, and holds what they gave."""

    work: Work
    store: Store
    crew: Crew
    advance: Callable[[], None]
    traces: dict[str, Trace] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def jobs(self, implementation: Implementation) -> list[Job]:
        """All cells of one implementation, in order."""
        agreement = [lambda dtype=dtype: self.agreement(implementation, dtype) for dtype in DTYPES]
        training = [lambda plan=plan: self.training(implementation, plan) for plan in self.work.plans(implementation)]
        return agreement + training

    def ticks(self, implementation: Implementation) -> int:
        """How often `advance` is called by its jobs: once per agreement cell and per epoch."""
        return len(DTYPES) + sum(plan.epochs for plan in self.work.plans(implementation))

    def agreement(self, implementation: Implementation, dtype: str) -> None:
        """Stages 0 to 7 in one dtype; in float64 also causality and worked examples."""
        work = self.work

        def compute(worker: Any) -> Trace:
            trace = record(worker, work.task.model.kind, work.shared, dtype, work.options.device)
            if dtype == "float64":
                trace.facts["causality"] = change_through_the_future(worker, work.shared)
                if work.task.example:
                    trace.facts["examples"] = examples.compute(worker, work.task, work.spec, work.options.device)
            return trace

        self._cell(implementation, f"{implementation.name}.agreement.{dtype}", {"dtype": dtype}, compute)
        self.advance()

    def training(self, implementation: Implementation, plan: TrainingPlan) -> None:
        """One training cell."""
        work, ticked = self.work, 0

        def tick() -> None:
            nonlocal ticked
            ticked += 1
            self.advance()

        def compute(worker: Any) -> Trace:
            return train(worker, work.task, work.dataset, work.spec, plan, tick)

        self._cell(implementation, plan_name(implementation.name, plan), asdict(plan), compute)
        for _ in range(plan.epochs - ticked):
            self.advance()

    def _cell(self, implementation: Implementation, name: str, plan: dict, compute: Callable[[Any], Trace]) -> None:
        key = self.work.cell_key(implementation, plan)
        trace = self.store.load(self.work.task.name, name, key)
        if trace is None:
            try:
                trace = compute(self.crew.worker(implementation))
            except (WorkerError, Interrupted) as error:
                stage = name[len(implementation.name) + 1 :]
                if isinstance(error, Interrupted):
                    self.traces[name], error = error.trace, error.error
                self.failures.append(Failure(implementation=implementation.name, stage=stage, reason=explain(error)))
                return
            self.store.save(self.work.task.name, name, key, trace)
        self.traces[name] = trace


def explain(error: WorkerError) -> str:
    """One line for the report.

    A framework that cannot be imported gets the command that installs it, an exception the place where it was raised,
    a process that died its last words.
    """
    if isinstance(error, CallFailed) and error.kind in ("ModuleNotFoundError", "ImportError"):
        for framework in ("mxnet", "torch"):
            if f"'{framework}'" in error.reason:
                return f"{framework} is not installed in the worker's Python: pip install 'crossfw[{framework}]'"
    reason = error.reason.strip().splitlines()[0]
    if isinstance(error, CallFailed):
        places = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', error.detail)
        own = [place for place in places if PACKAGE not in Path(place[0]).parents and "site-packages" not in place[0]]
        if places:
            file, line, function = (own or places)[-1]
            return f"{reason} ({Path(file).name}, line {line}, in {function})"
    last = error.detail.strip().splitlines()[-1:] if isinstance(error, WorkerDied) else []
    return f"{reason} (its last words: {last[0].strip()})" if last else reason
