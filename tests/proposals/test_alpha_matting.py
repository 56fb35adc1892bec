"""Half-covered pixels, by hand."""

import numpy as np

from cirs_tf.proposals.alpha_matting import estimate_alpha


def test_alpha_is_measured_against_the_nearest_color_inside():
    background, red, green = np.array(
        [[0.2, 0.2, 0.2], [1.0, 0.2, 0.2], [0.2, 0.6, 0.2]]
    )
    expected = np.array([[0.0, 0.25, 1.0, 1.0, 0.5, 0.0]])
    object_colors = np.array([[red, red, red, green, green, green]])
    image = background + expected[..., None] * (object_colors - background)
    inside = np.array([[False, False, True, True, False, False]])
    alpha, colors = estimate_alpha(image, background, inside)
    np.testing.assert_allclose(colors, object_colors)
    np.testing.assert_allclose(alpha, expected, atol=1e-12)


def test_alpha_of_other_colors_is_not_clipped():
    # On the line from black to gray 0.5: white is twice as far.
    image = np.array([[[0.5] * 3, [1.0] * 3, [0.0] * 3]])
    background = np.zeros((1, 3, 3))
    background[0, 2] = 0.5  # the object's own color: nothing can be told
    inside = np.array([[True, False, False]])
    alpha, _ = estimate_alpha(image, background, inside)
    np.testing.assert_allclose(alpha, [[1, 2, np.nan]])
