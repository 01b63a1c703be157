"""The contract of `results.json`, how it is kept, and how numbers are written."""
