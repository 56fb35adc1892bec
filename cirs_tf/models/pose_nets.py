"""The pose networks: from a masked image to the pose of the object in it."""

import itertools

import keras

from cirs_tf.layers.conv_block import normalized_relu
from cirs_tf.layers.precision import hidden_layers
from cirs_tf.layers.segment_conv import SegmentConv2D
from cirs_tf.layers.segment_dense import SegmentDense

_FILTERS = (16, 32, 32)
# Height and width of the input, in pixels.
POSE_INPUT = 32


def pose_nets(num_objects: int, seed: int) -> keras.Model:
    """Build the pose networks of all objects, side by side.

    Each: three 5x5 convolutions of stride 2 with batch normalization and ReLU, a dense
    layer of 64 and one of 4. None sees anything of another's object.

    Args:
        num_objects: K - 1.
        seed: Seed of the weights.

    Returns:
        A model from `[batch, K - 1, POSE_INPUT, POSE_INPUT, 4]`, masked image and mask
        around the center of each mask, to `[batch, K - 1, 4]`: offset in x and y,
        cosine and sine (of any length).
    """
    seeds = itertools.count(seed * 1_000, num_objects)
    shape = (num_objects, POSE_INPUT, POSE_INPUT, 4)
    masked = keras.Input(shape, name="masked_images")
    with hidden_layers():
        # Channels side by side: normalization of each channel is that of each network.
        x = keras.layers.Permute((2, 3, 1, 4))(masked)
        x = keras.layers.Reshape((POSE_INPUT, POSE_INPUT, num_objects * 4))(x)
        for filters in _FILTERS:
            x = SegmentConv2D(num_objects, filters, 5, 2, seed=next(seeds))(x)
            x = normalized_relu(x, "batch")
        x = keras.layers.Reshape((*x.shape[1:3], num_objects, _FILTERS[-1]))(x)
        x = keras.layers.Permute((3, 1, 2, 4))(x)
        x = keras.layers.Reshape((num_objects, -1))(x)
        x = keras.layers.ReLU()(SegmentDense(64, seed=next(seeds))(x))
    poses = SegmentDense(4, seed=next(seeds), name="poses")(x)
    return keras.Model(masked, poses, name="poses")
