"""True ports: each module is a port file as a user writes it, small, with both sides of one architecture."""
