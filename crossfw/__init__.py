"""crossfw: is the PyTorch version the same model as the MXNet version, does it learn the same, how fast is each?

The rooms, from top to bottom: each imports from those below it only (`tests/test_structure.py`).

    cli.py         the commands
    harness/       `crossfw run`: cells, resumption, verdicts
    comparison/    `crossfw compare`: two reports, what changed, what got worse
    verification/  `crossfw verify`: stages, the place of the first divergence, its cause
    report/        a result as figures, HTML, Markdown, terminal text
    ports/         a user's model in its framework: portfile.py; mxnet/ and torch/
    training/      the one loop, perplexity, curves, decoding, evaluation
    throughput/    rounds, samples, statistics, how speed scales
    agreement/     shared state, traces, bounds, comparison, trajectories
    checkpoints/   `.params`, symbols, safetensors, without a framework; conversion
    matching/      which parameter of one model is which of the other
    workers/       a process for each framework: start, messages, death
    frameworks/    what each framework needs around it: import, threads, devices, versions
    catalogue.py   reads a task from a TOML file; task.py: what a task is
    models/        cells, stacks, heads: equations, the reference, and four siblings of each
    optimizers/    the same for optimizers
    data/          texts, grammars, files -> vocabulary -> batches, in NumPy
    results/       the contract of `results.json`, load(), number formats
    measures.py    how good predictions are: accuracy, F1, BLEU, distances

Importing crossfw imports neither framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from crossfw.checkpoints.params import read_params
    from crossfw.errors import CrossfwError
    from crossfw.results.tables import load
    from crossfw.verification import verify, verify_file

_HOMES = {
    "CrossfwError": "crossfw.errors",
    "load": "crossfw.results.tables",
    "read_params": "crossfw.checkpoints.params",
    "verify": "crossfw.verification",
    "verify_file": "crossfw.verification",
}

__all__ = ["CrossfwError", "__version__", "load", "read_params", "verify", "verify_file"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'crossfw' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
