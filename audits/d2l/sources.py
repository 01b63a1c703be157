"""What d2l's two files define, read as text: nothing is imported, so that either framework may be missing."""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from audits.d2l.imports import missing


@dataclass(frozen=True)
class Definition:
    """A class or function on the top level of one file.

    Attributes:
        kind: `class` or `function`.
        line: where it begins; of the last definition under the name, the one that counts.
        section: of the book, as its docstring names it; "" without one.
    """

    kind: str
    line: int
    section: str


def source_file(framework: str) -> Path:
    """The path of `d2l/mxnet.py` or `d2l/torch.py`.

    Raises:
        CrossfwError: d2l is not installed.
    """
    spec = importlib.util.find_spec("d2l")
    if spec is None or not spec.submodule_search_locations:
        raise missing("d2l")
    return Path(spec.submodule_search_locations[0]) / f"{framework}.py"


def definitions(framework: str) -> dict[str, Definition]:
    """Classes and functions of one file, by name."""
    tree = ast.parse(source_file(framework).read_text(encoding="utf-8"))
    kinds = {ast.ClassDef: "class", ast.FunctionDef: "function"}
    return {
        node.name: Definition(kinds[type(node)], node.lineno, _section(node))
        for node in tree.body
        if type(node) in kinds
    }


def in_both() -> dict[str, tuple[Definition, Definition]]:
    """What both files define: (mxnet, torch) by name, in the order of the first."""
    mxnet, torch = definitions("mxnet"), definitions("torch")
    return {name: (found, torch[name]) for name, found in mxnet.items() if name in torch}


def _section(node: ast.AST) -> str:
    """The first section that a docstring in the definition names."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.ClassDef, ast.FunctionDef)):
            match = re.search(r":numref:`([^`]+)`", ast.get_docstring(inner) or "")
            if match:
                return match.group(1)
    return ""
