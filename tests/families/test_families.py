"""Families of networks, small: true ports of every one agree, in every stage, whatever is drawn."""

from __future__ import annotations

import pytest

import crossfw
from crossfw.verification.verdict import STAGES
from tests.families.families import FAMILIES, functions_of, reseeded

# MXNet warns of symbols without a dtype.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BOUND = 1e-10
OPEN = {  # what is still to be found out; `python -m tests.families` runs them
    "dual_path": "differs at a first stage",
    "high_resolution": "float32 cannot be compared",
    "mobile_inverted": "not run to its end yet",
}


def stages_of(port: dict) -> set[str]:
    """The stages that the port's functions make possible."""
    left_out = {"loss": "mxnet_loss", "clipping": "mxnet_clip"}
    return {stage for stage in STAGES if left_out.get(stage, "inputs") in port}


@pytest.mark.parametrize("seed", range(1))
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - set(OPEN)))
def test_a_family_agrees(name, seed):
    port = functions_of(name)
    drawn = {what: reseeded(port[what], seed) for what in ("inputs", "targets") if what in port}
    port = {**port, **drawn}
    verdict = crossfw.verify(port.pop("mxnet_model"), port.pop("torch_model"), port.pop("inputs"), **port)
    assert verdict, verdict.reason
    compared = [row for row in verdict.rows if row.dtype == "float64"]
    assert {row.stage for row in compared} == stages_of({**port, "inputs": None})
    passes = [row.error for row in compared if row.stage in ("forward", "loss", "gradients")]
    assert max(passes) <= BOUND
    assert not [note for note in verdict.notes if "not compared" in note]
