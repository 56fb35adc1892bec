"""A preset of the smallest DINOv2, with random weights, as keras-hub writes it."""

import numpy as np
import pytest

PATCH, CHANNELS, LAYERS = 14, 32, 2
TRAINED_SIDE = 5 * PATCH  # of the images by which the position embeddings are


def write_preset(folder, **settings):
    """Write a preset and return its backbone; skips where keras-hub is missing.

    Args:
        folder: Where to.
        **settings: Of `DINOV2Backbone`, besides the smallest size.
    """
    keras_hub = pytest.importorskip("keras_hub")
    side = (TRAINED_SIDE, TRAINED_SIDE, 3)
    backbone = keras_hub.models.DINOV2Backbone(
        patch_size=PATCH,
        num_layers=LAYERS,
        hidden_dim=CHANNELS,
        num_heads=2,
        intermediate_dim=64,
        image_shape=side,
        position_embedding_shape=side,
        **settings,
    )
    rng = np.random.default_rng(0)
    for weight in backbone.weights:  # nothing is 0 or 1, as some are at first
        weight.assign(0.3 * rng.normal(size=weight.shape))
    layer = backbone.embeddings
    layer.interpolated_position_embeddings.assign(layer.position_embeddings)
    backbone.save_to_preset(str(folder))
    return backbone


def normalize(images):
    """Return images in [0, 1] as DINOv2 expects them."""
    return ((images - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).astype("float32")
