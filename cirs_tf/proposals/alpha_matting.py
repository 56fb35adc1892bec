"""What an object's rim would show if the object covered all of each pixel."""

import numpy as np
from scipy import ndimage


def covered_by(
    image: np.ndarray, behind: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare pixels with the nearest ones inside of an object.

    A pixel at the rim shows (1 - a) background + a object, and the object's own color
    is that of the nearest pixel inside: a is `moved / length`.

    Args:
        image: `[rows, columns, 3]` float.
        behind: The background there, of that shape or one color `[3]`.
        inside: `[rows, columns]` bool, somewhere True.

    Returns:
        The object's colors `[rows, columns, 3]`; how far each pixel has moved from the
        background towards them, and how far it could have: `moved` and `length`,
        `[rows, columns]`, in squared color.
    """
    nearest = ndimage.distance_transform_edt(
        ~inside, return_distances=False, return_indices=True
    )
    colors = image[tuple(nearest)]
    towards = colors - behind
    moved = ((image - behind) * towards).sum(axis=-1)
    return colors, moved, np.square(towards).sum(axis=-1)
