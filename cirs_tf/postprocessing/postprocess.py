"""Labels from probabilities, optionally with a dense CRF and merging of regions."""

import numpy as np

from cirs_tf.postprocessing.dense_crf import dense_crf
from cirs_tf.postprocessing.regions import merge_small_regions


def postprocess(
    images: np.ndarray,
    probabilities: np.ndarray,
    crf: bool = False,
    min_region_size: int = 0,
) -> np.ndarray:
    """Return the most probable labels, after a CRF and with small regions merged.

        labels = merge_small_regions(argmax_k dense_crf(image, probabilities)[k])

    Args:
        images: `[images, height, width, 3]` uint8.
        probabilities: `[images, height, width, K]` float in [0, 1], a softmax,
            K at most 256.
        crf: Whether `dense_crf` is applied, with its defaults.
        min_region_size: In pixels; connected regions of fewer pixels are merged into
            their neighbors (`merge_small_regions`). 0 merges none.

    Returns:
        `[images, height, width]` uint8 labels in [0, K).

    Raises:
        ConfigError: `crf` without the extra of that name.
        ValueError: A shape, dtype or value is not as above.

    Reference: Xia and Kulis 2017 smooth W-Net's segments by a dense CRF, then merge
    regions. Departs from it: they merge by a hierarchy of contours, by strength of the
    contours; here size alone decides, and regions take the label of a neighbor.

    Example:
        >>> images = np.zeros((1, 2, 4, 3), np.uint8)
        >>> segments = np.array([[[0, 0, 0, 1], [0, 2, 0, 1]]])
        >>> probabilities = np.where(segments[..., None] == np.arange(3), 0.8, 0.1)
        >>> postprocess(images, probabilities, min_region_size=2)
        array([[[0, 0, 0, 1],
                [0, 0, 0, 1]]], dtype=uint8)
    """
    if len(images) != len(probabilities):
        raise ValueError(
            f"probabilities: expected those of {len(images)} images, got "
            f"{len(probabilities)}"
        )
    labels = np.empty(probabilities.shape[:3], np.uint8)
    for index, (image, marginals) in enumerate(zip(images, probabilities, strict=True)):
        if crf:
            marginals = dense_crf(image, marginals)
        labels[index] = marginals.argmax(axis=-1)
        if min_region_size:
            labels[index] = merge_small_regions(labels[index], min_region_size)
    return labels
