"""Runs: train into a folder, load, score, and choose among several."""
