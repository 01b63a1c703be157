"""How long `verify` takes and how much memory its processes hold together: `python -m tests.bench.ports [NAME ...]`.

Networks of `tests.families` at the size that people use, one after another, as a Markdown table with the processor's
name. Memory is the largest sum of what the processes hold for themselves, sampled: their anonymous and shared pages.
Arrays in files, which the system may drop and read again, stand apart. The frameworks' own, imported and idle, is
measured first and taken off.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from tests.families.families import FAMILIES

CHOSEN = (
    "plain",
    "residual",
    "wide",
    "grouped",
    "dense",
    "squeeze_excitation",
    "split_attention",
    "shuffle",
    "mobile_inverted",
    "inception",
    "dual_path",
    "preactivation",
)
EVERY = 1.0  # seconds between samples: each of them stops the processes for a moment
IDLE = """
def mxnet_model():
    from mxnet.gluon import nn
    return nn.Dense(1, in_units=1)

def torch_model():
    from torch import nn
    return nn.Linear(1, 1)

def inputs(rng):
    return rng.standard_normal((1, 1))
"""


def held(process: psutil.Process) -> np.ndarray:
    """GB that a process and its children hold: for themselves, and mapped from files."""
    total = np.zeros(2)
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{one.pid}/smaps_rollup").read_text()
            sizes = {name: int(size) / 1e6 for name, size in re.findall(r"^Pss_(\w+): +(\d+)", told, re.MULTILINE)}
            total += (sizes["Anon"] + sizes["Shmem"], sizes["File"])
    return total


def parameters(verdict: dict) -> float:
    """Millions of numbers that travel."""
    shapes = [re.findall(r"\d+", row["shape"].split(")")[0]) for row in verdict["mapping"]]
    return sum(math.prod(map(int, shape)) for shape in shapes) / 1e6


def measured(port: Path, folder: str) -> tuple[str, float, float, np.ndarray]:
    """(verdict, millions of parameters, seconds, GB held and mapped) of one port."""
    environment = {**os.environ, "CROSSFW_FAMILY_SIZE": "full"}
    started, most = time.monotonic(), np.zeros(2)
    command = [sys.executable, "-m", "crossfw", "verify", str(port), "--seconds", "0"]
    command += ["--json", f"{folder}/verdict.json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            try:
                most = np.maximum(most, held(process))
            except psutil.Error:
                break
            time.sleep(EVERY)
        assert run.stdout is not None
        run.stdout.read()
    seconds = time.monotonic() - started
    verdict = json.loads(Path(folder, "verdict.json").read_text())
    return verdict["word"], parameters(verdict), seconds, most


def processor() -> str:
    """Its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main(names: list[str]) -> None:
    """Print the table."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        idle = Path(folder) / "idle.py"
        idle.write_text(IDLE)
        *_, seconds, own = measured(idle, folder)
        print(f"{processor()}, {os.cpu_count()} cores; a layer of one unit: {seconds:.0f} s, {own[0]:.1f} GB\n")
        columns = "network", "million parameters", "verdict", "seconds", "GB beside the frameworks' own", "GB in files"
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        for name in names:
            word, size, seconds, memory = measured(FAMILIES[name], folder)
            beside, files = np.maximum(memory - own, 0)
            print(f"| {name} | {size:.1f} | {word} | {seconds:.0f} | {beside:.1f} | {files:.1f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [name for name in CHOSEN if name in FAMILIES])
