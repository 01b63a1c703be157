"""Agreement: what is recorded of an implementation, how it is compared, and the verdict.

`shared.py` makes the state that every stage starts from, `record.py` lets an implementation compute from it,
`trace.py` holds and stores what came out, `bounds.py` says how much rounding may differ, `compare.py` compares two
traces, `trajectory.py` two training curves, `verdict.py` draws the conclusion. Nothing here imports a framework.
"""

STAGES = (
    "self-agreement",
    "parameters",
    "forward",
    "loss",
    "gradients",
    "clipping",
    "update",
    "optimizer state",
    "trajectory",
)
