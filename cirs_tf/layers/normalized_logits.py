"""Logits of which no segment can vanish."""

import keras

from cirs_tf.layers.batch_norm import BatchNormalization


def normalized_logits(x, scale: float):
    """Normalize logits per segment over batch and pixels, times a scale.

        scale (x - mean) / sqrt(variance + 1e-3)

    A softmax gives nothing back to a segment whose logit is far below the others, so
    that a segment that loses all pixels never returns; here every segment has the same
    mean and variance. In inference running statistics take the batch's place.

    Args:
        x: `[batch, height, width, K]` KerasTensor.
        scale: Standard deviation of the logits; the larger, the harder the softmax.
    """
    x = BatchNormalization(momentum=0.9, center=False, scale=False, synchronized=True)(
        x
    )
    return keras.layers.Rescaling(scale, name="scaled_logits")(x)
