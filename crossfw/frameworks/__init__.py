"""What each framework needs around it: import, threads, devices, CUDA libraries, versions.

`numpy.py`, `mxnet.py` and `torch.py` define the same `Backend` over native arrays, in the same order; `loading.py`
finds an implementation's code. All of it runs in workers: the syntax is that of Python 3.9.
"""
