"""One cell; see `spec.py`."""
