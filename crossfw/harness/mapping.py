"""Whether every parameter of an implementation is mapped to a canonical one exactly once, with its shape."""

from __future__ import annotations


def mapping_faults(shapes: dict, native_names: dict[str, str], native_shapes: dict[str, list[int]]) -> list[str]:
    """What is wrong with a mapping, one sentence each; empty when it is exact.

    Args:
        shapes: canonical name -> shape, from the spec.
        native_names: canonical name -> the implementation's own name.
        native_shapes: own name -> shape, of everything that learns.
    """
    faults = [f"{name} is mapped to nothing" for name in shapes if name not in native_names]
    faults += [f"{name} is no parameter of the model" for name in native_names if name not in shapes]
    users: dict[str, list[str]] = {}
    for name, native in native_names.items():
        users.setdefault(native, []).append(name)
    for native, names in users.items():
        if len(names) > 1:
            faults.append(f"{native} stands for {' and '.join(names)}")
        if native not in native_shapes:
            faults.append(f"{names[0]} is mapped to {native}, which does not learn")
        elif names[0] in shapes and tuple(native_shapes[native]) != tuple(shapes[names[0]]):
            faults.append(f"{native} has shape {tuple(native_shapes[native])}, {names[0]} {tuple(shapes[names[0]])}")
    faults += [f"{native} learns and is mapped to nothing" for native in native_shapes if native not in users]
    return faults
