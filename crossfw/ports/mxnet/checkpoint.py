"""Loading a `.params` file into a Gluon block by either kind of name."""

from __future__ import annotations

from typing import Any


def load_params(model: Any, path: str) -> None:
    """Load by structural names (`save_parameters`), or by full ones (`collect_params().save`, `export`).

    Raises:
        CrossfwError: it is no `.params` file, or a damaged one, which MXNet itself may crash on.
        AssertionError, ValueError, RuntimeError: names or shapes do not fit; MXNet's own message.
    """
    from mxnet import nd

    from crossfw.checkpoints.params import read_params

    read_params(path)
    names = nd.load(path)
    stripped = {name.split(":", 1)[-1] for name in names} if isinstance(names, dict) else set()
    if stripped & set(model.collect_params()):
        model.collect_params().load(path, restore_prefix="", cast_dtype=True)
    else:
        model.load_parameters(path, cast_dtype=True)
