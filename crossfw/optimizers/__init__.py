"""Optimizers, written as the models are: `spec.py` has the equations, and five siblings follow it.

Each sibling defines `clip_global_norm(gradients, theta)` and `Optimizer(spec, model)`. `mxnet_arrays.py` is no sibling
but a helper of `mxnet_gluon.py`.
"""
