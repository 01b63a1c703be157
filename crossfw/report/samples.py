"""What trained models wrote: continuations of a text, and outputs for examples whose outputs are known."""

from __future__ import annotations

from dataclasses import dataclass

from crossfw.report import facts
from crossfw.report.grids import BAD, GOOD, Table, grouped
from crossfw.results import formatting
from crossfw.results.schema import Sample, TaskResult

LONGEST = 200  # characters of a text in a table; `results.json` has all of it


@dataclass(frozen=True)
class Group:
    """Text that one or several implementations wrote alike; `writers` says who, as the start of a sentence."""

    writers: str
    text: str


def by_prefix(task: TaskResult) -> list[tuple[str, list[Group]]]:
    """Generated text under a heading for each prefix and way of decoding."""
    sections = []
    free = [sample for sample in task["samples"] if not sample["expected"]]
    for (prefix, _, decoding), texts in _alike(free).items():
        total = _writers_in(texts)
        groups = [Group(_writers(names, total), text) for text, names in texts.items()]
        sections.append((f"after “{prefix}”, {decoding}", groups))
    return sections


def examples(task: TaskResult) -> Table:
    """Inputs, what was expected and what who made of them; one group for each part of the data and way of decoding."""
    groups: dict[str, list[list[str]]] = {}
    for (given, expected, decoding), texts in _alike([s for s in task["samples"] if s["expected"]]).items():
        total = _writers_in(texts)
        outputs = (_output(names, text, expected, total) for text, names in texts.items())
        groups.setdefault(decoding, []).append([_cut(given), _cut(expected), "\n".join(outputs)])
    return grouped("Examples: what the trained models made of them", "input|expected|outputs", groups.items())


def _alike(samples: list[Sample]) -> dict[tuple[str, str, str], dict[str, list[str]]]:
    """By input, expectation and way of decoding: each text with its writers."""
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for sample in samples:
        texts = found.setdefault((sample["prefix"], sample["expected"], sample["decoding"]), {})
        names = texts.setdefault(sample["text"], [])
        if sample["implementation"] not in names:
            names.append(sample["implementation"])
    return found


def _writers_in(texts: dict[str, list[str]]) -> int:
    return len(facts.unique(name for names in texts.values() for name in names))


def _output(names: list[str], text: str, expected: str, total: int) -> str:
    who = formatting.all_of(names, total)
    return f"{GOOD} {who}" if text == expected else f"{BAD} {who}: {_cut(text) or 'nothing'}"


def _writers(names: list[str], total: int) -> str:
    verb = "writes" if len(names) == 1 else "write"
    return f"{formatting.all_of(names, total)} {verb}:"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
