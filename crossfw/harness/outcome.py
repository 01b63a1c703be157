"""What a task's result begins from, and what all results amount to."""

from __future__ import annotations

from crossfw.report.facts import skipped
from crossfw.results.schema import Failure, TaskResult
from crossfw.task import Task


def empty_result(task: Task, reason: str, failures: list[Failure]) -> TaskResult:
    """The result of a task that gave nothing."""
    return TaskResult(
        task=task.name,
        verdict="incomplete",
        agreement=[],
        perplexity=[],
        throughput=[],
        published=[],
        failures=failures,
        title=task.title,
        description=task.description,
        setup={},
        reason=reason,
        first_divergence=[],
        learning=None,
        causality=[],
        floor=None,
        measures=[],
        samples=[],
        notes=[],
        sweeps=[],
        warnings=[],
        measurement=None,
    )


def left_out(names: set[str]) -> list[str]:
    """Why some implementations have no throughput, as a warning."""
    return [f"not the same model, so its speed was not measured: {', '.join(sorted(names))}"] if names else []


def exit_code(tasks: list[TaskResult], named: bool) -> int:
    """1 where anything disagrees, 2 where anything could not be compared, 0 otherwise.

    A task of the catalogue that was skipped because its corpus cannot be had counts only when it was named.
    """
    verdicts = {result["verdict"] for result in tasks if named or not skipped(result)}
    if "disagree" in verdicts:
        return 1
    return 0 if verdicts == {"agree"} else 2
