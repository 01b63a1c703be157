"""The house: a room imports from rooms below it only, and no files import each other in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import crossfw

PACKAGE = Path(crossfw.__file__).parent
# From top to bottom; the rooms of a line do not import each other.
ROOMS = (
    ("__main__",),
    ("cli",),
    ("harness",),
    ("comparison", "verification"),
    ("report",),
    ("ports", "training", "throughput"),
    ("agreement",),
    ("checkpoints",),
    ("matching", "workers"),
    ("frameworks", "catalogue"),
    ("task",),
    ("models",),
    ("optimizers", "data"),
    ("results",),
    ("checks", "files", "measures"),
    ("errors", "__init__"),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}


def name_of(path: Path) -> str:
    """A file's module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def for_types(node: ast.AST) -> bool:
    """Whether a statement is read by type checkers alone."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(path: Path) -> Iterator[str]:
    """The package's modules that a file imports, wherever in it, when it runs."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not for_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for name in (alias.name for alias in node.names):
                whole = f"{node.module}.{name}"
                yield from {whole if whole in MODULES else node.module} & MODULES.keys()
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & MODULES.keys()


IMPORTS = {module: set(imported(path)) - {module} for module, path in MODULES.items()}


def room_of(module: str) -> str:
    """The folder or file of the package that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_room_has_its_level():
    assert {room_of(module) for module in MODULES} == LEVEL.keys()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_file_imports_from_rooms_below_its_own(module):
    room = room_of(module)
    above = {
        other
        for other in IMPORTS[module]
        if room != "__init__" and room_of(other) != room and LEVEL[room_of(other)] <= LEVEL[room]
    }
    assert not above


def test_no_files_import_each_other_in_a_circle():
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for other in IMPORTS[module]:
                walk(other, (*trail, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())
