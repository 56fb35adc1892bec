"""Tables and figures of the thesis from runs: `python -m cirs_tf.reproduce`."""
