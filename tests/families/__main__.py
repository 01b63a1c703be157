"""All families at full size: `python -m tests.families [NAME ...]`; 1 where one does not agree.

A table: verdict, seconds, and the most memory that a process of it held.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

from tests.families.families import FAMILIES

ROW = "{:20} {:14} {:>7} {:>8}  {}"


def verify(name: str) -> bool:
    """Verify a family in workers of this process, print its row, tell whether it agrees."""
    import crossfw

    started = time.monotonic()
    try:
        verdict = crossfw.verify_file(FAMILIES[name])
        word, reason = verdict.word, verdict.reason
    except crossfw.CrossfwError as error:
        word, reason = "error", str(error)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2  # of the largest child, in GiB
    print(ROW.format(name, word, f"{time.monotonic() - started:.0f} s", f"{memory:.1f} GiB", reason), flush=True)
    return word == "agrees"


def verify_all(names: list[str]) -> bool:
    """Verify families, each under a process of its own, so that its memory is its own."""
    print(ROW.format("family", "verdict", "time", "memory", ""), flush=True)
    environment = {**os.environ, "CROSSFW_FAMILY_SIZE": "full"}
    command = [sys.executable, "-m", "tests.families", "--one"]
    codes = [subprocess.run([*command, name], env=environment, check=False).returncode for name in names]
    return not any(codes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        sys.exit(0 if verify(sys.argv[2]) else 1)
    sys.exit(0 if verify_all(sys.argv[1:] or list(FAMILIES)) else 1)
