"""Colors of segments in figures; see test_reproduce_command.py for the figures."""

import numpy as np

from cirs_tf.reproduce.figures import segment_colors
from cirs_tf.visualization import palette


def test_a_segment_has_the_color_of_the_class_it_stands_for():
    colors = palette(3 + 4)
    # Class 0 is segment 2, class 1 none, class 2 segment 0.
    chosen = segment_colors([2, -1, 0], segments=4)
    assert (chosen == [colors[2], colors[4], colors[0], colors[6]]).all()
    assert len(np.unique(chosen, axis=0)) == 4
