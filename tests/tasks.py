"""Small tasks for tests, written as the TOML files that a user would write."""

from __future__ import annotations

from pathlib import Path

SMALL = """
title = "small"
description = "A square RNN on the beginning of the English story."

[model]
cell = "rnn"
hidden_size = 27
activation = "tanh"
biases = 1

[data]
corpus = "english-story"
preparation = "d2l-1.0"
max_tokens = 300
validation_tokens = 100
batch_size = 4
steps = 6

[recipe]
optimizer = "sgd"
learning_rate = 1.0
clip = 1.0
epochs = 3
quick_epochs = 2
initial = "normal"
initial_scale = 0.1

[generate]
prefix = "the "
count = 8
"""


def write_task(folder: Path, text: str = SMALL, name: str = "small", **replaced: str) -> str:
    """The path of a task file with some of its lines replaced: `key="value"` sets `key = value`."""
    lines = text.splitlines()
    for key, value in replaced.items():
        assert any(line.startswith(f"{key} =") for line in lines), key
        lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in lines]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines))
    return str(path)
