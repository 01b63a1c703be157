"""crossfw: is the PyTorch version the same model as the MXNet version, does it learn the same, how fast is each?

The rooms, in the order in which data flows through them:

    task.py      what a task is; catalogue.py reads one from a TOML file
    data/        texts, grammars, files -> vocabulary -> batches, in NumPy
    models/      cells, stacks, heads: equations, the reference, and four siblings of each
    optimizers/  the same for optimizers
    backends/    what is asked of a framework, and the process that it runs in
    weights/     where weights start, how names map; units: the layers of any model, and which belongs to which
    ports/       a user's own model in its own framework, and the port file that it comes from
    measures.py  how good predictions are: accuracy, F1, BLEU, distances
    agreement/   shared state, traces, bounds, comparison, trajectories
    training/    the one loop, perplexity, divergence, generation, decoding, evaluation
    throughput/  rounds, samples, statistics, memory, how speed scales
    harness/     cells, resumption, verdicts: `crossfw run`
    verification/ a user's pair from two models to a verdict: stages, place of the first divergence, cause
    audit/       the D2L audit: every model that d2l.mxnet and d2l.torch both define, as a third party's port
    report/      results as tables, figures, Markdown, HTML
    comparison/  two reports: what changed, what got worse
    cli.py       the commands

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
