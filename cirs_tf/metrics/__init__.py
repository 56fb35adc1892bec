"""Metrics: how well a segmentation agrees with the truth, or with another one."""
