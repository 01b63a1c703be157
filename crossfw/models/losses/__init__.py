"""Cross-entropy: equations in `spec.py`, and five siblings."""
