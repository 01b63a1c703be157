"""The contract between the harness, which fills results, and the report, which shows them: `results.json`.

The keys of the design stand first in each table; what was added to them is marked "(added)".
The rows of sweeps are in `schema_sweep.py`.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from crossfw.results.schema_sweep import Sweep

SCHEMA = 1

VerdictWord = Literal["agree", "disagree", "incomplete"]
Grade = Literal["equal", "less accurate", "different"]


class AgreementRow(TypedDict):
    """One tensor of one stage, compared.

    `against` is "numpy" (the reference) or another implementation. `error` is max|a - b| / max|b| (inf for NaN
    or another shape); against another implementation in float32 it is the difference between the two.
    """

    implementation: str
    against: str
    stage: str  # self-agreement, parameters, forward, loss, gradients, clipping, update, optimizer state, ...
    tensor: str
    dtype: str
    error: float
    bound: float
    grade: Grade
    factor: float | None  # (added) float32: how many times less accurate than its counterpart


class PerplexityRow(TypedDict):
    """One point of a curve; epochs count from 1."""

    implementation: str
    seed: int
    epoch: int
    split: Literal["training", "validation"]
    perplexity: float
    loss: float  # (added) what is minimised, mean over the epoch's batches
    dtype: str  # (added)
    perturbed: bool  # (added) started one unit in the last place away (the reference also rounded otherwise), for noise


class ThroughputRow(TypedDict):
    """Tokens per second of one implementation in one mode, and its ratio to another.

    A row whose `ratio_to` is the implementation itself is the A/A control: a second process of the same code.
    """

    implementation: str
    mode: Literal["train", "infer"]
    tokens_per_second: float
    low: float
    high: float
    samples: list[float]
    ratio_to: str | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    limit_fraction: float | None  # of what the machine's own product and copy would allow in this framework
    peak_memory_bytes: int | None  # above the idle worker, in training
    limit_by: Literal["operations", "bytes"] | None  # (added) which of the two sets the limit
    outliers: int  # (added) samples far from the others; they are kept
    first_step_seconds: float | None  # (added) of the first step of this mode, graph building included
    build_seconds: float | None  # (added) of making the model
    memory_per_step_bytes: float | None  # (added) growth of the peak with each step that the sequences are longer


class ModeMeasurement(TypedDict):
    """(added) How long one mode was measured, and what a step on the batch costs at least."""

    rounds: int
    precise: bool  # whether the interval of every ratio is narrower than `Measurement.width`
    operations: float  # floating-point, of the matrix products of one step
    bytes: float  # between memory and processor, in one step
    small_products: dict[str, float]  # by worker: per second, timed after its visits; the median over rounds


class Measurement(TypedDict):
    """(added) How the speed of a task was measured: what the workers were given, and what they read back."""

    budget_seconds: float  # of each mode
    width: float  # of a 95 % interval, as a part of the ratio, at which the rounds end
    threads: int
    cpus: list[int]  # that every worker was pinned to; empty for none
    read_back: dict[str, dict[str, Any]]  # by worker: threads, thread_pools, cpus, variables, card
    modes: dict[str, ModeMeasurement]
    rates: dict[str, dict[str, float]]  # by framework: operations and bytes per second, and the size of the matrices
    steps_cells: list[str]  # implementations that step cells one by one instead of whole layers
    warnings: list[str]  # unequal settings; other programs, throttling, stolen time


class PublishedRow(TypedDict):
    """A published figure beside what was measured here."""

    quantity: str
    framework: str
    published: float
    measured: float | None
    source: str
    implementation: str  # (added)
    verdict: str  # (added) "reproduced", "not reproduced", or why it was not measured; more may follow after "; "
    mxnet_measured: float | None  # (added) by MXNet's implementation of the same style; None for worked examples
    torch_measured: float | None  # (added) by PyTorch's


class Failure(TypedDict):
    """A cell that gave no result, and why."""

    implementation: str
    stage: str
    reason: str


class CausalityRow(TypedDict):
    """(added) Whether outputs up to t moved when inputs after t were changed."""

    implementation: str
    causal: bool
    change: float


class TrajectoryRow(TypedDict):
    """(added) Two float64 curves, compared at one epoch.

    `gap` is |a - b| / b of the perplexities, the larger of training and validation; `floor` the largest such gap of
    the reference to itself, so far, after its initial weights were moved by one unit in the last place and every update
    was rounded in another way; `bound` what is allowed: the bound of rounding or a multiple of the floor, whichever is
    more.
    """

    implementation: str
    against: str
    epoch: int
    gap: float
    floor: float
    bound: float


class EquivalenceRow(TypedDict):
    """(added) Final training perplexities over seeds: two one-sided tests within a margin on the ratio."""

    implementation: str
    against: str
    ratio: float
    low: float
    high: float
    margin: float
    p_value: float
    equivalent: bool


class Learning(TypedDict):
    """(added) Does it learn the same? `horizon` is the last epoch at which curves can be compared exactly."""

    verdict: Literal["same", "different", "not tested"]
    text: str
    horizon: int | None
    updates: int | None  # up to the horizon; None in a report of an earlier crossfw
    epochs: int
    trajectory: list[TrajectoryRow]
    equivalence: list[EquivalenceRow]


class MeasureRow(TypedDict):
    """(added) What a trained model of one seed can do: accuracy, F1, BLEU, distances; `measure` names the data too."""

    implementation: str
    seed: int
    measure: str
    value: float
    dtype: str


class Sample(TypedDict):
    """(added) What a trained model wrote after a prefix, or made of an input, and what was expected ("" if nothing)."""

    implementation: str
    prefix: str
    expected: str
    decoding: str  # how it was had: "greedy", "test data, beam of 3", ...
    text: str


class TaskResult(TypedDict):
    """Everything about one task."""

    task: str
    verdict: VerdictWord
    agreement: list[AgreementRow]
    perplexity: list[PerplexityRow]
    throughput: list[ThroughputRow]
    published: list[PublishedRow]
    failures: list[Failure]
    title: str  # (added)
    description: str  # (added) model, data and recipe in one or two sentences
    setup: dict[str, Any]  # (added) every setting of the task, and the sizes that its data gave
    reason: str  # (added) one line for the verdict; for a disagreement the first failing stage and tensor
    first_divergence: list[AgreementRow]  # (added) the first failing row of each pair that disagrees
    learning: Learning | None  # (added) None where nothing is trained
    causality: list[CausalityRow]  # (added)
    floor: float | None  # (added) the best perplexity that is possible, where it is known
    measures: list[MeasureRow]  # (added)
    samples: list[Sample]  # (added)
    notes: list[dict[str, str]]  # (added) {"implementation", "note"}: what a reader must know
    sweeps: list[Sweep]  # (added) one for each --sweep
    warnings: list[str]  # (added) e.g. the A/A control's interval leaves 1
    measurement: Measurement | None  # (added) None where no speed was measured


class Results(TypedDict):
    """A report."""

    schema: int
    crossfw: str
    created: str
    command: list[str]
    environment: dict[str, Any]  # machine {...}, threads, implementations {name: versions and threads}
    suite: str  # (added)
    tasks: list[TaskResult]
