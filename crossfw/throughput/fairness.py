"""Are the workers of a contest equal? What each was given against what it reads back of itself."""

from __future__ import annotations

from typing import Any

from crossfw.frameworks.threads import ENGINE

NAIVE = "NaiveEngine"


def misfits(read_back: dict[str, dict[str, Any]], threads: int, cpus: list[int]) -> list[str]:
    """One sentence for each setting of a worker that is not what was asked for; empty where all are equal.

    Args:
        read_back: what `Service.environment` told, by worker.
        threads: that each was to use, in every runtime.
        cpus: that each was pinned to; empty for none.
    """
    found = []
    for name, facts in read_back.items():
        counts = {"its own count": facts["threads"], **facts["thread_pools"]}
        wrong = [f"{count} by {who}" for who, count in counts.items() if count != threads]
        if wrong:
            found.append(f"{name} runs with other threads than the {threads} that all were given: {', '.join(wrong)}")
        if cpus and facts["cpus"] and facts["cpus"] != list(cpus):
            found.append(f"{name} may run on CPUs {_listed(facts['cpus'])}, the others on {_listed(cpus)}")
        if not facts["thread_pools"]:
            found.append(f"{name}: threads of OpenMP and BLAS not read back, as its Python has no threadpoolctl")
        if "mxnet" in facts:
            found += _engine(name, facts["variables"])
    if not cpus:
        sets = {tuple(facts["cpus"]) for facts in read_back.values()}
        found += ["the workers may run on different CPUs"] if len(sets) > 1 else []
    return found


def _engine(name: str, variables: dict[str, str]) -> list[str]:
    found, operators = [], variables.get(ENGINE)
    if variables.get("MXNET_ENGINE_TYPE") == NAIVE:
        found.append(f"{name} runs on MXNet's {NAIVE}, which is for debugging")
    if operators != "1":
        at_once = operators or "any number of"
        found.append(f"{name}: MXNet's engine runs {at_once} operators at once, each with all threads")
    return found


def _listed(cpus: list[int]) -> str:
    return ", ".join(map(str, cpus))
