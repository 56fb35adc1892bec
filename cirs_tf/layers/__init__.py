"""Keras layers and custom gradients."""
