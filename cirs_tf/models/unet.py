"""The segmenter S: a U-Net from images to segment logits."""

import keras

from cirs_tf.config import SegmenterConfig
from cirs_tf.layers.conv_block import conv_block
from cirs_tf.layers.padding import CropToSize, PadToMultiple


def unet(config: SegmenterConfig, segments: int, seed: int) -> keras.Model:
    """Build the segmenter.

    Layers: `depth` times (block, 2x2 max pooling), a block at the bottom, then
    `depth` times (2x upsampling, concatenation with the block of the same size,
    block) and a 1x1 convolution to K logits. Channels double on the way down.

    Args:
        config: Width of the first block, depth, normalisation, dropout, upsampling.
        segments: K, the number of segments.
        seed: Seed of the weights and of dropout.

    Returns:
        A model from `[batch, height, width, 3]` float in [0, 1] to
        `[batch, height, width, K]` logits, for any height and width: images are padded
        inside to a multiple of 2 ** depth and logits cropped back.

    Reference: Ronneberger et al. 2015; thesis 2.1, 6.
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000, 5))
    images = keras.Input((None, None, 3), name="images")
    x = PadToMultiple(2**config.depth)(images)
    skips = []
    filters = config.width
    for _ in range(config.depth):
        x = conv_block(x, filters, config.norm, config.dropout, next(seeds))
        skips.append(x)
        x = keras.layers.MaxPooling2D()(x)
        filters *= 2
    x = conv_block(x, filters, config.norm, config.dropout, next(seeds))
    for skip in reversed(skips):
        filters //= 2
        x = _upsample(x, filters, config.upsampling, next(seeds))
        x = keras.layers.Concatenate()([x, skip])
        x = conv_block(x, filters, config.norm, config.dropout, next(seeds))
    logits = keras.layers.Conv2D(
        segments,
        1,
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        name="logits",
    )(x)
    logits = CropToSize()(logits, images)
    return keras.Model(images, logits, name="segmenter")


def _upsample(x, filters: int, kind: str, seed: int):
    """Double height and width: transposed convolution, or bilinear and a 1x1 one."""
    initializer = keras.initializers.HeNormal(seed=seed)
    if kind == "transposed":
        return keras.layers.Conv2DTranspose(
            filters, 2, strides=2, kernel_initializer=initializer
        )(x)
    x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    return keras.layers.Conv2D(filters, 1, kernel_initializer=initializer)(x)
