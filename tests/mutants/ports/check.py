"""The verdict on an architecture, in this process."""

from __future__ import annotations

import crossfw
from crossfw.verification.verdict import PortVerdict
from tests.mutants.ports.architecture import Architecture


def check(port: Architecture) -> PortVerdict:
    """The verdict on a port, true or faulty.

    Raises:
        CrossfwError: it cannot be compared.
    """
    return crossfw.verify(port.mxnet_model, port.torch_model, port.inputs, **port.settings())
