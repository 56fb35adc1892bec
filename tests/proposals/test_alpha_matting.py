"""Half-covered pixels, by hand."""

import numpy as np

from cirs_tf.proposals.alpha_matting import covered_by


def test_a_rim_pixel_is_measured_against_the_nearest_one_inside():
    behind, red, green = np.array([[0.2, 0.2, 0.2], [1.0, 0.2, 0.2], [0.2, 0.6, 0.2]])
    shares = np.array([[0.0, 0.25, 1.0, 1.0, 0.5, 0.0]])
    colors = np.array([[red, red, red, green, green, green]])
    image = behind + shares[..., None] * (colors - behind)
    inside = np.array([[False, False, True, True, False, False]])
    found, moved, length = covered_by(image, behind, inside)
    np.testing.assert_allclose(found, colors)
    # From the background to red 0.8, to green 0.4.
    np.testing.assert_allclose(length, [[0.64, 0.64, 0.64, 0.16, 0.16, 0.16]])
    np.testing.assert_allclose(moved / length, shares, atol=1e-12)
