"""What `crossfw run` was asked for, checked."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path

from crossfw.checks import nearest, require_choice, require_integer, require_interpreter
from crossfw.errors import CrossfwError
from crossfw.harness.swept import Swept
from crossfw.models import FRAMEWORKS, FUSED, IMPLEMENTATIONS, REFERENCE, Implementation

SUITES = ("quick", "full")
DTYPES = ("float32", "float64")
OWN_NAME = re.compile(rf"({'|'.join(FRAMEWORKS)})-[A-Za-z0-9_]+")


KNOWN = (*IMPLEMENTATIONS, *FUSED)


def parse_implementations(names: list[str]) -> tuple[Implementation, ...]:
    """Implementations from `torch-nn` or `torch-mine=path/to/mine.py`, with the reference always among them.

    Raises:
        CrossfwError: an unknown name, a name twice, a file that is missing.
    """
    found = {REFERENCE: Implementation(REFERENCE)}
    for text in names:
        name, _, file = text.partition("=")
        asked = f"implementation {text!r}"
        if file:
            if not OWN_NAME.fullmatch(name) or name in KNOWN:
                raise CrossfwError(asked, f"the name {name!r}", "name it torch-WORD, mxnet-WORD or numpy-WORD=FILE.py")
            if not Path(file).is_file():
                raise CrossfwError(asked, f"no file {file}", "give the path of a Python file that defines Model")
            file = str(Path(file).resolve())
        elif name not in KNOWN:
            raise CrossfwError(
                asked,
                f"none of that name{nearest(name, KNOWN)}",
                f"use some of {', '.join(KNOWN)}, or torch-WORD=FILE.py for one of your own",
            )
        if name in found and name != REFERENCE:
            raise CrossfwError(asked, "it is named twice", "name it once")
        found[name] = Implementation(name, file or None)
    if len(found) == 1:
        raise CrossfwError("implementations", "only the reference: nothing to compare", "name at least one more")
    return tuple(found.values())


def missing_frameworks(implementations: tuple[Implementation, ...], pythons: dict[str, str]) -> dict[str, str]:
    """Frameworks that this interpreter lacks and no other was named for, each with the command that mends it."""
    needed = {implementation.framework for implementation in implementations} - {"numpy"} - set(pythons)
    absent = [name for name in sorted(needed) if not importlib.util.find_spec(name)]
    return {name: f"{name} is not installed: pip install 'crossfw[{name}]'" for name in absent}


@dataclass(frozen=True)
class RunOptions:
    """The options of `crossfw run`.

    Attributes:
        tasks: names or paths; empty for the whole catalogue.
        out: the report's folder.
        suite: "quick" (few epochs) or "full" (the recipes' own).
        implementations: which to run; the reference is always among them.
        seeds: how many, counted from 0, instead of the suite's; epochs: instead of the suite's.
        device, dtype: of curves and throughput; agreement always runs in both dtypes.
        threads: of each worker while throughput is measured.
        data_dir: where corpora are looked up.
        resume: go on in a folder that holds cells already. keep_traces: leave them in `traces/`.
        pythons: another interpreter, by framework.
        sweeps: settings whose values are changed to see how speed scales; they need named tasks.
    """

    tasks: tuple[str, ...]
    out: Path
    suite: str = "quick"
    implementations: tuple[Implementation, ...] = tuple(Implementation(name) for name in IMPLEMENTATIONS)
    seeds: int | None = None
    epochs: int | None = None
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = os.cpu_count() or 1
    data_dir: Path | None = None
    resume: bool = False
    keep_traces: bool = False
    pythons: tuple[tuple[str, str], ...] = ()
    sweeps: tuple[Swept, ...] = ()

    def __post_init__(self) -> None:
        require_choice("--suite", self.suite, SUITES)
        require_choice("--dtype", self.dtype, DTYPES)
        require_integer("--threads", self.threads, 1, os.cpu_count() or 1)
        for name in ("seeds", "epochs"):
            if getattr(self, name) is not None:
                require_integer(f"--{name}", getattr(self, name), 1)
        for framework, python in self.pythons:
            require_interpreter(framework, python)
        if self.sweeps and not self.tasks:
            remedy = f"name the tasks to sweep: crossfw run lm_rnn --sweep {self.sweeps[0]}"
            raise CrossfwError(f"--sweep {self.sweeps[0]}", "no task is named", remedy)
        stems = [Path(name).stem for name in self.tasks]
        if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
            raise CrossfwError("tasks", f"two are called {twice[0]}", "give each file a name of its own")
        kind, _, index = self.device.partition(":")
        if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
            raise CrossfwError(f"--device {self.device}", "no device of that name", "use cpu or cuda:0")
