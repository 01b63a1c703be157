"""RNN with one hidden layer: `spec.py` has the equations."""
