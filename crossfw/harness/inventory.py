"""`crossfw list`: tasks, models, implementations, and what can run here; imports no framework."""

from __future__ import annotations

import importlib.util

from rich.console import Console
from rich.table import Column, Table

from crossfw.catalogue import find_task, task_names
from crossfw.models import FUSED, IMPLEMENTATIONS, Implementation
from crossfw.models.cells import CELLS
from crossfw.models.heads import HEADS
from crossfw.task import ENCODER_DECODER


def print_inventory() -> None:
    """Print the tables of the catalogue."""
    console = Console()
    tasks = Table(
        Column("task", no_wrap=True),
        Column("epochs", justify="right"),
        Column("quick", justify="right"),
        "what it is",
        title="Tasks",
        title_justify="left",
    )
    for name in task_names():
        task = find_task(name)
        recipe = task.recipe
        epochs = (recipe.epochs, recipe.quick_epochs or recipe.epochs) if recipe else ("", "")
        tasks.add_row(name, *map(str, epochs), task.title)
    console.print(tasks)
    implementations = Table(
        "implementation", "framework", "can run here", title="Implementations", title_justify="left"
    )
    for name in (*IMPLEMENTATIONS, *FUSED):
        framework = Implementation(name).framework
        missing = f"no: pip install 'crossfw[{framework}]'"
        present = importlib.util.find_spec(framework) is not None
        yes = "yes, where it is named" if name in FUSED else "yes"
        implementations.add_row(name, framework, yes if present else missing.replace("[", "\\["))
    console.print(implementations)
    heads = ", ".join((*HEADS, ENCODER_DECODER))
    console.print(f"Cells: {', '.join(CELLS)}. Heads: {heads}. Run some with: crossfw run TASK ...", highlight=False)
