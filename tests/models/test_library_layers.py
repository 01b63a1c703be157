"""Whether a library's layers carry a model, or its cells are stepped one by one: a report tells it beside the speed."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from tests.models.cases import make

# case, dtype: who steps cells
STEPPED = {
    ("rnn tanh, 1 biases, tokens", "float32"): set(),
    ("rnn sigmoid, 1 biases, tokens", "float32"): {"mxnet-gluon", "torch-nn"},
    ("rnn relu, 1 biases, tokens", "float32"): set(),
    ("rnn relu, 1 biases, tokens", "float64"): {"mxnet-gluon"},
    ("gru, two layers", "float32"): set(),
    ("gru before, bidirectional", "float32"): {"mxnet-gluon", "torch-nn"},
    ("lstm, h1 and h2", "float32"): set(),
    ("lstm, h1 and h2, mask", "float32"): {"mxnet-gluon", "torch-nn"},
    ("gru, dropout", "float32"): set(),
    ("lstm, bidirectional, three layers", "float32"): set(),
    ("rnn, both forward", "float32"): set(),
    ("dense", "float32"): set(),
    ("lstm, tagger, mask", "float32"): {"mxnet-gluon"},
    ("translator: lstm, source mask", "float32"): {"mxnet-gluon"},
    ("translator: gru before, source mask", "float32"): {"mxnet-gluon", "torch-nn"},
}


@pytest.mark.parametrize(("case", "dtype"), STEPPED, ids=map(", ".join, STEPPED))
def test_who_steps_cells(workers, case, dtype):
    kind, spec, batch = make(case)
    found = set()
    for name in ("mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"):
        worker = workers[name]
        worker.call("build", model=kind, spec=asdict(spec), dtype=dtype, device="cpu")
        worker.call("load", parameters={name: np.zeros(shape) for name, shape in spec.shapes().items()})
        worker.call("forward", batch=batch, state=worker.call("initial_state", batch_size=batch["inputs"].shape[1]))
        if worker.call("steps_cells"):
            found.add(name)
    assert found == STEPPED[case, dtype]
