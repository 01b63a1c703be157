"""Random true ports: a drawn specification, and both frameworks' models of it."""
