"""S1, the worked example: the published table, from every implementation, by layer and by cell."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from crossfw.models import IMPLEMENTATIONS
from crossfw.models.network.spec import Spec

PUBLISHED = {
    "identity": {"output": [4.0, 12.0, 32.0], "hidden": [2.0, 6.0]},
    "tanh": {
        "output": [1.9280551601516338, 1.9984510891336251, 1.9999753470497836],
        "hidden": [0.9640275800758169, 0.9992255445668126],
    },
}
INPUTS = np.array([[[1.0, 1.0]], [[1.0, 1.0]], [[2.0, 2.0]]])


@pytest.mark.parametrize("route", ["forward", "forward_by_steps"])
@pytest.mark.parametrize("activation", PUBLISHED)
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_published_table(workers, name, activation, route):
    spec = Spec(2, 2, 2, activation, 1, "features")
    workers[name].call("build", model="network", spec=asdict(spec), dtype="float64", device="cpu")
    ones = {key: np.full(shape, float(len(shape) > 1)) for key, shape in spec.shapes().items()}
    workers[name].call("load", parameters=ones)
    answer = workers[name].call(route, batch={"inputs": INPUTS}, state={"h": np.zeros((1, 2))})
    found = answer["activations"]
    for tensor, expected in PUBLISHED[activation].items():
        for step, value in enumerate(expected):
            np.testing.assert_allclose(found[tensor][step], np.full((1, 2), value), rtol=1e-15, atol=0)
