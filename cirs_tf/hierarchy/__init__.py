"""Regions of a single photograph: superpixels, and the tree of their merging."""
