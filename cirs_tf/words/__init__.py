"""Color words of unlabeled images, what they appear beside, and their vectors."""
