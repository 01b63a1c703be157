"""`crossfw convert`: a `.params` file as a `.safetensors` file, and whether one is the other's copy."""

from __future__ import annotations

from pathlib import Path

from crossfw import __version__
from crossfw.checkpoints.convert_for import plan_for_module
from crossfw.checkpoints.params import ParamsFile, plain_names
from crossfw.checkpoints.plan import Plan
from crossfw.checkpoints.safetensors_file import (
    METADATA,
    SafetensorsFile,
    Tensor,
    chunks,
    write_safetensors,
)
from crossfw.errors import CrossfwError

SHOWN = 5


def plan_conversion(source: Path, port: str | None = None, torch_python: str | None = None) -> Plan:
    """How a file becomes tensors: under its own names, or under those of a torch module.

    Args:
        source: the `.params` file.
        port: "FILE.py:FUNCTION", where the function returns the torch.nn.Module that shall load the result.
        torch_python: the interpreter that runs it.

    Raises:
        CrossfwError: the file or the module cannot be read, or something in one has no partner in the other.
    """
    params = ParamsFile(source)
    if port is not None:

        return plan_for_module(params, port, torch_python)
    plan = Plan(params, [])
    for name, plain in plain_names(params).items():
        array = params[name]
        if plain == METADATA:
            raise params.file.fault(f"an array is called {METADATA}, which .safetensors reserves", "rename it")
        if array.storage == "none":
            plan.left_out[name] = "it is a None array: never initialised, without numbers"
            continue
        if array.storage != "dense":
            plan.notes[name] = f"stored as {array.storage}; it is written as a dense array"
        plan.tensors.append(Tensor(plain, array.dtype, array.shape, array.bits))
    return plan


def write(plan: Plan, destination: Path) -> int:
    """Write the planned tensors; how many bytes the file has.

    Raises:
        CrossfwError: it would replace its own source, or cannot be written.
    """
    if destination.exists() and destination.samefile(plan.source.file.path):
        raise CrossfwError(f"write {destination}", "it is the file to convert", "name another file")
    metadata = {"format": "pt", "source": plan.source.file.path.name, "crossfw": __version__}
    return write_safetensors(destination, plan.tensors, metadata, plan.source.file)


def summary(plan: Plan, destination: Path) -> str:
    """What was written, what was left out and why: a few lines."""
    lines = [f"{len(plan.tensors)} tensors, {plan.nbytes:,} bytes: {destination}"]
    for title, told in (("left out", plan.left_out), ("note", plan.notes)):
        by_reason: dict[str, list[str]] = {}
        for name, reason in told.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            lines.append(f"{title}: {', '.join(names[:SHOWN])}{more}: {reason}")
    return "\n".join(lines)


def differences(plan: Plan, destination: Path) -> list[str]:
    """Where a written file is not what the plan says, bit for bit: one sentence per tensor; empty where it is.

    Raises:
        CrossfwError: one of the files cannot be read.
    """
    written = SafetensorsFile(destination)
    wanted = {tensor.name: tensor for tensor in plan.tensors}
    found = [f"{name} is missing" for name in wanted if name not in written.arrays]
    found += [f"{name} has no source" for name in written.arrays if name not in wanted]
    for name, array in written.arrays.items():
        if name not in wanted:
            continue
        tensor = wanted[name]
        if (array.dtype, array.shape) != (tensor.dtype, tensor.shape):
            found.append(f"{name} is {array.dtype} {array.shape} instead of {tensor.dtype} {tensor.shape}")
            continue
        for ours, theirs in zip(chunks(tensor.bits()), chunks(array.bits())):
            differ = (ours != theirs).any()
            plan.source.file.release()
            written.file.release()
            if differ:
                found.append(f"{name} holds other numbers")
                break
    return found
