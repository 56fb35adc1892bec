"""Segmentations of an image into contiguous object segments and its background."""

from collections.abc import Iterator

from cirs_tf.oned.images import BACKGROUND

# A segment is the ascending locations of its pixels. The background, if there is
# any, is one segment, perhaps in several pieces, and stands last.
Segment = tuple[int, ...]
Segmentation = tuple[Segment, ...]


def segmentations(image: str) -> Iterator[Segmentation]:
    """Yield every segmentation of an image, each once.

    The background is known (thesis 4.1), so that no object segment holds one of its
    pixels and every run of other pixels is cut on its own: a run of n pixels has
    2^(n-1) cuts, and m object pixels in r runs have 2^(m-r) segmentations.

    Args:
        image: A string of digits.

    Example:
        >>> list(segmentations("120"))
        [((0,), (1,), (2,)), ((0, 1), (2,))]
    """
    object_pixels = [i for i, digit in enumerate(image) if digit != BACKGROUND]
    background = tuple(i for i, digit in enumerate(image) if digit == BACKGROUND)

    def cut(remaining: list[int]) -> Iterator[Segmentation]:
        if not remaining:
            yield (background,) if background else ()
        for size in range(1, len(remaining) + 1):
            if remaining[size - 1] - remaining[0] != size - 1:
                break  # the background lies between
            for rest in cut(remaining[size:]):
                yield (tuple(remaining[:size]), *rest)

    yield from cut(object_pixels)


def segment_pattern(image: str, segment: Segment) -> str:
    """Return the pixels of a segment, for example '1122'.

    Args:
        image: A string of digits.
        segment: Locations of pixels.
    """
    return "".join(image[location] for location in segment)


def format_patterns(image: str, segmentation: Segmentation) -> str:
    """Return the patterns of a segmentation as '1122|00'.

    Args:
        image: A string of digits.
        segmentation: One of its segmentations.

    Example:
        >>> format_patterns("011220", ((1, 2, 3, 4), (0, 5)))
        '1122|00'
    """
    return "|".join(segment_pattern(image, segment) for segment in segmentation)


def format_locations(segmentation: Segmentation) -> str:
    """Return the locations of a segmentation as '1234|05'.

    Example:
        >>> format_locations(((1, 2, 3, 4), (0, 5)))
        '1234|05'
    """
    return "|".join("".join(map(str, segment)) for segment in segmentation)
