"""What the harness asks of a framework, and the process that it runs in.

`numpy.py`, `mxnet.py` and `torch.py` define the same `Backend` over native arrays, in the same order.
`service.py` offers what they do to callers that speak NumPy; `worker.py` serves it over a pipe (`frames.py`)
from a process of its own, and `client.py` is the parent's end. `loading.py` finds an implementation's code.

Everything that a worker imports keeps to the syntax of Python 3.9 and needs NumPy and its framework only.
"""
