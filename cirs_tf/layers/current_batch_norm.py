"""Batch normalization that has no running statistics."""

import keras


@keras.saving.register_keras_serializable("cirs_tf")
class CurrentBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization by the statistics of the batch at hand, in inference too.

    For inputs whose distribution has no one mean: where calls take turns between
    segments, the running mean is that of all of them and normalizes none.

    The arguments are those of `keras.layers.BatchNormalization`; running statistics
    are kept by it and never used.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalize `inputs`; `training` makes no difference."""
        return super().call(inputs, training=True, mask=mask)
