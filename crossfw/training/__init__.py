"""Training: the one loop for all implementations, perplexity, divergence, text generation.

`epoch.py`, `dropout.py`, `divergence.py`, `generation.py` and `decoding.py` run beside the framework, `curves.py` and
`evaluation.py` in the parent.
"""
