"""How a segmentation compares with the truth."""
