"""Postprocessing of predicted segments: dense CRF, merging of small regions."""
