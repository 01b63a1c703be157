"""All families at full size: `python -m tests.families [NAME ...]`; 1 where one does not agree.

A table: verdict, seconds, and the most memory that a process of it held. `--small` takes small sizes, `--seeds N` that
many draws of inputs. `--faults N` draws N faults for each family, and tells which are found, where, under which name.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time

from tests.families.families import FAMILIES

ROW = "{:20} {:>4} {:14} {:>7} {:>8}  {}"


def verify(name: str, seed: int) -> bool:
    """Verify a family in workers of this process, or drawn by a seed in it; print its row, tell whether it agrees."""
    import crossfw
    from tests.families.families import functions_of, verified

    started = time.monotonic()
    try:
        verdict = crossfw.verify_file(FAMILIES[name]) if seed == 0 else verified(functions_of(name, seed))
        word, reason = verdict.word, verdict.reason
    except crossfw.CrossfwError as error:
        word, reason = "error", str(error)
    whose = resource.RUSAGE_CHILDREN if seed == 0 else resource.RUSAGE_SELF
    memory = resource.getrusage(whose).ru_maxrss / 1024**2  # of the largest process, in GiB
    told = f"{time.monotonic() - started:.0f} s", f"{memory:.1f} GiB", reason
    print(ROW.format(name, seed, word, *told), flush=True)
    return word == "agrees"


def verify_all(names: list[str], seeds: int, size: str) -> bool:
    """Verify families, each under a process of its own, so that its memory is its own."""
    print(ROW.format("family", "seed", "verdict", "time", "memory", ""), flush=True)
    environment = {**os.environ, "CROSSFW_FAMILY_SIZE": size}
    command = [sys.executable, "-W", "ignore::UserWarning", "-m", "tests.families", "--one"]
    runs = [[*command, str(seed), name] for name in names for seed in range(seeds)]
    codes = [subprocess.run(run, env=environment, check=False).returncode for run in runs]
    return not any(codes)


def main() -> bool:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.families", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of families; all of them where none is given")
    parser.add_argument("--small", action="store_true", help="not at full size")
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of inputs")
    parser.add_argument("--faults", type=int, metavar="N", help="draw N faults for each family, at small size")
    parser.add_argument("--one", type=int, metavar="SEED", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.names or list(FAMILIES)
    if given.one is not None:
        return verify(names[0], given.one)
    if given.faults:
        from tests.families.faults import report

        return report(names, given.faults)
    return verify_all(names, given.seeds, "small" if given.small else "full")


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
