"""D2L's language model over the library's layers; see `d2l_mxnet.py`."""

from tests.bench.d2l_mxnet import Backend, Optimizer
from tests.bench.d2l_mxnet import Concise as Model

__all__ = ["Backend", "Model", "Optimizer"]
