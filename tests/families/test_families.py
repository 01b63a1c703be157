"""Families of networks, small: true ports of every one agree, in every stage, whatever is drawn."""

from __future__ import annotations

import pytest

import crossfw
from crossfw.verification.verdict import STAGES
from tests.families.families import FAMILIES, functions_of, reseeded

# MXNet warns of symbols without a dtype.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BOUND = 1e-10


def stages_of(port: dict) -> set[str]:
    """The stages that the port's functions make possible."""
    left_out = {"loss": "mxnet_loss", "clipping": "mxnet_clip"}
    return {stage for stage in STAGES if left_out.get(stage, "inputs") in port}


def test_there_are_enough_families():
    assert len(FAMILIES) >= 24


ADAM = pytest.mark.xfail(strict=True, reason="Adam's default epsilon is called a difference where gradients are small")
KNOWN = {"mobile_inverted": ADAM}
ROWS = [pytest.param(name, marks=KNOWN.get(name, ())) for name in FAMILIES]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ROWS)
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
