"""The three answers about a whole report, each a word or two and the sentence that explains them."""

from __future__ import annotations

from dataclasses import dataclass

from crossfw.report import facts
from crossfw.report.summary import NO_DIFFERENCE, QUESTIONS, Status
from crossfw.results import formatting
from crossfw.results.schema import Results, TaskResult, ThroughputRow

_VERDICT_WORDS = {
    "disagree": ("disagrees", "disagree"),
    "incomplete": ("is incomplete", "are incomplete"),
    "agree": ("agrees", "agree"),
}
_LEARNING_WORDS = {
    "different": ("learns differently", "learn differently"),
    "not tested": ("was not tested", "were not tested"),
    "same": ("learns the same", "learn the same"),
}


@dataclass(frozen=True)
class Headline:
    """One answer about the whole report: a word or two, and the sentence that explains them."""

    question: str
    status: Status
    word: str
    text: str


def headlines(results: Results) -> list[Headline]:
    """The three answers about the whole report."""
    tasks = results["tasks"]
    return [_model_headline(tasks), _learning_headline(tasks), _speed_headline(tasks)]


def _model_headline(tasks: list[TaskResult]) -> Headline:
    named = {verdict: [task["task"] for task in tasks if task["verdict"] == verdict] for verdict in _VERDICT_WORDS}
    agree, disagree, incomplete = named["agree"], named["disagree"], named["incomplete"]
    status: Status = "no" if disagree else "yes" if agree and not incomplete else "unknown"
    if disagree:
        word = "Not all" if agree else "No"
    else:
        word = "Not known" if not agree else "Yes, where compared" if incomplete else "Yes"
    return Headline(QUESTIONS["model"], status, word, _tally(named, _VERDICT_WORDS, len(tasks)))


def _learning_headline(tasks: list[TaskResult]) -> Headline:
    trained = {task["task"]: task["learning"]["verdict"] for task in tasks if task["learning"]}
    named = {word: [name for name, verdict in trained.items() if verdict == word] for word in _LEARNING_WORDS}
    same, different, untested = named["same"], named["different"], named["not tested"]
    status: Status = "no" if different else "yes" if same and not untested else "unknown"
    if different:
        word = "Not all" if same else "No"
    else:
        word = "Not tested" if not same else "Yes, where tested" if untested else "Yes"
    text = _tally(named, _LEARNING_WORDS, len(trained)) if trained else "nothing was trained"
    updates = [task["learning"]["updates"] for task in tasks if task["task"] in same]
    if updates and None not in updates:
        text += f"; compared over {_from_to(updates)} update{'' if max(updates) == 1 else 's'}"
    blind = facts.unique(name for task in tasks for name in facts.seeing_the_future(task))
    if len(blind) == 1:
        text += f"; {blind[0]} sees the future"
    elif blind:
        seeing = formatting.count(sum(bool(facts.seeing_the_future(task)) for task in tasks), "task")
        text += f"; in {seeing} models see the future"
    return Headline(QUESTIONS["learning"], status, word, text)


def _speed_headline(tasks: list[TaskResult]) -> Headline:
    question = QUESTIONS["speed"]
    measured = [task for task in tasks if any(facts.compared(row) for row in task["throughput"])]
    sure = [task for task in measured if task["verdict"] == "agree"]
    if not measured:
        timed = any(task["throughput"] for task in tasks)
        return Headline(
            question, "unknown", "Not compared" if timed else "Not measured", "no ratio of two implementations"
        )
    if not sure:
        text = "the implementations that were timed are not shown to be the same model"
        return Headline(question, "no", "Not comparable", text)
    parts, training = [], []
    for mode, name in facts.MODES.items():
        pairs: dict[tuple[str, str], list[ThroughputRow]] = {}
        for row in (row for task in sure for row in task["throughput"]):
            if row["mode"] == mode and facts.compared(row):
                pairs.setdefault((row["implementation"], row["ratio_to"]), []).append(row)
        if pairs:
            parts.append(f"{name}: {', '.join(_pair_range(rows) for rows in pairs.values())}")
            training = training or [row for rows in pairs.values() for row in rows]
    left_out = [task["task"] for task in measured if task["verdict"] != "agree"]
    if left_out:
        who = formatting.listing(left_out) if len(left_out) <= 2 else formatting.count(len(left_out), "task")
        parts.append(f"left out, as not shown to be the same model: {who}")
    span = _span(training)
    word = f"PyTorch trains {span} as fast" if span else NO_DIFFERENCE.capitalize()
    return Headline(question, "plain", word, "; ".join(parts))


def _pair_range(rows: list[ThroughputRow]) -> str:
    first, second, span = rows[0]["implementation"], rows[0]["ratio_to"], _span(rows)
    alike = sum(map(facts.shows_no_difference, rows))
    besides = f" ({NO_DIFFERENCE} in {alike} of {len(rows)} tasks)" if alike else ""
    return f"{first} {span} {second}{besides}" if span else f"{first} and {second} {NO_DIFFERENCE}"


def _span(rows: list[ThroughputRow]) -> str:
    """The least and the greatest ratio of the rows that show a difference; empty where none does."""
    rows = [row for row in rows if not facts.shows_no_difference(row)]
    if not rows:
        return ""
    texts = [formatting.ratio(row["ratio"], row["ratio"], row["ratio"]).split(" ")[0] for row in rows]
    ordered = [text for _, text in sorted(zip([row["ratio"] for row in rows], texts))]
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"


def _from_to(numbers: list[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least} to {most}"


def _tally(named: dict[str, list[str]], words: dict[str, tuple[str, str]], total: int) -> str:
    """`lm_gru disagrees; 3 of 4 tasks agree`; few tasks are named, many are counted."""
    parts = []
    for key, names in named.items():
        singular, plural = words[key]
        if len(names) == total and total > 1:
            parts.append(f"{formatting.all_of(names, total)} tasks {plural}")
        elif names:
            who = formatting.listing(names) if len(names) <= 2 else f"{len(names)} of {total} tasks"
            parts.append(f"{who} {singular if len(names) == 1 else plural}")
    return "; ".join(parts) or "no task was run"
