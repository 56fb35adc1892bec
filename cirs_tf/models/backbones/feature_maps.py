"""Feature maps of single images of any size."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

_MULTIPLE = 32


class FeatureMap(NamedTuple):
    """What a layer says about an image.

    Attributes:
        values: `[rows, columns, channels]` float32; row i stands for the pixels from
            i stride to (i + 1) stride. There may be more rows than the image needs. (By
            TensorFlow's padding the middle of what a value sees lies up to half a
            stride further; placed there, regions of BSDS500 were no better.)
        stride: Pixels from one value to the next.
    """

    values: np.ndarray
    stride: int


class FeatureMaps:
    """Calls a backbone on images.

    Args:
        network: From `[batch, height, width, 3]` in [0, 1] to maps by name.
    """

    def __init__(self, network: keras.Model):
        self._network = tf.function(network, reduce_retracing=True, autograph=False)

    def __call__(self, image: np.ndarray) -> dict[str, FeatureMap]:
        """Return the maps of `[height, width, 3]` uint8, its edges repeated to fit."""
        height, width = image.shape[:2]
        more = ((0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0))
        padded = np.pad(image, more, "edge")
        maps = self._network(padded[None].astype(np.float32) / 255)
        return {
            name: FeatureMap(found[0].numpy(), padded.shape[0] // found.shape[1])
            for name, found in maps.items()
        }
