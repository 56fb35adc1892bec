"""Templates of CIRS with aligned segments: from unlabeled images, and as pictures."""

import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import as_float
from cirs_tf.methods.segmenter_pretraining import data_errors
from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.proposals.object_proposals import propose
from cirs_tf.proposals.segment_proposals import segment_proposals
from cirs_tf.training.phases import PSEUDO_LABELS, SUMMARY, Initialization
from cirs_tf.visualization import image_grid


def propose_templates(
    images: np.ndarray,
    num_objects: int,
    canvas: int,
    threshold: float,
    seed: int,
    labels: np.ndarray | None = None,
) -> Initialization:
    """Find background, templates and pseudo-labels in unlabeled images.

    Args:
        images: `[images, height, width, 3]` uint8.
        num_objects: K - 1.
        canvas: Height and width of a template in pixels.
        threshold: Squared RGB distance, summed over channels in [0, 1], from which a
            pixel differs from the background.
        seed: Seed of k-means, which stands in where there are too few dense clusters.
        labels: `[images, height, width]` uint8 in [0, K), segments to take the place
            of what differs from a static background.

    Returns:
        `background` `[height, width, 3]` and `template_colors`
        `[K - 1, canvas, canvas, 3]` float32 in [0, 1], `template_support`
        `[K - 1, canvas, canvas]` bool, `pseudo_labels` and `summary`.

    Raises:
        DataError: Too little differs from a static background, or a segment has no
            part larger than a speck.
    """
    with data_errors("cirs_aligned"):
        if labels is None:
            proposals = propose(images, num_objects, canvas, threshold, seed)
        else:
            proposals = segment_proposals(images, labels, num_objects, canvas)
    colors = []
    for exemplar in proposals.exemplars:
        mean = exemplar.colors[exemplar.support].mean(axis=0)
        colors.append(np.where(exemplar.support[..., None], exemplar.colors, mean))
    used = ", ".join(map(str, proposals.components_per_object))
    summary = f"parts of each object in {len(images):,} images: {used}"
    return {
        "background": proposals.background,
        "template_colors": np.stack(colors),
        "template_support": np.stack([e.support for e in proposals.exemplars]),
        PSEUDO_LABELS: proposals.labels,
        SUMMARY: np.array(summary),
    }


def template_pictures(
    templates: PosedTemplates,
    images: np.ndarray,
    masks: tf.Tensor,
    background: tf.Tensor,
) -> dict[str, Image.Image]:
    """Draw the templates, and each of them rendered at its pose in some images.

    Args:
        templates: Background and templates.
        images: `[images, height, width, 3]` uint8.
        masks: `[images, K, height, width, 1]` float, their segments.
        background: `[height, width, 3]`, or one for each image.

    Returns:
        `poses` and `templates`.
    """
    batch = as_float(images)
    combined = tf.broadcast_to(background, tf.shape(batch))
    rows = {"image": images}
    poses = templates.estimate_poses(batch, masks, training=False)
    each = templates.render(templates.stored(), poses)
    for index, rendered in enumerate(tf.unstack(each, axis=1)):
        colors, support = rendered[..., :3], rendered[..., 3:]
        rows[f"segment {index + 1}"] = _as_uint8(1 - support * (1 - colors))
        combined += support * (colors - combined)
    rows["all rendered"] = _as_uint8(combined)
    return {
        "poses": image_grid(rows),
        "templates": image_grid({"templates": templates.on_white()}, scale=4),
    }


def _as_uint8(images: tf.Tensor) -> np.ndarray:
    return np.uint8(255 * np.clip(images.numpy(), 0, 1) + 0.5)
