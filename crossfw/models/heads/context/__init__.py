"""One head; see `spec.py`."""
