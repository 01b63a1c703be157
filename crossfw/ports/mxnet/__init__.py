"""The MXNet side of a pair; the files are those of the torch side as far as both need them."""
