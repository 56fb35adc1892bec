"""Every way to cut an image into contiguous object segments and its background."""

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
    """
    objects = [at for at, pixel in enumerate(image) if pixel != BACKGROUND]
    background = tuple(at for at, pixel in enumerate(image) if pixel == BACKGROUND)

    def cut(remaining: list[int]) -> Iterator[Segmentation]:
        if not remaining:
            yield (background,) if background else ()
        for end in range(1, len(remaining) + 1):
            if remaining[end - 1] - remaining[0] != end - 1:
                break  # the background lies between
            for rest in cut(remaining[end:]):
                yield (tuple(remaining[:end]), *rest)

    yield from cut(objects)


def pattern(image: str, segment: Segment) -> str:
    """Return the pixels of a segment, for example '1122'."""
    return "".join(image[at] for at in segment)


def written(image: str, segmentation: Segmentation) -> str:
    """Return the patterns of a segmentation as '1122|00'."""
    return "|".join(pattern(image, segment) for segment in segmentation)


def located(segmentation: Segmentation) -> str:
    """Return the locations of a segmentation as '1234|05'."""
    return "|".join("".join(map(str, segment)) for segment in segmentation)
