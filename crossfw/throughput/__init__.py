"""How fast: rounds of warm workers, samples, statistics, memory, the machine's limit.

`timing.py` runs beside the framework; the rest in the parent.
"""
