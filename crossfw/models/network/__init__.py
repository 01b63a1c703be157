"""One kind of model; see `spec.py`."""
