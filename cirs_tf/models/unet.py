"""The U-Net: the segmenter S, from images to segment logits, and W-Net's decoder."""

import keras

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.layers.conv_block import conv_block
from cirs_tf.layers.normalized_logits import normalized_logits
from cirs_tf.layers.padding import CropToSize, PadToMultiple
from cirs_tf.layers.precision import hidden_layers
from cirs_tf.layers.upsampling import BilinearUpsampling


def unet(
    config: SegmenterConfig,
    outputs: int,
    seed: int,
    inputs: int = 3,
    name: str = "segmenter",
) -> keras.Model:
    """Build a U-Net, by default the segmenter.

    Layers: `depth` times (block, 2x2 max pooling), a block at the bottom, then
    `depth` times (2x upsampling, concatenation with the block of the same size,
    block) and a 1x1 convolution to the outputs. Channels double on the way down.

    Args:
        config: Width of the first block, depth, normalization, dropout, upsampling,
            kind of convolution, what happens to the logits.
        outputs: K, the number of segments.
        seed: Seed of the weights and of dropout.
        inputs: Channels of the input.
        name: Name of the model.

    Returns:
        A model from `[batch, height, width, inputs]` float, images in [0, 1], to
        `[batch, height, width, outputs]` logits, for any height and width: they are
        padded inside to a multiple of 2 ** depth and logits cropped back.

    Reference: Ronneberger et al. 2015; thesis 2.1, 6.
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000, 5))

    def block(x, filters: int, convolution: str = config.convolution):
        seed = next(seeds)
        return conv_block(
            x,
            filters,
            config.norm,
            config.dropout,
            seed,
            convolution,
            config.dropout_of,
        )

    images = keras.Input((None, None, inputs), name="images")
    with hidden_layers():
        x = PadToMultiple(2**config.depth)(images)
        skips = []
        filters = config.width
        for level in range(config.depth):
            x = block(x, filters) if level else block(x, filters, "plain")
            skips.append(x)
            x = keras.layers.MaxPooling2D()(x)
            filters *= 2
        x = block(x, filters)
        for level, skip in reversed(list(enumerate(skips))):
            filters //= 2
            x = _upsample(x, filters, config.upsampling, next(seeds))
            x = keras.layers.Concatenate()([x, skip])
            x = block(x, filters) if level else block(x, filters, "plain")
    logits = keras.layers.Conv2D(
        outputs,
        1,
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        name="logits",
    )(x)
    if config.relu_logits:
        logits = keras.layers.ReLU()(logits)
    logits = CropToSize()(logits, images)
    if config.logit_scale is not None:
        logits = normalized_logits(logits, config.logit_scale)
    return keras.Model(images, logits, name=name)


def _upsample(x, filters: int, kind: str, seed: int):
    """Double height and width: transposed convolution, or bilinear and a 1x1 one."""
    initializer = keras.initializers.HeNormal(seed=seed)
    if kind == "transposed":
        return keras.layers.Conv2DTranspose(
            filters, 2, strides=2, kernel_initializer=initializer
        )(x)
    x = BilinearUpsampling()(x)
    return keras.layers.Conv2D(filters, 1, kernel_initializer=initializer)(x)
