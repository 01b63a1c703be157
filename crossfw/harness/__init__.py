"""`crossfw run`: from tasks and options to cells, and from finished cells to a report.

`options.py` is what was asked for, `work.py` a task made ready, `store.py` the cells on disk, `crew.py` the warm
workers, `cells.py` what one cell computes, `conclude.py` what the cells of a task amount to, `published.py` that beside
what others measured, `speed.py` throughput, `run.py` the whole, `progress.py` what is seen of it; `inventory.py` and
`doctor.py` are the commands of those names.
"""
