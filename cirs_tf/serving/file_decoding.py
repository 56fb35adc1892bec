"""Image files decoded in TensorFlow as `cirs_tf.data.image_files` decodes them."""

from collections.abc import Callable

import tensorflow as tf

from cirs_tf.serving.bands import in_bands
from cirs_tf.serving.file_headers import (
    Header,
    bmp_bits,
    jpeg_header,
    other_header,
    png_header,
)

DAMAGED = "damaged; expected a readable image file"
UNKNOWN = "not an image; expected a PNG, JPEG, GIF or 24-bit BMP file"
_BAND_PIXELS = 2**20
_UNKNOWN, _JPEG, _OTHER, _PNG = -1, 0, 1, 2  # kinds of files


def decode_file(file: tf.Tensor, max_pixels: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode an image file as it is meant to be seen, or say why not.

    EXIF orientation is applied, transparency is laid on black, 16-bit gray is scaled.
    Files of more than `max_pixels` are refused by their header.

    Args:
        file: `[]` string: a PNG or JPEG, a GIF, of which the first picture is taken,
            or a BMP of 24 bits.
        max_pixels: Larger images are refused.

    Returns:
        `[height, width, 3]` uint8, and `[]` string: empty, or one line of what is
        wrong, and then the image has no pixels.
    """
    limit = tf.constant(max_pixels, tf.int64)
    return _decode(file, limit)


@tf.function(
    autograph=False,
    input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int64)],
)
def _decode(file: tf.Tensor, limit: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    kind = _kind(file)
    return tf.cond(
        kind == _UNKNOWN,
        lambda: _nothing(UNKNOWN),
        lambda: _decode_kind(file, kind, limit),
    )


def _nothing(message: str | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    image = tf.zeros([0, 0, 3], tf.uint8)
    return tf.ensure_shape(image, [None, None, 3]), tf.convert_to_tensor(message)


def _decode_kind(
    file: tf.Tensor, kind: tf.Tensor, limit: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    readers = (jpeg_header, other_header, png_header)
    header = tf.switch_case(kind, [lambda read=read: read(file) for read in readers])
    pixels = header.height * header.width

    def decoded() -> tuple[tf.Tensor, tf.Tensor]:
        raw = _raw_pixels(file, kind, header)
        return tf.cond(
            tf.size(raw) == 0,
            lambda: _nothing(DAMAGED),
            lambda: (_oriented(_rgb(raw), header.orientation), tf.constant("")),
        )

    def small_enough() -> tuple[tf.Tensor, tf.Tensor]:
        # Without any pixels it is never decoded: how many there are is not known.
        return tf.cond(pixels == 0, lambda: _nothing(DAMAGED), decoded)

    return tf.cond(
        pixels > limit, lambda: _nothing(_too_large(header, limit)), small_enough
    )


def _kind(file: tf.Tensor) -> tf.Tensor:
    length = tf.strings.length(file)
    start, short = (
        tf.strings.substr(file, 0, tf.minimum(length, count)) for count in (4, 2)
    )
    is_bmp = (short == b"BM") & (bmp_bits(file) == 24)
    kind = tf.where((start == b"GIF8") | is_bmp, _OTHER, _UNKNOWN)
    kind = tf.where(short == b"\xff\xd8", _JPEG, kind)
    return tf.where(start == b"\x89PNG", _PNG, kind)


def _raw_pixels(file: tf.Tensor, kind: tf.Tensor, header: Header) -> tf.Tensor:
    """Return `[height, width, channels]` uint8, nothing where decoding fails.

    3 channels are RGB, 4 RGBA, 2 the lower and the upper byte of 16-bit gray.
    """

    def jpeg() -> tf.Tensor:
        # As Pillow decodes.
        return tf.io.decode_jpeg(
            file, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
        )

    def other() -> tf.Tensor:
        return tf.io.decode_image(file, channels=3, expand_animations=False)

    def png() -> tf.Tensor:
        return tf.io.decode_png(file, channels=3)

    def png_alpha() -> tf.Tensor:
        return tf.io.decode_png(file, channels=4)

    def png_gray16() -> tf.Tensor:
        gray = tf.io.decode_png(file, channels=1, dtype=tf.uint16)
        return tf.bitcast(gray[..., 0], tf.uint8)

    decoders = (jpeg, other, png, png_alpha, png_gray16)
    branch = tf.where(header.has_alpha, _PNG + 1, kind)
    branch = tf.where(header.is_gray16, _PNG + 2, branch)
    # A decoder that raises would end the graph; of a data set, only the element ends.
    decoded = tf.data.Dataset.from_tensors(branch).map(
        lambda branch: tf.ensure_shape(
            tf.switch_case(branch, decoders), [None, None, None]
        )
    )
    nothing = tf.zeros([0, 0, 0], tf.uint8)
    return decoded.ignore_errors().reduce(nothing, lambda _, pixels: pixels)


def _too_large(header: Header, limit: tf.Tensor) -> tf.Tensor:
    width, height, most = (
        tf.strings.as_string(number) for number in (header.width, header.height, limit)
    )
    parts = [width, " x ", height, " pixels; expected at most ", most, " in all"]
    return tf.strings.join(parts)


def _rgb(raw: tf.Tensor) -> tf.Tensor:
    channels = tf.shape(raw)[2]
    forms = [lambda: raw, lambda: _banded(raw, _gray16_to_rgb)]
    forms += [lambda: raw, lambda: _banded(raw, _on_black)]
    rgb = tf.switch_case(channels - 1, forms)
    return tf.ensure_shape(rgb, [None, None, 3])


def _gray16_to_rgb(gray: tf.Tensor) -> tf.Tensor:
    """Return 16-bit gray over 257, rounded, as RGB."""
    values = tf.cast(gray, tf.int32)
    scaled = (values[..., :1] + 256 * values[..., 1:] + 128) // 257
    return tf.repeat(tf.cast(scaled, tf.uint8), 3, axis=-1)


def _on_black(rgba: tf.Tensor) -> tf.Tensor:
    """Return color times alpha over 255, rounded, in whole numbers."""
    values = tf.cast(rgba, tf.int32)
    product = values[..., :3] * values[..., 3:] + 128
    return tf.cast((product + product // 256) // 256, tf.uint8)


def _banded(pixels: tf.Tensor, function: Callable) -> tf.Tensor:
    """Apply a function some rows at a time, to hold what it holds of a few rows."""
    height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
    bands = in_bands(
        height,
        tf.maximum(1, _BAND_PIXELS // width),
        lambda first, rows: function(pixels[first : first + rows]),
        tf.uint8,
    )
    return tf.reshape(bands, tf.stack([height, width, 3]))


def _oriented(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Return the image as EXIF's orientation says: transposed, then mirrored."""
    # By branches: a picture that is as it is meant to be seen is not copied.
    for turns, turn in (
        ((5, 6, 7, 8), lambda image: tf.transpose(image, [1, 0, 2])),
        ((2, 3, 6, 7), lambda image: tf.reverse(image, [1])),
        ((3, 4, 7, 8), lambda image: tf.reverse(image, [0])),
    ):
        is_turned = tf.reduce_any(orientation == turns)
        image = tf.cond(
            is_turned,
            lambda image=image, turn=turn: turn(image),
            lambda image=image: tf.identity(image),
        )
    return image
