"""Connected components of foreground masks, and square crops around them."""

import dataclasses
from collections.abc import Iterable

import numpy as np
from scipy import ndimage


@dataclasses.dataclass(frozen=True)
class ConnectedComponent:
    """Pixels of one image that are connected over their sides (4-connected).

    Attributes:
        image: Index of the image.
        rows: Rows of its bounding box.
        columns: Columns of its bounding box.
        mask: `[rows, columns]` bool, its pixels in the bounding box.
    """

    image: int
    rows: slice
    columns: slice
    mask: np.ndarray

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(self.mask.sum())

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the bounding box, to index an image with."""
        return self.rows, self.columns

    @property
    def box_center(self) -> tuple[int, int]:
        """Row and column of the middle of the bounding box, rounded down."""
        return (
            (self.rows.start + self.rows.stop) // 2,
            (self.columns.start + self.columns.stop) // 2,
        )

    def touches_border(self, height: int, width: int) -> bool:
        """Return whether it may be cut off by the border of its image.

        Args:
            height: Height of the image in pixels.
            width: Width of the image in pixels.
        """
        at_start = self.rows.start == 0 or self.columns.start == 0
        return at_start or self.rows.stop == height or self.columns.stop == width

    def image_mask(self, height: int, width: int) -> np.ndarray:
        """Return `[height, width]` bool, its pixels in the whole image.

        Args:
            height: Height of the image in pixels.
            width: Width of the image in pixels.
        """
        mask = np.zeros((height, width), bool)
        mask[self.box] = self.mask
        return mask


def connected_components(
    masks: Iterable[np.ndarray], min_area: int
) -> list[ConnectedComponent]:
    """Return the connected components of each mask, small ones left out.

    Args:
        masks: One `[height, width]` bool per image.
        min_area: Components of fewer pixels are left out.

    Returns:
        The components of the first mask, then those of the next; in each by their
        first pixels, row by row.

    Example:
        >>> masks = np.array([[[1, 1, 0, 1], [0, 1, 0, 0]]], bool)
        >>> [(c.rows, c.columns, c.area) for c in connected_components(masks, 2)]
        [(slice(0, 2, None), slice(0, 2, None), 3)]
    """
    components = []
    for image, mask in enumerate(masks):
        labels, _ = ndimage.label(mask)
        boxes = ndimage.find_objects(labels)
        for label, (rows, columns) in enumerate(boxes, start=1):
            pixels = labels[rows, columns] == label
            if pixels.sum() >= min_area:
                components.append(ConnectedComponent(image, rows, columns, pixels))
    return components


def crop_square(
    array: np.ndarray, center: tuple[int, int], size: int, mode: str = "constant"
) -> np.ndarray:
    """Cut a square out of an image, padded where it reaches over the border.

    Args:
        array: `[height, width, ...]`.
        center: Row and column, inside of the image, that lie at `size // 2`.
        size: Height and width of the square in pixels.
        mode: How `numpy.pad` fills what lies outside: "constant" (0) or "edge".

    Returns:
        `[size, size, ...]`.

    Example:
        >>> crop_square(np.array([[1, 2], [3, 4]]), center=(0, 1), size=2)
        array([[0, 0],
               [1, 2]])
    """
    no_padding = [(0, 0)] * (array.ndim - 2)
    padded = np.pad(array, [(size, size), (size, size), *no_padding], mode=mode)
    top, left = (place - size // 2 + size for place in center)
    return padded[top : top + size, left : left + size]
