"""Curves of scalars that were written for TensorBoard."""

import numpy as np
import tensorflow as tf

from cirs_tf.reproduce.curves import curves_picture, read_scalars


def test_scalars_are_read_in_order_and_the_last_of_a_step_counts(tmp_path):
    # A resumed run writes a second file, which begins before the first one ended.
    for first, offset in ((0, 0.0), (50, 100.0)):
        suffix = f".{first}"
        writer = tf.summary.create_file_writer(str(tmp_path), filename_suffix=suffix)
        with writer.as_default():
            for step in range(first, 100, 25):
                tf.summary.scalar("train/loss", step + offset, step)
                tf.summary.scalar("other", -1.0, step)
        writer.close()
    found = read_scalars(tmp_path, "train/loss")
    assert found == [(0, 0.0), (25, 25.0), (50, 150.0), (75, 175.0)]
    assert read_scalars(tmp_path, "none") == []


def test_a_picture_has_a_line_of_its_own_color_per_curve():
    def colors(curves):
        picture = curves_picture(curves, "step", "value")
        pixels = np.asarray(picture).reshape(-1, 3).astype(int)
        saturated = pixels[np.ptp(pixels, axis=1) > 100]
        return {tuple(color) for color in saturated // 32}

    rising = [(step, step / 10) for step in range(100)]
    one = colors({"a": rising})
    two = colors({"a": rising, "b": [(step, -value) for step, value in rising]})
    assert one and one < two
    assert colors({"empty": []}) <= one
