"""The state that a recurrent layer starts from: passed on one side, zeros on the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis.case import Case, close
from crossfw.verification.diagnosis.trying import Hypothesis, suppose


def states(case: Case) -> Iterator[Hypothesis]:
    """Recurrent layers whose call has a state on one side only."""
    kinds = {pair.torch.layer for pair in case.stages.mapping.pairs if pair.torch.kind in ("rnn", "gru", "lstm")}
    for step in case.place.steps:
        path = step.torch["path"]
        if path not in kinds:
            continue
        ours, theirs = len(step.torch["inputs"]), len(step.mxnet["inputs"])
        if ours > 1 and theirs == 1:
            told = {"change": "state", "path": path, "inputs": []}
            found = "torch's layer starts from a state that is passed to it, MXNet's from zeros"
            yield suppose("state", path, found, f"leave the state out: {path}(x)", told)
        if ours == 1 and theirs > 1:
            numbers = given_states(case, step)
            if numbers:
                told = {"change": "state", "path": path, "inputs": numbers}
                found = f"MXNet's layer starts from a state, the model's inputs {numbers}; torch's starts from zeros"
                yield suppose("state", path, found, f"pass the state on: {path}(x, state)", told)


def given_states(case: Case, step: object) -> list[int]:
    """Which of the model's inputs are the states of MXNet's call; none where they are computed."""
    root = next((one for one in case.place.steps if one.mxnet["path"] == ""), None)
    if root is None:
        return []
    try:
        numbers = [step.mxnet["number"], root.mxnet["number"]]
        call, model = case.stages.pair.mxnet.call("call_arrays", numbers=numbers)
    except CrossfwError:
        return []
    found = []
    for state in call["inputs"][1:]:
        equal = [i for i, array in enumerate(model["inputs"]) if close(np.asarray(array), np.asarray(state))]
        found += [i for i in equal if i not in found][:1]
    return found if len(found) == len(call["inputs"]) - 1 else []
