"""K convolutions side by side, one per segment."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class SegmentConv2D(keras.layers.Layer):
    """Apply a convolution of its own to each segment's channels.

    `[batch, height, width, K * channels]` to `[batch, height / strides, width /
    strides, K * filters]`, rounded up: the channels of segment 0 first. Without bias,
    with padding "same". It is a convolution of K groups, which TensorFlow has no
    gradient for on every processor.

    Args:
        segments: K.
        filters: Output channels of each segment.
        kernel_size: Side of the kernels.
        strides: Strides.
        seed: Seed of the He initialization; segment k uses seed + k.
    """

    def __init__(
        self,
        segments: int,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.segments = segments
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        """Create the kernels `[K, side, side, channels, filters]`."""
        side, channels = self.kernel_size, input_shape[-1] // self.segments
        self.kernels = self.add_weight(
            name="kernels",
            shape=(self.segments, side, side, channels, self.filters),
            initializer=self._initial_kernels,
        )

    def call(self, maps: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height / strides, width / strides, K * filters]`."""
        convolved = [
            tf.nn.conv2d(segment, kernel, self.strides, "SAME")
            for segment, kernel in zip(
                tf.split(maps, self.segments, axis=-1),
                tf.unstack(self.kernels.value),
                strict=True,
            )
        ]
        return tf.concat(convolved, axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the output."""
        batch, *sides, _ = input_shape
        sides = [side and -(-side // self.strides) for side in sides]
        return (batch, *sides, self.segments * self.filters)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "segments": self.segments,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "seed": self.seed,
        }

    def _initial_kernels(self, shape: tuple, dtype: str) -> tf.Tensor:
        kernels = [
            keras.initializers.HeNormal(seed=self.seed + segment)(shape[1:], dtype)
            for segment in range(self.segments)
        ]
        return tf.stack(kernels)
