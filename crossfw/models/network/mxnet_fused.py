"""From scratch in MXNet, on the fast layers of `fused`."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.fused.mxnet import stack, tape
from crossfw.models.network import mxnet_scratch


class Model(mxnet_scratch.Model):
    """The model of `spec.py`."""

    run = staticmethod(stack.run)
    back_propagate = staticmethod(tape.back_propagate)

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """As the model from scratch, with a tape of its own."""
        tape.start()
        return super().forward(batch, state)
