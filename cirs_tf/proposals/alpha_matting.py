"""Alpha matting: which share of a pixel at its border an object covers."""

import numpy as np
from scipy import ndimage


def estimate_alpha(
    image: np.ndarray, background: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the share of each pixel that an object covers.

    A pixel at the border shows (1 - alpha) background + alpha object, and the object's
    own color is taken from the nearest pixel inside of it:

        alpha = (image - background) . (object - background) / |object - background|^2

    Args:
        image: `[rows, columns, 3]` float.
        background: The background there, of that shape or one color `[3]`.
        inside: `[rows, columns]` bool: pixels that the object covers wholly, at least
            one.

    Returns:
        alpha: `[rows, columns]` float, not clipped: pixels of other colors give values
            outside [0, 1]. NaN where the object has the background's color.
        colors: `[rows, columns, 3]` float, the object's own color at each pixel.

    Example:
        >>> image = np.array([[[0.0] * 3, [0.25] * 3, [1.0] * 3]])
        >>> inside = np.array([[False, False, True]])
        >>> alpha, colors = estimate_alpha(image, np.zeros(3), inside)
        >>> alpha
        array([[0.  , 0.25, 1.  ]])
    """
    nearest = ndimage.distance_transform_edt(
        ~inside, return_distances=False, return_indices=True
    )
    colors = image[tuple(nearest)]
    contrast = colors - background
    projection = ((image - background) * contrast).sum(axis=-1)
    with np.errstate(invalid="ignore"):  # 0/0 is NaN, as documented
        return projection / np.square(contrast).sum(axis=-1), colors
