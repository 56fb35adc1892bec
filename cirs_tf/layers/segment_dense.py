"""K dense layers side by side, one per segment."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class SegmentDense(keras.layers.Layer):
    """Apply a dense layer of its own to each segment.

    `[batch, K, inputs]` to `[batch, K, units]`: y[b, k] = x[b, k] W[k] + c[k].

    Args:
        units: Outputs of each layer.
        use_bias: Whether there is a bias c.
        seed: Seed of the Glorot initialization; segment k uses seed + k.
    """

    def __init__(self, units: int, use_bias: bool = True, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        """Create W `[K, inputs, units]` and c `[K, units]`."""
        _, segments, inputs = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(segments, inputs, self.units),
            initializer=self._initial_kernel,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(segments, self.units), initializer="zeros"
            )

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Return `[batch, K, units]`."""
        # Not an einsum: its gradient would transpose the kernel.
        by_segment = tf.matmul(tf.transpose(values, [1, 0, 2]), self.kernel.value)
        outputs = tf.transpose(by_segment, [1, 0, 2])
        return outputs + self.bias.value if self.use_bias else outputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape with `units` last."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {"units": self.units, "use_bias": self.use_bias, "seed": self.seed}
        return {**super().get_config(), **own}

    def _initial_kernel(self, shape: tuple, dtype: str) -> tf.Tensor:
        segments, inputs, units = shape
        kernels = [
            keras.initializers.GlorotUniform(seed=self.seed + segment)(
                (inputs, units), dtype
            )
            for segment in range(segments)
        ]
        return tf.stack(kernels)
