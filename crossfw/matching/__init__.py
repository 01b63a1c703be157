"""Which parameter of one model is which of the other, from descriptions alone."""
