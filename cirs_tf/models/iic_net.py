"""The network of IIC segmentation: one trunk, two heads."""

from collections.abc import Iterator

import keras

from cirs_tf.layers.conv_block import conv_layer
from cirs_tf.layers.padding import CropToSize, PadToMultiple
from cirs_tf.layers.precision import hidden_layers
from cirs_tf.layers.upsampling import BilinearUpsampling


def iic_segmenter(width: int, segments: int, seed: int) -> keras.Model:
    """Build the trunk and the main head alone.

    Args:
        width: Channels of the first convolution.
        segments: K, outputs of the main head.
        seed: Seed of the weights.

    Returns:
        The first model of `iic_networks`, with the same weights.
    """
    seeds = _seeds(seed)
    images, x = _trunk(width, seeds)
    return _head(images, x, segments, seeds, "segmenter")


def iic_networks(
    width: int, segments: int, over_segments: int, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Build both heads on a shared trunk.

    Trunk: 3x3 convolutions with batch normalization and ReLU of `width`, 2 `width`,
    2x2 max pooling, then 4, 4, 8 and 8 times `width`. A head is a 1x1 convolution,
    enlarged to the input's size (bilinear). With `width` 64 this is the network of the
    paper's code: 64-128-pool-256-256-512-512.

    Args:
        width: Channels of the first convolution.
        segments: K, outputs of the main head.
        over_segments: Outputs of the over-clustering head.
        seed: Seed of the weights.

    Returns:
        The segmenter and the over-segmenter, each from `[batch, height, width, 3]`
        float in [0, 1] to `[batch, height, width, outputs]` logits, on one trunk.

    Reference: Ji et al. 2019, section 4.2.
    """
    seeds = _seeds(seed)
    images, x = _trunk(width, seeds)
    segmenter = _head(images, x, segments, seeds, "segmenter")
    return segmenter, _head(images, x, over_segments, seeds, "over_segmenter")


def _seeds(seed: int) -> Iterator[int]:
    return iter(range(seed * 1_000, (seed + 1) * 1_000))


def _trunk(width: int, seeds: Iterator[int]):
    """Return images `[batch, height, width, 3]` and the trunk's output for them."""
    images = keras.Input((None, None, 3), name="images")
    with hidden_layers():
        x = PadToMultiple(2)(images)
        for factor in (1, 2, None, 4, 4, 8, 8):
            if factor is None:
                x = keras.layers.MaxPooling2D()(x)
            else:
                x = conv_layer(x, factor * width, 3, "batch", next(seeds))
    return images, x


def _head(images, x, outputs: int, seeds: Iterator[int], name: str) -> keras.Model:
    initializer = keras.initializers.GlorotUniform(seed=next(seeds))
    logits = keras.layers.Conv2D(
        outputs, 1, kernel_initializer=initializer, name=f"{name}_logits"
    )(x)
    logits = BilinearUpsampling()(logits)
    logits = CropToSize()(logits, images)
    return keras.Model(images, logits, name=name)
