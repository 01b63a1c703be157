"""Training: the one loop for all implementations, perplexity, divergence, text generation.

`epoch.py`, `divergence.py` and `generation.py` run beside the framework, `curves.py` in the parent.
"""
