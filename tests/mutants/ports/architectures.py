"""All true ports by name."""

from __future__ import annotations

from importlib import import_module, util
from pathlib import Path

from tests.mutants.ports.architecture import Architecture

PAIRS = Path(__file__).parent / "pairs"
EXAMPLES = Path(__file__).parents[3] / "examples"


def example(name: str) -> Architecture:
    """A port file of the folder of examples."""
    spec = util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    port = util.module_from_spec(spec)
    spec.loader.exec_module(port)
    return Architecture.of(port)


ARCHITECTURES = {
    path.stem: Architecture.of(import_module(f"tests.mutants.ports.pairs.{path.stem}"))
    for path in sorted(PAIRS.glob("[a-z]*.py"))
}
ARCHITECTURES["resnet18"] = example("resnet18")
