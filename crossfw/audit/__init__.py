"""The D2L audit: every model that `d2l.mxnet` and `d2l.torch` both define, verified as a third party's port.

`case.py` says what a case is; `d2l_linear.py`, `d2l_recurrent.py`, ... hold the models by family, `d2l_training.py`,
`d2l_steps.py`, `d2l_use.py`, `d2l_text.py` and `d2l_boxes.py` what computes without parameters of its own,
`d2l_reasons.py` what cannot be compared; `d2l_cases.py` collects them. `compute.py` runs and compares the computations,
`run.py` everything. `d2l_imports.py` imports the two modules as they are; what runs in workers is Python 3.9.
"""
