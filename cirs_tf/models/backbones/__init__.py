"""Frozen networks that were trained before: an image to feature maps."""
