"""Regions of a single photograph: superpixels, and the tree of their merging."""

# Defaults, which the command's help shows without importing SciPy.
NUM_SUPERPIXELS = 500
MAX_SIDE = 640
