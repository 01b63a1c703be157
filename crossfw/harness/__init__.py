"""`crossfw run`: from tasks and options to cells, and from finished cells to a report.

`options.py` is what was asked for, `store.py` the cells on disk, `crew.py` the warm workers, `cells.py` what one
cell computes, `conclude.py` what the cells of a task amount to, `run.py` the whole, `progress.py` what is seen of it.
"""
