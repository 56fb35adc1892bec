"""What is sent to a model server for an image file, and what comes back."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.data.image_files import open_image, rgb_array
from cirs_tf.errors import ImageError, ServerError

_ORIENTATION = 0x0112  # the EXIF tag


def read_request(path: str | Path, max_bytes: int) -> tuple[bytes, np.ndarray]:
    """Read an image file and what a server is to be sent for it.

    A plain PNG or JPEG is sent as it is. Others, with EXIF orientation, transparency or
    a palette, which models exported by version 0.1 read otherwise than `segment`, and
    formats that a server does not know are sent as a PNG of what `segment` sees.

    Args:
        path: The file.
        max_bytes: Of the file, and of what is sent.

    Returns:
        The bytes, and the image, `[height, width, 3]` uint8.

    Raises:
        ImageError: It is no image, is damaged, or is too large.
    """
    path = Path(path)
    try:
        _check_size(path, path.stat().st_size, max_bytes)
        file = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    with open_image(io.BytesIO(file), path) as opened:
        image = rgb_array(opened)
        as_is = _is_plain(opened)
    if not as_is:
        picture = io.BytesIO()
        Image.fromarray(image).save(picture, "PNG", compress_level=1)
        file = picture.getvalue()
        _check_size(path, len(file), max_bytes)
    return file, image


def read_mask(file: bytes, height: int, width: int) -> np.ndarray:
    """Decode the mask that a server answers.

    Args:
        file: The bytes.
        height: Of the image.
        width: Of the image.

    Returns:
        `[height, width]` uint8 segment indices.

    Raises:
        ServerError: It is no 8-bit gray PNG of that size, or is damaged.
    """
    size = None
    try:
        with open_image(io.BytesIO(file), "the mask in the answer") as opened:
            kind, size = (opened.format, opened.mode), opened.size
            labels = np.asarray(opened) if size == (width, height) else None
    except ImageError as error:
        raise ServerError(str(error)) from None
    if labels is None or kind != ("PNG", "L"):
        raise ServerError(
            f"the mask in the answer is {' '.join(kind)} of {size[0]} x {size[1]} "
            f"pixels; expected PNG L of {width} x {height}"
        )
    return labels


def _is_plain(opened: Image.Image) -> bool:
    """Return whether TensorFlow sees in this file what `segment` does."""
    return (
        opened.format in ("PNG", "JPEG", "MPO")  # MPO: a JPEG with a preview behind it
        and opened.mode in ("RGB", "L")
        and "transparency" not in opened.info
        and opened.getexif().get(_ORIENTATION, 1) == 1
    )


def _check_size(path: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ImageError(
            f"{path}: {size:,} bytes to send; expected at most {max_bytes:,} "
            "(--max-bytes)"
        )
