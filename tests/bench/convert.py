"""Is converting a large `.params` file cheap?

`python -m tests.bench.convert [--gb 4] [--rounds 6] [--folder /tmp] [--for]`

Writes a file of that size, copies it with `cp` and converts it with `crossfw convert`, with `--for` for a torch module,
each in a process of its own, first the one, then the other first. One round before them fills the page cache and does
not count. Prints the medians of the times and of the rounds' ratios, and the peak of resident memory. Exits with 1 if
the peak is 500 MB or more, or if the median ratio is over 2.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

ALLOWED_BYTES, ALLOWED_RATIO, ROUNDS = 500_000_000, 2.0, 6
WIDTH, ROWS = 4096, (1, 1024, 16384, 65536)


MODULE = """
def build():
    from torch import nn

    layers = {{f"layer{{i}}": nn.Linear({width}, rows, bias=False) for i, rows in enumerate({rows})}}
    return nn.ModuleDict(layers)
"""


def write_params(path: Path, total: int) -> list[int]:
    """A file of float32 arrays of 16 KB to 1 GB, in all at least `total` bytes; the rows of each."""
    block = np.random.default_rng(0).standard_normal((1024, WIDTH), np.float32).tobytes()
    shapes = []
    while total > 0:
        shapes.append((ROWS[len(shapes) % len(ROWS)], WIDTH))
        total -= 4 * shapes[-1][0] * WIDTH
    with open(path, "wb") as file:
        file.write(struct.pack("<QQQ", 0x112, 0, len(shapes)))
        for rows, width in shapes:
            file.write(struct.pack("<Iii2q3i", 0xF993FAC9, 0, 2, rows, width, 1, 0, 0))
            for start in range(0, rows, 1024):
                file.write(block[: 4 * width * min(1024, rows - start)])
        file.write(struct.pack("<Q", len(shapes)))
        for index in range(len(shapes)):
            name = f"layer{index}_weight".encode()
            file.write(struct.pack("<Q", len(name)) + name)
    return [rows for rows, _ in shapes]


def timed(*command: str) -> tuple[float, int]:
    """Seconds, and the peak of resident memory in bytes, of a command; what was written before is on the disk."""
    os.sync()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # its own children, as the worker that builds a module, count too
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, usage.ru_maxrss * 1024


def measured(commands: dict[Path, tuple[str, ...]], reverse: bool) -> dict[Path, tuple[float, int]]:
    """`timed` of each command by the file that it makes, which is removed again."""
    found = {}
    for path in sorted(commands, reverse=reverse):
        found[path] = timed(*commands[path])
        path.unlink()
    return found


def main() -> int:
    """Measure; 1 where a bound is broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gb", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--for", dest="port", action="store_true", help="renamed and relaid for a torch module")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        source, copy, converted = (Path(folder) / name for name in ("x.params", "copy.params", "x.safetensors"))
        rows = write_params(source, int(given.gb * 2**30))
        net = Path(folder) / "net.py"
        net.write_text(MODULE.format(width=WIDTH, rows=rows))
        port = ("--for", f"{net}:build") if given.port else ()
        commands = {
            copy: ("cp", str(source), str(copy)),
            converted: (sys.executable, "-m", "crossfw", "convert", str(source), str(converted), *port),
        }
        rounds = [measured(commands, reverse=bool(number % 2)) for number in range(given.rounds + 1)][1:]
        size = source.stat().st_size
    times = {path: [found[path][0] for found in rounds] for path in commands}
    ratios = [mine / theirs for mine, theirs in zip(times[converted], times[copy])]
    peak = max(found[converted][1] for found in rounds)
    print(f"{size / 1e9:.2f} GB: cp {median(times[copy]):.2f} s, convert {median(times[converted]):.2f} s")
    print(f"ratio: {median(ratios):.2f} (of the rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    print(f"peak of resident memory: {peak / 1e6:.0f} MB")
    return int(peak >= ALLOWED_BYTES or median(ratios) > ALLOWED_RATIO)


if __name__ == "__main__":
    sys.exit(main())
