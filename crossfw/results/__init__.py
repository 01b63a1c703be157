"""What a run found, as a value: what `run`, `report` and `compare` share.

`schema`: the contract of `results.json`; `encoding`: as strict JSON and back; `archive`: the rows of agreement, packed
beside it; `tables`: all of them as pandas tables, and a folder read back; `formatting`: how numbers are written.
"""
