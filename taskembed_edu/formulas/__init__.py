"""Distances, losses, mining: tensors in, tensors out. Fast paths are private (`_pairwise`, `_vectors`)."""
