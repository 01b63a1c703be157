"""Every seeded fault, where and as what it was found: `python -m tests.mutants.ports.table OUT.md`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis import SECONDS
from tests.mutants.ports.architectures import ARCHITECTURES
from tests.mutants.ports.check import check
from tests.mutants.ports.faults import FAULTS
from tests.mutants.ports.faults.changes import PortFault


@dataclass(frozen=True)
class Result:
    """What was found of a fault: the stage, or why it could not be compared, and the names of its causes."""

    fault: PortFault
    stage: str | None
    named: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether it was found, at the right stage."""
        return self.stage == self.fault.stage

    @property
    def right(self) -> bool:
        """Whether one of its causes was named; without one there is nothing to name."""
        return not self.fault.causes or bool(set(self.named) & set(self.fault.causes))

    def row(self) -> str:
        """A row of the table."""
        fault = self.fault
        cells = (
            fault.name,
            fault.architecture,
            fault.stage,
            self.stage or "not found",
            " or ".join(fault.causes),
            ", ".join(self.named),
            str(fault.trap or ""),
            "yes" if self.caught and self.right else "**no**",
        )
        return f"| {' | '.join(cells)} |"


UNNAMED = 2.0  # seconds of search where there is no name to be found


def result_of(fault: PortFault) -> Result:
    """The result of verifying a faulty port."""
    try:
        port = fault.change(ARCHITECTURES[fault.architecture])
        verdict = check(port, SECONDS if fault.causes else UNNAMED)
    except CrossfwError as error:
        return Result(fault, f"not compared: {str(error).splitlines()[0]}", ())
    return Result(fault, verdict.stage, tuple(cause.name for cause in verdict.causes))


def table(results: list[Result]) -> str:
    """All results as Markdown, the summary first."""
    caught = sum(result.caught for result in results)
    known = [result for result in results if result.fault.causes]
    named = sum(result.right for result in known)
    head = "| fault | architecture | stage | found at | cause | named | trap | |"
    return "\n".join(
        [
            f"{caught} of {len(results)} seeded faults in {len({r.fault.architecture for r in results})} architectures "
            f"are caught at their stage; {named} of {len(known)} with a known cause are named.",
            "",
            head,
            "|---" * 8 + "|",
            *(result.row() for result in results),
            "",
        ]
    )


def main(path: str) -> int:
    """Write the table; 1 if a fault was not caught, or too few were named."""
    results = []
    for fault in FAULTS:
        results.append(result_of(fault))
        print(results[-1].row(), flush=True)
    Path(path).write_text(table(results))
    known = [result for result in results if result.fault.causes]
    return int(not all(r.caught for r in results) or sum(r.right for r in known) < 0.95 * len(known))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
