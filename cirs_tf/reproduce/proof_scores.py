"""The one-dimensional proof of the thesis, computed."""

from cirs_tf.oned.color import rank_by_color
from cirs_tf.oned.cross_instance import rank_by_cross_instance
from cirs_tf.oned.frequency import find_objects
from cirs_tf.oned.segmentations import format_patterns

IMAGES = ("112200", "011220", "001122")  # thesis 4


def proof_scores() -> dict:
    """Return the best segmentations of thesis 4 and the patterns of 12.1.

    Returns:
        `images`; `color` and `cross_instance`: the segmentation of each by either
        objective, `cross_instance_objective`; `patterns`: those that pattern frequency
        selects, and in how many images each is.
    """
    by_color = [rank_by_color(image, True)[0][1] for image in IMAGES]
    (objective, matched), *_ = rank_by_cross_instance(IMAGES, True, count=1)
    steps = find_objects(IMAGES, None)
    return {
        "images": list(IMAGES),
        "color": list(map(format_patterns, IMAGES, by_color)),
        "cross_instance": list(map(format_patterns, IMAGES, matched)),
        "cross_instance_objective": float(objective),
        "patterns": [
            {"pattern": step.pattern, "images": step.counts[step.pattern]}
            for step in steps
        ],
    }
