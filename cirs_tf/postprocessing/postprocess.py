"""From probabilities to labels, with or without CRF and merging of small regions."""

import numpy as np

from cirs_tf.postprocessing.dense_crf import dense_crf
from cirs_tf.postprocessing.regions import merge_small_regions


def postprocess(
    images: np.ndarray, probabilities: np.ndarray, crf: bool, merge: int
) -> np.ndarray:
    """Return labels: the argmax, after a dense CRF and before merging, where asked.

    Args:
        images: `[images, height, width, 3]` uint8.
        probabilities: `[images, height, width, K]` float in [0, 1], a softmax,
            K at most 256.
        crf: Whether `dense_crf` is applied, with its defaults.
        merge: Regions of fewer pixels are merged (`merge_small_regions`); 0 for none.

    Returns:
        `[images, height, width]` uint8 labels in [0, K).

    Raises:
        ConfigError: `crf` without the extra of that name.
        ValueError: A shape, dtype or value is not as above.

    Reference: Xia and Kulis 2017 smooth W-Net's segments by a dense CRF, then merge
    regions. Departs from it: they merge by a hierarchy of contours, by strength of the
    contours; here size alone decides, and regions take labels that there are.
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
        if merge:
            labels[index] = merge_small_regions(labels[index], merge)
    return labels
