"""Mappings of an implementation's parameters that are exact, or say what is wrong."""

from __future__ import annotations

import pytest

from crossfw.harness.mapping import mapping_faults

EXACT = {"w": "layer.w", "b": "layer.b"}
NATIVE = {"layer.w": [2, 3], "layer.b": [2]}
CANONICAL = {"w": (2, 3), "b": (2,)}


@pytest.mark.parametrize(
    ("names", "native", "words"),
    [
        (EXACT, NATIVE, []),
        ({"w": "layer.w"}, NATIVE, ["b is mapped to nothing", "layer.b learns and is mapped to nothing"]),
        ({"w": "layer.w", "b": "layer.w"}, NATIVE, ["stands for w and b", "layer.b learns"]),
        ({**EXACT, "c": "layer.c"}, {**NATIVE, "layer.c": [1]}, ["c is no parameter"]),
        (EXACT, {"layer.w": [3, 2], "layer.b": [2]}, ["shape (3, 2), w (2, 3)"]),
        (EXACT, {**NATIVE, "extra": [1]}, ["extra learns and is mapped to nothing"]),
        (EXACT, {"layer.w": [2, 3]}, ["b is mapped to layer.b, which does not learn"]),
    ],
)
def test_mapping_faults(names, native, words):
    faults = mapping_faults(CANONICAL, names, native)
    assert len(faults) == len(words)
    for word, fault in zip(words, faults):
        assert word in fault
