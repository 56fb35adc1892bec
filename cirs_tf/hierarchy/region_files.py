"""What is written of a tree of regions: outlines, strengths of borders, facts."""

from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.segmentation import find_boundaries

from cirs_tf.hierarchy.region_graph import mean_in_regions

_OUTLINE = (255, 230, 0)


def outlined(image: np.ndarray, regions: np.ndarray) -> Image.Image:
    """Draw the outlines of regions over an image.

    Args:
        image: `[height, width, 3]` uint8.
        regions: `[height, width]` integers.
    """
    is_outline = find_boundaries(regions, mode="inner")
    # A line that is still seen where a large picture is shown small.
    grow = max(image.shape[:2]) // 1000
    if grow:
        is_outline = ndimage.binary_dilation(is_outline, iterations=grow)
    return Image.fromarray(
        np.where(is_outline[..., None], np.uint8(_OUTLINE), image).astype(np.uint8)
    )


def strength_picture(levels: np.ndarray) -> Image.Image:
    """Draw strengths of borders: level 0 black, 1 middle gray, above brighter.

    Args:
        levels: `[height, width]` float, 0 or more; drawn as 255 level / (level + 1).
    """
    return Image.fromarray(np.uint8(np.round(255 * levels / (levels + 1))))


def region_facts(image: np.ndarray, regions: np.ndarray) -> list[dict[str, Any]]:
    """Return area, box and mean color of each region.

    Args:
        image: `[height, width, 3]` uint8.
        regions: `[height, width]` integers from 0, each number in use.

    Returns:
        By region: `area` in pixels, `box` (left, top, right, bottom; the last two
        exclusive), `mean_color` (red, green, blue in [0, 255]).
    """
    areas = np.bincount(regions.ravel()).tolist()
    colors = mean_in_regions(regions, image).round(1).tolist()
    boxes = ndimage.find_objects(regions + 1)
    return [
        {
            "region": number,
            "area": area,
            "box": [columns.start, rows.start, columns.stop, rows.stop],
            "mean_color": color,
        }
        for number, (area, color, (rows, columns)) in enumerate(
            zip(areas, colors, boxes, strict=True)
        )
    ]
