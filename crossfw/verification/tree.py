"""The calls of a run as a tree, and the place of the first divergence in words."""

from __future__ import annotations

from typing import Any

OK, DIFFERS, PASSES = "ok", "differs", "passes on"


def name(step: Any) -> str:
    """A call for people."""
    return f"{step.torch['path'] or '(model)'} ({step.torch['kind']})"


def words(first: Any, gap: Any, steps: list) -> str:
    """Where the error starts, as a sentence."""
    if first is None:
        return "every call agrees" if steps else "no calls of the two models correspond"
    if gap is None:
        if first.own is None and first.inputs > first.limit:
            return f"{name(first)} gives another output; its input differs already"
        return f"{name(first)} gives another output for MXNet's own input: it differs itself"
    before, after = gap
    forward = f"in the forward of {name(first)}"
    if before is not None and after is not None:
        told = "the output of the one agrees, the input of the other does not"
        return f"between {name(before)} and {name(after)}, {forward}: {told}"
    if after is not None:
        return f"before {name(after)}, {forward}: its input differs already"
    if before is not None:
        return f"after {name(before)}, {forward}: all calls in it agree, its output does not"
    return f"{forward}: its own code differs"


def tree(steps: list, calls: list[dict], first: Any) -> list[str]:
    """Torch's calls as a tree with MXNet's partners, runs of lines with the same sign folded."""
    by_number = {step.torch["number"]: step for step in steps}
    rows = []
    for call in sorted(calls, key=lambda call: call["start"]):
        step = by_number.get(call["number"])
        text = f"{'  ' * call['depth']}{call['path'] or '(model)'} ({call['kind']})"
        if step is None:
            rows.append((None, f"{text}: no partner", False))
            continue
        mark = "  <-- first divergence" if step is first else ""
        partner = f"{step.mxnet['path'] or '(model)'} ({step.mxnet['kind']})"
        rows.append((step.sign, f"{text} ~ {partner}: {step.sign}, {step.output:.1e}{mark}", step is first))
    return folded(rows if len(rows) <= LONGEST else around(rows))


def around(rows: list[tuple]) -> list[tuple]:
    """Of a long tree the way to the place, what it holds, and its neighbours; the rest is counted."""
    at = next((i for i, row in enumerate(rows) if row[2]), None)
    if at is None:
        return rows
    depths = [len(text) - len(text.lstrip(" ")) for _, text, _ in rows]
    kept, depth = {at}, depths[at]
    for i in range(at - 1, -1, -1):
        if depths[i] < depth:
            kept.add(i)
            depth = depths[i]
    inside = next((i for i in range(at + 1, len(rows)) if depths[i] <= depths[at]), len(rows))
    beside = [i for i in range(len(rows)) if depths[i] == depths[at]]
    kept |= set(range(at + 1, min(inside, at + 1 + NEAR))) | {
        i for i in beside if abs(beside.index(at) - beside.index(i)) <= 2
    }
    made, skipped = [], 0
    for i, row in enumerate([*rows, (None, "", False)]):
        if i in kept or i == len(rows):
            if skipped:
                made.append((None, f"... {skipped} calls", True))
            skipped = 0
            made += [row] if i < len(rows) else []
        else:
            skipped += 1
    return made


def listed(paths: list[str]) -> str:
    """Paths for people, not more than four."""
    names = [path or "(model)" for path in paths]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


FOLD = 5
LONGEST, NEAR = 40, 12  # lines of a tree that is shown whole; of what the place holds, in a longer one
SAID = {OK: "agree", PASSES: "pass it on", None: "have no partner", DIFFERS: "differ"}


def folded(rows: list[tuple]) -> list[str]:
    """Runs of more than FOLD lines with one sign as the first, a count, and the last."""
    lines, run = [], []
    for row in [*rows, (0, "", True)]:
        if run and (row[0] != run[0][0] or row[2] or run[0][2]):
            lines += (
                [run[0][1], f"... {len(run) - 2} layers {SAID[run[0][0]]}", run[-1][1]]
                if len(run) > FOLD
                else [r[1] for r in run]
            )
            run = []
        run.append(row)
    return lines
