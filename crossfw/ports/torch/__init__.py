"""The torch side of a pair; the files are those of the MXNet side as far as both need them."""
