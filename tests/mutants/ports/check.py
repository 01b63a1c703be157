"""The verdict on an architecture, in this process."""

from __future__ import annotations

import crossfw
from crossfw.verification.diagnosis import SECONDS
from crossfw.verification.verdict import PortVerdict
from tests.mutants.ports.architecture import Architecture


def check(port: Architecture, seconds: float = SECONDS) -> PortVerdict:
    """The verdict on a port, true or faulty.

    Args:
        seconds: that the search for a cause may take.

    Raises:
        CrossfwError: it cannot be compared.
    """
    return crossfw.verify(port.mxnet_model, port.torch_model, port.inputs, seconds=seconds, **port.settings())
