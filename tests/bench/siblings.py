"""How far the two frameworks' from-scratch files are alike: `python -m tests.bench.siblings`.

Of the lines of code of both files (no docstrings, comments, blank lines or imports) the part that has no equal line in
the other one, once the words that name the framework are taken for each other.
"""

from __future__ import annotations

import ast
import difflib
import re
from pathlib import Path

import crossfw.models

ROOT = Path(crossfw.models.__file__).parent
WORDS = (
    (r"\bnd\.NDArray\b|\btorch\.Tensor\b", "Array"),
    (r"\b(nd|F|torch)\.", "F."),
    ("mxnet", "torch"),
    (r"\bF: ModuleType, |\bF, ", ""),
)


def pairs() -> list[tuple[Path, Path]]:
    """MXNet's file and PyTorch's, of everything that is from scratch."""
    found = sorted(path for path in ROOT.rglob("mxnet_scratch.py"))
    return [(path, path.with_name("torch_scratch.py")) for path in found]


def lines(path: Path) -> list[str]:
    """The lines of code, without what says which framework it is."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not plain_text(n) and not isinstance(n, (ast.Import, ast.ImportFrom))]
    found = ast.unparse(ast.fix_missing_locations(tree))
    for pattern, word in WORDS:
        found = re.sub(pattern, word, found)
    return [line for line in found.split("\n") if line.strip()]


def plain_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def difference(mxnet: Path, torch: Path) -> float:
    """The part of both files' lines that have no equal in the other."""
    a, b = lines(mxnet), lines(torch)
    same = sum(block.size for block in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks())
    return 1 - 2 * same / (len(a) + len(b))


def main() -> None:
    """Print the table."""
    print("| file | lines in MXNet | in PyTorch | differ |\n|---|---|---|---|")
    for mxnet, torch in pairs():
        name = str(mxnet.parent.relative_to(ROOT))
        print(f"| {name} | {len(lines(mxnet))} | {len(lines(torch))} | {difference(mxnet, torch):.0%} |")


if __name__ == "__main__":
    main()
