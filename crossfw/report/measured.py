"""How the speed of a task was measured, and what was measured beside the rounds."""

from __future__ import annotations

from crossfw.report import facts
from crossfw.report.grids import Table, table
from crossfw.results import formatting
from crossfw.results.schema import Measurement, TaskResult
from crossfw.throughput import timing

SPEED = (
    "Tokens per second are the median over rounds. A ratio is the geometric mean of the rounds' own ratios; its "
    "interval is widened by what the A/A control, a second process of the same code, shows of the machine."
)
LIMIT = (
    "The limit is the least time that the model's matrix products and its traffic to memory take at the speed of the "
    "machine's own product of {size} x {size} matrices and of its own copy, in the same framework."
)
SMALL = (
    "The small product ({rows} x {columns} by {columns} x {columns}, timed after every round) tells crossfw "
    "compare the state of the machine: two threads may meet more slowly than on another day."
)
BESIDE = (
    "The first step of each mode builds graphs and chooses code; it is in no sample, and its process may have run "
    "other models before."
)
MEMORY = (
    "Memory is what {is_used} at the peak of a training step, above the worker that has run a tiny one, and what "
    "each further step of the sequences adds to it."
)
IS_USED = {False: "is resident", True: "the framework's allocator has given out on the card"}


def how(task: TaskResult) -> list[str]:
    """Sentences: what was equal, how long, what a step costs; none for a report of an earlier crossfw."""
    measurement = task.get("measurement")
    if not measurement:
        return []
    rounds = [_rounds(facts.MODES[mode], measurement, mode) for mode in measurement["modes"]]
    limit = LIMIT.format(size=next((int(rate.get("size", 1024)) for rate in measurement["rates"].values()), 1024))
    on_card = any("card" in worker for worker in measurement["read_back"].values())
    has_memory = any(row["peak_memory_bytes"] is not None for row in task["throughput"])
    memory = [MEMORY.format(is_used=IS_USED[on_card])] if has_memory else []
    has_small = any(mode.get("small_products") for mode in measurement["modes"].values())
    small = [SMALL.format(rows=timing.SMALL[0], columns=timing.SMALL[1])] if has_small else []
    return [_equal(measurement), *rounds, SPEED, f"{limit} {_cost(measurement)}", *small, BESIDE, *memory]


def beside(task: TaskResult) -> Table:
    """What is in no sample: making the model, its first steps, memory."""
    rows = []
    own = [row for row in task["throughput"] if not facts.is_control(row) and "first_step_seconds" in row]
    for name in facts.unique(row["implementation"] for row in own):
        by_mode = {row["mode"]: row for row in own if row["implementation"] == name}
        some = next(iter(by_mode.values()))
        first = [by_mode[mode]["first_step_seconds"] if mode in by_mode else None for mode in facts.MODES]
        times = [formatting.milliseconds(seconds) for seconds in (some["build_seconds"], *first)]
        growth = formatting.kilobytes(some["memory_per_step_bytes"])
        rows.append([name, *times, formatting.megabytes(some["peak_memory_bytes"]), growth])
    columns = "implementation|>model, ms|>first training step, ms|>first inference step, ms"
    return table("Beside the rounds", f"{columns}|>peak memory, MB|>per further step, kB", rows)


def machine(task: TaskResult) -> Table:
    """What the machine's own products and copy reached in each framework; the small one after each round."""
    measurement = task.get("measurement") or {"rates": {}, "modes": {}}
    rows = []
    for name, rate in measurement["rates"].items():
        rates = [facts.small_products(measurement, mode).get(name) for mode in facts.MODES]
        small = [formatting.milliseconds(1 / per_second if per_second else None) for per_second in rates]
        product, copy = formatting.scaled(rate["operations"], "FLOP/s"), formatting.scaled(rate["bytes"], "B/s")
        rows.append([name, product, copy, *small])
    columns = "framework|>matrix product|>copy|>small product in training, ms|>in inference, ms"
    return table("The machine's own speed in the same minute", columns, rows)


def _equal(measurement: Measurement) -> str:
    threads, cpus = formatting.count(measurement["threads"], "thread"), measurement["cpus"]
    where = f", pinned to CPU {formatting.ranges(cpus)}" if cpus else ", not pinned to CPUs"
    workers = formatting.count(len(measurement["read_back"]), "worker")
    cards = facts.unique(worker["card"] for worker in measurement["read_back"].values() if "card" in worker)
    card = f", computing on {formatting.listing(cards)}" if cards else ""
    runtimes = "OpenMP, BLAS and MXNet's operators"
    return f"{workers} in turn on the same arrays, each with {threads} in {runtimes}{where}{card}."


def _rounds(name: str, measurement: Measurement, mode: str) -> str:
    found, width = measurement["modes"][mode], formatting.percent(measurement["width"])
    rounds = f"{name.capitalize()}: {formatting.count(found['rounds'], 'round')}"
    if found["precise"]:
        return f"{rounds}, until the interval of every ratio was narrower than {width}."
    budget = f"the budget of {measurement['budget_seconds']:g} s or of rounds"
    return f"{rounds}; {budget} ended before the interval of every ratio was narrower than {width}."


def _cost(measurement: Measurement) -> str:
    costs = [
        f"{formatting.scaled(found['operations'], 'FLOP')} and {formatting.scaled(found['bytes'], 'B')} in "
        f"{facts.MODES[mode]}"
        for mode, found in measurement["modes"].items()
    ]
    return f"The least that a step on the batch costs: {formatting.listing(costs)}."
