"""Distance between the mean features of classes: the alpha_2 term of CIRS."""

import numpy as np


def class_mean_distance(features: np.ndarray, labels: np.ndarray) -> float:
    """Return the summed squared distance of the class means from their mean.

        mean_k   = mean of features[i] over the examples i with labels[i] = k
        distance = sum_k |mean_k - (1/K) sum_j mean_j|^2

    the term that alpha_2 weighs in thesis 5, each example being one whole segment.

    Args:
        features: `[examples, features]` float.
        labels: `[examples]` integer class labels; negative ones are left out.

    Returns:
        At least 0, in squared units of the features.

    Raises:
        ValueError: There are fewer than two classes.

    Reference: thesis 9.1.

    Example:
        >>> features = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 4.0]])
        >>> class_mean_distance(features, np.array([0, 0, 1]))
        16.0
    """
    classes = np.unique(labels[labels >= 0])
    if len(classes) < 2:
        raise ValueError(f"expected examples of two or more classes, got {classes}")
    features = features.astype(np.float64)
    means = np.stack([features[labels == label].mean(axis=0) for label in classes])
    return float(np.sum((means - means.mean(axis=0)) ** 2))
