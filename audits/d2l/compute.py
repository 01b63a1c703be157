"""Computations of the audit: run on one framework's side in a process of its own, and compared.

`main` writes every case's leaves; what a case raised is its only leaf, `error`.
"""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

import numpy as np

from audits.d2l.case import Computation
from audits.d2l.cases import CASES
from audits.d2l.imports import d2l_mxnet, d2l_torch

SEED = 20
MENDED = " / mended"


def computations() -> dict[str, Computation]:
    """By name; with what is mended under the name and MENDED."""
    found = {}
    for case in CASES:
        if case.kind == "function":
            found[case.name] = case.computation
            mended = case.mended_case()
            if mended is not None:
                found[case.name + MENDED] = mended.computation
    return found


def to_mxnet(value: Any, dtype: str) -> Any:
    """A drawn NumPy array as an MXNet one, integers int32; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return d2l_mxnet().np.array(value, dtype=dtype if value.dtype.kind == "f" else "int32")


def to_torch(value: Any, dtype: str) -> Any:
    """A drawn NumPy array as a tensor, integers int64; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    torch = d2l_torch().torch
    return torch.tensor(value, dtype=getattr(torch, dtype) if value.dtype.kind == "f" else torch.int64)


def flatten(nest: Any, name: str = "output") -> dict[str, np.ndarray]:
    """The leaves of a nest of arrays and plain values as NumPy arrays, by name."""
    if isinstance(nest, dict):
        nest = sorted(nest.items())
    if isinstance(nest, (tuple, list)):
        return {key: leaf for i, value in enumerate(nest) for key, leaf in flatten(value, f"{name}[{i}]").items()}
    if hasattr(nest, "asnumpy"):
        return {name: nest.asnumpy()}
    return {name: nest.detach().numpy() if hasattr(nest, "detach") else np.asarray(nest)}


def run_side(framework: str) -> dict[str, np.ndarray]:
    """Every computation's leaves on one side, by `case|leaf`."""
    d2l, convert = (d2l_mxnet(), to_mxnet) if framework == "mxnet" else (d2l_torch(), to_torch)
    found = {}
    for name, computation in computations().items():
        drawn = computation.draw(np.random.default_rng(SEED))
        arguments = {key: convert(value, computation.dtype) for key, value in drawn.items()}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                leaves = flatten(getattr(computation, framework)(d2l, arguments))
        except Exception as error:  # what d2l raises is a finding
            leaves = {"error": np.asarray(f"{type(error).__name__}: {error}".splitlines()[0])}
        found.update({f"{name}|{leaf}": value for leaf, value in leaves.items()})
    return found


def differences(name: str, dtype: str, mxnet: dict, torch: dict) -> list[str]:
    """One sentence for each leaf of a case in which the two sides differ."""
    from crossfw.agreement.bounds import ELEMENTARY, SAFETY
    from crossfw.agreement.compare import relative_error

    prefix = f"{name}|"
    ours = {key[len(prefix) :]: value for key, value in mxnet.items() if key.startswith(prefix)}
    theirs = {key[len(prefix) :]: value for key, value in torch.items() if key.startswith(prefix)}
    errors = [
        f"{side} raises {found['error']}" for side, found in (("MXNet", ours), ("torch", theirs)) if "error" in found
    ]
    if errors or set(ours) != set(theirs):
        return errors or [f"leaves {sorted(ours)} against {sorted(theirs)}"]
    found = []
    for leaf, a in ours.items():
        b = theirs[leaf]
        bound = SAFETY * ELEMENTARY[dtype] * float(np.finfo(dtype).eps) * np.sqrt(max(a.size, 1))
        if "f" in (a.dtype.kind, b.dtype.kind) and {a.dtype.kind, b.dtype.kind} <= set("fiub"):
            error = relative_error(a, b)
            if error > bound:
                found.append(f"{leaf}: error {error:.1e}, bound {bound:.1e}")
        elif a.shape != b.shape or not (a == b).all():
            found.append(f"{leaf}: not equal")
    return found


def main(framework: str, out: str) -> None:
    """Run one side and write its leaves to an `.npz` file."""
    np.savez(out, **run_side(framework))


if __name__ == "__main__":
    main(*sys.argv[1:])
