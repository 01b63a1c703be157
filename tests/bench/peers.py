"""Our implementations against D2L's and the libraries' layers: `python -m tests.bench.peers [--quick] [--cells rnn]`

A training step (forward, loss, backward, clip, SGD) on the same arrays, in the same run. Every contestant is a process
of its own with its threads set before anything is imported; warm workers take turns, A B B A, of a tenth of a second,
and a ratio is that of speeds in the same round. At the bench point rounds go on, up to four times as many, while the
interval of a ratio contains the one that is required. Before they are timed, all must find the same loss. Exits with 1
where a ratio is below the one that is required.

D2L's GRU resets before the product, the libraries' after it: ours is measured in the variant of its opponent.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Callable

import numpy as np

from crossfw.harness.workers import start_worker
from crossfw.models import Implementation
from crossfw.models.network.spec import Spec
from crossfw.optimizers.spec import OptimizerSpec
from crossfw.throughput.rounds import Contest, Samples, Speeds
from crossfw.throughput.statistics import Interval, ratio_interval

ROOT = Path(__file__).resolve().parents[2]
CELLS, FRAMEWORKS = ("rnn", "gru", "lstm"), ("mxnet", "torch")
POINT = {"steps": 35, "sequences": 32, "tokens": 28, "hidden_size": 256}
OTHERS = {
    "H=64": {"hidden_size": 64},
    "H=1024": {"hidden_size": 1024},
    "N=1": {"sequences": 1},
    "N=128": {"sequences": 128},
    "T=200": {"steps": 200},
    "2 layers": {"layers": 2},
    "bidirectional": {"direction": "bidirectional"},
}
LIBRARY = {"mxnet": "mxnet-gluon", "torch": "torch-nn"}
# ours, opponent: the least ratio for each cell
REQUIRED = {
    ("mxnet-scratch", "D2L from scratch"): (1.8, 1.8, 1.8),
    ("mxnet-fused", "D2L from scratch"): (3.0, 2.5, 2.7),
    ("mxnet-fused", "library"): (0.8, 0.45, 0.4),
    ("torch-scratch", "D2L from scratch"): (1.0, 1.0, 1.0),
    ("torch-fused", "D2L from scratch"): (1.6, 1.7, 2.2),
    ("torch-fused", "library"): (1.3, 1.0, 0.75),
}
SAME_LOSS, FEW_ROUNDS, ROUNDS, MOST_ROUNDS, BUDGET = 1e-5, 8, 40, 160, 150.0
VISIT_SECONDS = 0.1  # steps follow each other as in training


@dataclass(frozen=True)
class Row:
    """One ratio of speeds, ours to theirs."""

    case: str
    cell: str
    ours: str
    theirs: str
    ratio: Interval
    required: float
    milliseconds: tuple[float, float]
    small: float  # ms, of the machine's own small product in this contest

    @property
    def met(self) -> bool:
        """Whether the ratio is not below what is required."""
        return self.ratio.value >= self.required


def implementation(name: str) -> Implementation:
    """One of ours, or one of D2L's by its file in this folder."""
    framework, _, style = name.partition("-")
    files = {"d2l": f"d2l_{framework}.py", "concise": f"concise_{framework}.py"}
    return Implementation(name, str(ROOT / "tests" / "bench" / files[style]) if style in files else None)


def compete(
    names: list[str], cell: str, settings: dict, rounds: int, threads: int, enough: Callable[[Speeds], bool]
) -> Samples:
    """Tokens per second of each, one value per round; after `rounds` at most, or when they are `enough`.

    Raises:
        ValueError: two of them do not find the same loss: they do not compute the same.
    """
    sizes = {**POINT, **settings}
    steps, sequences, tokens = (sizes.pop(name) for name in ("steps", "sequences", "tokens"))
    spec = Spec(input_size=tokens, output_size=tokens, cell=cell, **sizes)
    rng = np.random.default_rng(0)
    batch = {name: rng.integers(0, tokens, (steps, sequences)) for name in ("inputs", "targets")}
    scale = 1 / np.sqrt(spec.hidden_size)  # larger, and a long RNN magnifies rounding until losses differ
    parameters = {name: rng.normal(0, scale, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    optimizer = asdict(OptimizerSpec(learning_rate=0.1, clip=1.0))
    with ExitStack() as stack:
        workers = {name: stack.enter_context(start_worker(implementation(name), threads=threads)) for name in names}
        losses = {}
        for name, worker in workers.items():
            worker.call("build", model="network", spec=asdict(spec), dtype="float32", device="cpu")
            worker.call("load", parameters=parameters)
            worker.call("configure_optimizer", spec=optimizer)
            state = worker.call("initial_state", batch_size=sequences)
            losses[name] = float(worker.call("step", batch=batch, state=state)["loss"])
        if max(losses.values()) - min(losses.values()) > SAME_LOSS * max(losses.values()):
            raise ValueError(f"not the same loss: {losses}")
        contest = Contest(workers, batch, steps * sequences, enough, VISIT_SECONDS)
        return contest.run("train", rounds, BUDGET, lambda: None)


def rows_of(case: str, cell: str, pairs: dict[tuple[str, str], float], settings: dict, options) -> list[Row]:
    """The ratios of some pairs in one contest; the third value of a pair is the ratio that is required."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    heavy = case != "bench point" or options.quick

    def enough(speeds: Speeds) -> bool:
        if len(speeds[names[0]]) < ROUNDS:
            return False
        found = [(ratio_interval(speeds[a], speeds[b]), required) for (a, b), required in pairs.items()]
        return not any(ratio.low < required < ratio.high for ratio, required in found)

    samples = compete(names, cell, settings, FEW_ROUNDS if heavy else MOST_ROUNDS, options.threads, enough)
    speeds, small = samples.by_name, 1e3 / float(np.median(list(samples.small_products.values())))
    outputs = np.prod([{**POINT, **settings}[name] for name in ("steps", "sequences")])
    rows = []
    for (ours, theirs), required in pairs.items():
        times = tuple(1e3 * outputs / np.median(speeds[name]) for name in (ours, theirs))
        ratio = ratio_interval(speeds[ours], speeds[theirs])
        rows.append(Row(case, cell, ours, theirs, ratio, required, times, small))
        print(line(rows[-1]), flush=True)
    return rows


def line(row: Row) -> str:
    """A row of the table."""
    ratio = f"{row.ratio.value:.2f} ({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    ours, theirs = (f"{value:.1f}" for value in row.milliseconds)
    cells = (row.case, row.cell, f"{row.ours} ({ours} ms)", f"{row.theirs} ({theirs} ms)", ratio)
    return f"| {' | '.join(cells)} | {row.required:.2f} | {'met' if row.met else 'MISSED'} | {row.small:.3f} |"


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows that were asked for."""
    rows = []
    for cell in options.cells.split(","):
        number = CELLS.index(cell)
        before, after = ({"reset": reset} if cell == "gru" else {} for reset in ("before", "after"))
        for framework in options.frameworks.split(","):
            scratch, fused = f"{framework}-scratch", f"{framework}-fused"
            library, d2l = LIBRARY[framework], f"{framework}-d2l"
            pairs = {(ours, d2l): REQUIRED[ours, "D2L from scratch"][number] for ours in (scratch, fused)}
            rows += rows_of("bench point", cell, pairs, before, options)
            pairs = {(fused, library): REQUIRED[fused, "library"][number], (library, f"{framework}-concise"): 1.0}
            rows += rows_of("bench point", cell, pairs, after, options)
            for case, settings in OTHERS.items() if options.others else ():
                pairs = dict.fromkeys([(scratch, d2l), (fused, d2l)], 1.0)
                rows += rows_of(case, cell, pairs, {**before, **settings}, options)
    return rows


def machine(threads: int) -> str:
    """What was measured on, in a line."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [found.split(":")[1].strip() for found in info.splitlines() if found.startswith("model name")]
    versions = ", ".join(f"{name} {version(name)}" for name in ("mxnet", "torch", "d2l", "numpy"))
    cpu = f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {threads} threads"
    return f"{cpu}; {platform.system()}, Python {platform.python_version()}; {versions}"


HEAD = """# Our implementations against D2L's and the libraries' layers

{machine}.

A training step in float32: {point}, one layer, unless a row says otherwise. The ratio is that of speeds, ours to
theirs, with its 95 % interval over paired rounds. The last column tells the state that the machine was in: what a
product of 32 x 256 by 256 x 256 took between the rounds, in ms; compare it within a framework.

| case | cell | ours | theirs | ratio | required | | small product |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def main() -> int:
    """Measure, print, and say by the exit code whether everything required is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS))
    parser.add_argument("--quick", action="store_true", help=f"{FEW_ROUNDS} rounds instead of {ROUNDS} and more")
    parser.add_argument("--others", action="store_true", help="also other sizes, two layers, two directions")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a Markdown file to write the table to")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    point = "T={steps} steps, N={sequences} sequences, V={tokens} tokens, H={hidden_size} units".format(**POINT)
    head = HEAD.format(machine=machine(options.threads), point=point)
    print(head, end="", flush=True)
    rows = measure(options)
    missed = [row for row in rows if not row.met]
    end = f"\n{len(rows) - len(missed)} of {len(rows)} required ratios are met."
    print(end)
    if options.out:
        options.out.write_text(head + "\n".join(map(line, rows)) + "\n" + end + "\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
