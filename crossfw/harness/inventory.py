"""`crossfw list`: tasks, models, implementations, and what can run here; imports no framework."""

from __future__ import annotations

import importlib.util

from rich.console import Console
from rich.table import Column, Table

from crossfw.models import IMPLEMENTATIONS, MODELS, Implementation
from crossfw.task import find_task, task_names


def print_inventory() -> None:
    """Print the tables of the catalogue."""
    console = Console()
    tasks = Table(
        Column("task", no_wrap=True),
        "model",
        "corpus",
        "epochs (quick)",
        "what it is",
        title="Tasks",
        title_justify="left",
    )
    for name in task_names():
        task = find_task(name)
        recipe = task.recipe
        epochs = f"{recipe.epochs} ({recipe.quick_epochs})" if recipe else "worked example"
        corpus = getattr(task.data, "corpus", "in the task file")
        tasks.add_row(name, task.model.kind, corpus, epochs, task.title)
    console.print(tasks)
    implementations = Table(
        "implementation", "framework", "can run here", title="Implementations", title_justify="left"
    )
    for name in IMPLEMENTATIONS:
        framework = Implementation(name).framework
        missing = f"no: pip install 'crossfw[{framework}]'"
        present = importlib.util.find_spec(framework) is not None
        implementations.add_row(name, framework, "yes" if present else missing.replace("[", "\\["))
    console.print(implementations)
    console.print(f"Models: {', '.join(MODELS)}. Run some with: crossfw run TASK ...", highlight=False)
