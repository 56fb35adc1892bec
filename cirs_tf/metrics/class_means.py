"""How far apart the mean features of classes lie: the alpha_2 term of CIRS."""

import numpy as np


def class_mean_distance(features: np.ndarray, classes: np.ndarray) -> float:
    """Sum over classes the squared distance of a class's mean from their common mean.

        mean_k   = mean of f[i] over the examples i of class k
        distance = sum_k |mean_k - (1/K) sum_j mean_j|^2

    the term that alpha_2 weighs in thesis 5, each example being one whole segment.

    Args:
        features: `[examples, features]` float.
        classes: `[examples]` integers; negative ones are left out.

    Returns:
        At least 0, in squared units of the features.

    Raises:
        ValueError: There are fewer than two classes.

    Reference: thesis 9.1.
    """
    present = np.unique(classes[classes >= 0])
    if len(present) < 2:
        raise ValueError(f"expected examples of two or more classes, got {present}")
    features = features.astype(np.float64)
    means = np.stack([features[classes == one].mean(axis=0) for one in present])
    return float(np.sum((means - means.mean(axis=0)) ** 2))
