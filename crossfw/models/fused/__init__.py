"""The fast hand-written versions of the stack: implementations of their own, `mxnet-fused` and `torch-fused`.

They compute what the from-scratch code computes, with back-propagation by hand, all that does not depend on the step
before done for all steps at once, and memory used again. `stack.py` has the loops, a file for each cell its step.
"""
