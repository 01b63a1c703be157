"""Nests: arrays in tuples, lists and dicts, as models take and give them; flattened to named leaves and built again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable


def leaves(nest: Any, name: str, is_leaf: Callable[[Any], bool]) -> dict[str, Any]:
    """The leaves by name: `name` itself for a single one, else `name[0]`, `name['key']`, `name.field`, nested.

    Raises:
        TypeError: something in the nest is neither a leaf nor a tuple, list, dict or None.
    """
    found: dict[str, Any] = {}
    for path, value in _items(nest, name, is_leaf):
        found[path] = value
    return found


def _items(nest: Any, name: str, is_leaf: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    if nest is None:
        return []
    if is_leaf(nest):
        return [(name, nest)]
    found = []
    for key, value in _children(nest, name):
        found += _items(value, key, is_leaf)
    return found


def _children(nest: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(nest, Mapping):
        return [(f"{name}[{key!r}]", value) for key, value in nest.items()]
    if isinstance(nest, (tuple, list)):
        fields = getattr(nest, "_fields", None)
        if fields:
            return [(f"{name}.{field}", value) for field, value in zip(fields, nest)]
        return [(f"{name}[{i}]", value) for i, value in enumerate(nest)]
    raise TypeError(f"{name} is a {type(nest).__module__}.{type(nest).__qualname__}, no array, tuple, list or dict")


def transform(nest: Any, name: str, is_leaf: Callable[[Any], bool], change: Callable[[str, Any], Any]) -> Any:
    """The same nest with every leaf replaced by `change(name, leaf)`."""
    if nest is None:
        return None
    if is_leaf(nest):
        return change(name, nest)
    children = [transform(value, key, is_leaf, change) for key, value in _children(nest, name)]
    if isinstance(nest, Mapping):
        return dict(zip(nest, children))
    if hasattr(nest, "_fields"):
        return type(nest)(*children)
    return type(nest)(children) if type(nest) in (tuple, list) else tuple(children)
