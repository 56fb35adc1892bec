"""Some images of many, from all over them."""

import numpy as np


def evenly_spaced(total: int, count: int) -> np.ndarray:
    """Return at most `count` indices below `total`, evenly spaced, the first one first.

    Args:
        total: Of how many, at least 1.
        count: How many are wanted, at least 1.

    Example:
        >>> evenly_spaced(10, 4)
        array([0, 2, 5, 7])
        >>> evenly_spaced(3, 4)
        array([0, 1, 2])
    """
    count = min(total, count)
    return np.arange(count) * total // count
