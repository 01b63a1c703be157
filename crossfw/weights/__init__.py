"""Weights: how they start, how names map, and checkpoints: `.params` files without MXNet, and what they become."""
