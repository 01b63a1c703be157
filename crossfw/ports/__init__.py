"""A user's own model in its own framework: what the verifier asks of it, and the port file that it comes from.

`mxnet/` and `torch/` are siblings; `nest.py` and `portfile.py` stand once, beside them. All of it runs in the
worker's interpreter, which may be an old one: the syntax is that of Python 3.9.
"""
