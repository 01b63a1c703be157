"""The D2L audit: every model that `d2l.mxnet` and `d2l.torch` both define, verified as a third party's port.

    python -m audits.d2l [NAME ...]     from the checkout's root, with the extra d2l: about three minutes

`ports/` has a port file for each model, and one more for each that has a known fault, in which that alone is mended:
`crossfw verify` takes them. What they hold stands by family in `linear.py`, `recurrent.py`, `attention.py`, ...;
`training.py`, `steps.py`, `use.py`, `text.py` and `boxes.py` hold what computes without parameters of its own,
`reasons.py` what cannot be compared; `cases.py` collects them, with what is expected of each. `compute.py` runs and
compares the computations, `run.py` everything. `imports.py` imports the two modules as they are; what runs in workers
is Python 3.9.
"""
