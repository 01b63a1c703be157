"""Text that trained models wrote, identical texts together."""

from __future__ import annotations

from dataclasses import dataclass

from crossfw.report import formatting
from crossfw.schema import TaskResult


@dataclass(frozen=True)
class Group:
    """Text that one or several implementations wrote alike; `writers` says who, as the start of a sentence."""

    writers: str
    text: str


def by_prefix(task: TaskResult) -> list[tuple[str, list[Group]]]:
    """Generated text under a heading for each prefix and way of decoding."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for sample in task["samples"]:
        texts = found.setdefault((sample["prefix"], sample["decoding"]), {})
        texts.setdefault(sample["text"], []).append(sample["implementation"])
    sections = []
    for (prefix, decoding), texts in found.items():
        total = sum(map(len, texts.values()))
        groups = [Group(_writers(names, total), text) for text, names in texts.items()]
        sections.append((f"after “{prefix}”, {decoding}", groups))
    return sections


def _writers(names: list[str], total: int) -> str:
    verb = "writes" if len(names) == 1 else "write"
    return f"{formatting.all_of(names, total)} {verb}:"
