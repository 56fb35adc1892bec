"""Bare networks: they know no loss and no training."""
