"""Masks of a layer as a segmenter of two segments."""

import keras

_CERTAIN = 8.0  # logit of a segment that is certain


def mask_segmenter(masks: keras.layers.Layer) -> keras.Model:
    """Return a segmenter whose segment 1 is where a layer's mask is 1.

    Args:
        masks: From `[batch, height, width, 3]` float in [0, 1] to `[batch, height,
            width, 1]` float of 0 and 1.

    Returns:
        From images to logits of 0 and 8, `[batch, height, width, 2]`.
    """
    images = keras.Input((None, None, 3), name="images")
    front = _CERTAIN * masks(images)
    logits = keras.layers.Concatenate()([_CERTAIN - front, front])
    return keras.Model(images, logits, name="segmenter")
