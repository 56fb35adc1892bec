"""One-dimensional images: strings of digits of one length, '0' is the background."""

from collections.abc import Sequence

from cirs_tf.errors import ConfigError

BACKGROUND = "0"
# Random digits of this size take the exhaustive search seconds, at times 20.
MAX_PIXELS = 8
MAX_IMAGES = 6


def check_images(images: Sequence[str]) -> tuple[str, ...]:
    """Return the images if every search of this package can take them.

    Args:
        images: Strings, at most `MAX_IMAGES`.

    Raises:
        ConfigError: A character is no digit, an image is empty or longer than
            `MAX_PIXELS`, the lengths differ, or there are no or more than
            `MAX_IMAGES` images.
    """
    if not 1 <= len(images) <= MAX_IMAGES:
        raise ConfigError(
            f"expected 1 to {MAX_IMAGES} images (the search is exhaustive), "
            f"received {len(images)}"
        )
    for index, image in enumerate(images, start=1):
        where = f"image {index} ({image!r})"
        wrong = [character for character in image if character not in "0123456789"]
        if wrong:
            raise ConfigError(f"{where}: expected digits 0 to 9, received {wrong[0]!r}")
        if not 1 <= len(image) <= MAX_PIXELS:
            raise ConfigError(
                f"{where}: expected 1 to {MAX_PIXELS} pixels (the search is "
                f"exhaustive), received {len(image)}"
            )
        if len(image) != len(images[0]):
            raise ConfigError(
                f"{where}: expected {len(images[0])} pixels as in image 1, "
                f"received {len(image)}"
            )
    return tuple(images)
