"""True ports of many architectures agree, to 1e-10 in float64, without a hand-written mapping."""

from __future__ import annotations

import pytest

from tests.mutants.ports.architectures import ARCHITECTURES
from tests.mutants.ports.check import check

# MXNet warns of symbols without a dtype.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BOUND = 1e-10


def test_there_are_enough_architectures():
    assert len(ARCHITECTURES) >= 12


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_true_port_is_not_flagged(name):
    port = ARCHITECTURES[name]
    verdict = check(port)
    assert verdict, verdict.reason
    passes = [row for row in verdict.rows if row.dtype == "float64" and row.stage in ("forward", "loss", "gradients")]
    assert bool(passes) == (port.dtype != "float32")
    assert max((row.error for row in passes), default=0.0) <= BOUND
