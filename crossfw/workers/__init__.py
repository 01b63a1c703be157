"""A process for each framework: `client.py` is the parent's end, `worker.py` the other one.

Whoever starts one names the class that it serves. Messages are frames of JSON and raw arrays (`frames.py`), large
arrays go by file (`spill.py`); nothing is pickled.
"""
