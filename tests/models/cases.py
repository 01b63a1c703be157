"""Models for tests: every cell, layers, directions, heads and both kinds, each with a small batch of its data."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.models import spec_class
from crossfw.models.cells.rnn.spec import ACTIVATIONS

T, N, V, H = 4, 3, 5, 4
GATED = {"gru": {"cell": "gru"}, "gru before": {"cell": "gru", "reset": "before"}, "lstm": {"cell": "lstm"}}
CELLS = {"rnn": {}, **GATED}
BOTH = {"direction": "bidirectional"}

NETWORKS: dict[str, dict] = {
    **{
        f"rnn {activation}, {biases} biases, {inputs}": {"activation": activation, "biases": biases, "inputs": inputs}
        for activation in ACTIVATIONS
        for biases in (1, 2)
        for inputs in ("tokens", "features")
    },
    **{f"{name}, {biases} biases": {**cell, "biases": biases} for name, cell in GATED.items() for biases in (1, 2)},
    **{f"{name}, features": {**cell, "inputs": "features"} for name, cell in GATED.items()},
    **{f"{name}, two layers": {**cell, "layers": 2, "biases": 2} for name, cell in CELLS.items()},
    **{f"{name}, bidirectional, three layers": {**cell, **BOTH, "layers": 3} for name, cell in CELLS.items()},
    **{f"{name}, dropout": {**cell, "layers": 3, "dropout": 0.25} for name, cell in CELLS.items()},
    **{f"{name}, bidirectional": {**cell, **BOTH} for name, cell in CELLS.items()},
    **{
        f"{name}, bidirectional, two layers": {**cell, **BOTH, "layers": 2, "biases": 2} for name, cell in CELLS.items()
    },
    **{f"{name}, h1 and h2": {**cell, **BOTH, "backward_size": 3, "layers": 2} for name, cell in CELLS.items()},
    "lstm, h1 and h2, mask": {**GATED["lstm"], **BOTH, "backward_size": 3, "head": "tagger", "mask": True},
    **{f"{name}, both forward": {**cell, "direction": "both forward"} for name, cell in CELLS.items()},
    "sigmoid, both forward": {"activation": "sigmoid", "direction": "both forward", "layers": 2},
    "embedding": {"cell": "gru", "embedding_size": 3},
    "dense": {"cell": "dense", "inputs": "features", "head": "tagger"},
    "dense, two layers": {"cell": "dense", "inputs": "features", "layers": 2, "activation": "relu", "head": "tagger"},
    "no readout, sum": {"hidden_size": V, "readout": False, "reduction": "sum", "head": "tagger"},
    "sequence means": {"cell": "gru", "reduction": "sequence means", "head": "generator"},
    **{f"{name}, tagger, mask": {**cell, **BOTH, "head": "tagger", "mask": True} for name, cell in CELLS.items()},
    "tagger, mask, forward": {"cell": "gru", "head": "tagger", "mask": True, "reduction": "sum"},
    "tagger, mask, two layers": {**BOTH, "cell": "lstm", "layers": 2, "head": "tagger", "mask": True},
    "sequence means, mask": {"cell": "lstm", "head": "tagger", "mask": True, "reduction": "sequence means"},
    **{
        f"classifier, {pool}, {direction}{', mask' if mask else ''}": {
            **{"cell": "lstm", "head": "classifier", "pool": pool, "direction": direction, "mask": mask}
        }
        for pool in ("last", "mean")
        for direction in ("forward", "bidirectional")
        for mask in (False, True)
    },
    "classifier, dense": {"cell": "dense", "head": "classifier", "pool": "mean", "inputs": "features"},
    "classifier, gru before, mask": {**GATED["gru before"], "head": "classifier", "mask": True},
    "context": {**BOTH, "cell": "lstm", "head": "context", "mask": True},
    "context, shown": {**BOTH, "cell": "gru", "head": "context", "mask": True, "shown": True},
    "context, h1 and h2": {**BOTH, "cell": "gru", "head": "context", "backward_size": 3},
}
TRANSLATORS: dict[str, dict] = {
    "one-hot, sequence means": {"reduction": "sequence means"},
    "gru, context": {"cell": "gru", "embedding_size": 3, "context": True, "layers": 2, "biases": 2, "mask": True},
    "gru, context, dropout": {
        **{"cell": "gru", "embedding_size": 3, "context": True, "layers": 2, "dropout": 0.25, "mask": True},
        "reduction": "sequence means",
    },
    "lstm, source mask": {"cell": "lstm", "embedding_size": 3, "mask": True, "source_mask": True},
    "gru before, source mask": {**GATED["gru before"], "layers": 2, "mask": True, "source_mask": True},
}
CASES = {
    **{name: ("network", settings) for name, settings in NETWORKS.items()},
    **{f"translator: {name}": ("encoder-decoder", settings) for name, settings in TRANSLATORS.items()},
}
# wide enough, with 64 sequences, for `torch-fused` to leave its products with weights of the cell to oneDNN
WIDE = {
    f"{name}, 256 units": ("network", {**cell, **BOTH, "hidden_size": 256, "head": "tagger", "mask": True})
    for name, cell in CELLS.items()
}


def make_mask(steps: int, batch_size: int) -> np.ndarray:
    """Lengths from `steps` down to 1."""
    lengths = np.maximum(steps - np.arange(batch_size), 1)
    return (np.arange(steps)[:, None] < lengths).astype(np.float64)


def make(name: str, steps: int = T, batch_size: int = N) -> tuple[str, Any, dict[str, np.ndarray]]:
    """Kind, spec and batch of a case."""
    kind, settings = {**CASES, **WIDE}[name]
    settings = dict(settings)
    mask, source_mask, shown = (settings.pop(name, False) for name in ("mask", "source_mask", "shown"))
    sizes = {"input_size": V, "output_size": V, "hidden_size": settings.pop("hidden_size", H)}
    rng = np.random.default_rng(7)
    if kind == "encoder-decoder":
        sizes["source_size"] = V + 1
    spec = spec_class(kind)(**sizes, **settings)
    shape = steps, batch_size
    batch = {"inputs": rng.integers(0, V, shape)}
    if spec.inputs == "features":
        batch["inputs"] = rng.normal(size=(*shape, V))
    head = getattr(spec, "head", "")
    targets = {"classifier": (batch_size,), "context": (*shape, 2)}.get(head, shape)
    batch["targets"] = rng.integers(0, V, targets)
    if mask:
        batch["mask"] = make_mask(*shape)
    if shown:
        batch["shown"] = batch["mask"] * (np.arange(steps)[:, None] > 0)
    if kind == "encoder-decoder":
        batch["source"] = rng.integers(0, V + 1, (steps + 1, batch_size))
    if source_mask:
        batch["source_mask"] = make_mask(steps + 1, batch_size)
    return kind, spec, batch
