"""Proposals from unlabeled images: objects and backgrounds before any training."""
