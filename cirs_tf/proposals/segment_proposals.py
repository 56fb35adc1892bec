"""Objects as the segments that a segmenter has found."""

import numpy as np

from cirs_tf.proposals.backgrounds import BACKGROUND_IMAGES
from cirs_tf.proposals.color_clusters import color_histogram
from cirs_tf.proposals.connected_components import connected_components
from cirs_tf.proposals.object_proposals import Proposals, exemplar, min_component_area


def segment_proposals(
    images: np.ndarray, labels: np.ndarray, num_objects: int, canvas: int
) -> Proposals:
    """Take background, exemplars and pseudo-labels from segments.

    The background is the segment that holds most of the images' borders. An exemplar is
    one of the components nearest to the segment's median histogram of colors, the
    largest that the border does not cut.

    Args:
        images: `[images, height, width, 3]` uint8.
        labels: `[images, height, width]` uint8 in [0, K).
        num_objects: K - 1.
        canvas: Height and width of an exemplar in pixels.

    Returns:
        The proposals. At a pixel, `background` is the median color of the images in
        which it is background, 0 where it never is.

    Raises:
        ValueError: An object's segment has no part larger than a speck.
    """
    scaled = images.astype(np.float32) / 255
    segments = num_objects + 1
    border = np.concatenate([labels[:, [0, -1]].ravel(), labels[:, :, [0, -1]].ravel()])
    ground = int(np.bincount(border, minlength=segments).argmax())
    order = [ground, *(k for k in range(segments) if k != ground)]
    ranks = np.empty(segments, np.uint8)
    ranks[order] = np.arange(segments)
    labels = ranks[labels]
    exemplars, counts = [], []
    for index in range(1, segments):
        components = connected_components(
            labels == index, min_component_area(labels[0].size)
        )
        if not components:
            raise ValueError(f"segment {order[index]} has no part larger than a speck")
        histograms = [
            color_histogram(scaled[c.image][c.box][c.mask]) for c in components
        ]
        exemplars.append(exemplar(scaled, components, histograms, canvas))
        counts.append(len(components))
    background = np.ma.median(
        np.ma.array(
            scaled[:BACKGROUND_IMAGES],
            mask=np.repeat(labels[:BACKGROUND_IMAGES, ..., None] != 0, 3, axis=-1),
        ),
        axis=0,
    )
    return Proposals(background.filled(0), exemplars, labels, tuple(counts))
