"""Families of networks, small: true ports of every one agree, in every stage, whatever is drawn."""

from __future__ import annotations

import pytest

from crossfw.verification.row import STAGES
from tests.families.families import FAMILIES, functions_of, verified
from tests.sampling import ALL, sample

# MXNet warns of symbols without a dtype.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BOUND = 1e-10
NARROW = 1e-4  # where MXNet has an operator in float32 alone
SEEDS = range(3 if ALL else 1)
ONEDNN = "could not construct a sub-memory"  # MXNet's own failure in float32; a process is started again without oneDNN


def test_there_are_many_families():
    assert len(FAMILIES) >= 24


def stages_of(port: dict) -> set[str]:
    """The stages that the port's functions make possible."""
    left_out = {"loss": "mxnet_loss", "clipping": "mxnet_clip"}
    return {stage for stage in STAGES if left_out.get(stage, "inputs") in port}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", sample(sorted(FAMILIES)))
def test_a_family_agrees(name, seed):
    port = functions_of(name, seed)
    verdict = verified(port)
    assert verdict, verdict.reason
    compared = [row for row in verdict.rows if row.dtype == "float64"]
    assert {row.stage for row in compared} == stages_of(port)
    passes = [row.error for row in compared if row.stage in ("forward", "loss", "gradients")]
    narrow = any("MXNet has none" in what for what in verdict.untested)
    assert max(passes) <= (NARROW if narrow else BOUND)
    assert not [note for note in verdict.notes if "not compared" in note and ONEDNN not in note]
