"""Render templates into images at poses, differentiable in both."""

import tensorflow as tf


def template_coordinates(
    pose: tf.Tensor, height: int, width: int, canvas: int
) -> tf.Tensor:
    """Return the place in the template that each pixel of the image shows.

    A pose moves the template's center to (x, y) of the image and turns it by an angle:
    the pixel at q looks at R(-angle) (q - (x, y)) + (canvas - 1) / 2.

    Args:
        pose: `[..., 4]` float: x and y of the center in pixels of the image, cosine
            and sine of the angle (of any length but 0; clockwise as y points down).
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        canvas: Height and width of the template in pixels.

    Returns:
        `[..., height, width, 2]` float: column and row in the template, in pixels,
        outside of [0, canvas - 1] where the pixel lies outside the template.

    Reference: Jaderberg et al. 2015, Spatial Transformer Networks.
    """
    rows = tf.cast(tf.range(height), pose.dtype)[:, None]
    columns = tf.cast(tf.range(width), pose.dtype)
    x, y, cosine, sine = (value[..., None, None] for value in tf.unstack(pose, axis=-1))
    length = tf.sqrt(tf.square(cosine) + tf.square(sine) + 1e-8)
    cosine, sine = cosine / length, sine / length
    across, down = columns - x, rows - y  # (..., H, W)
    center = (canvas - 1) / 2
    return tf.stack(
        [cosine * across + sine * down, -sine * across + cosine * down], axis=-1
    ) + tf.cast(center, pose.dtype)


def sample_template(template: tf.Tensor, coordinates: tf.Tensor) -> tf.Tensor:
    """Interpolate a template bilinearly; beyond its border it is 0.

    Args:
        template: `[canvas, canvas, channels]` float.
        coordinates: `[batch, height, width, 2]` float: column and row in pixels.

    Returns:
        `[batch, height, width, channels]` float.
    """
    return sample_templates(template[None], coordinates[:, None])[:, 0]


def sample_templates(templates: tf.Tensor, coordinates: tf.Tensor) -> tf.Tensor:
    """Interpolate several templates bilinearly; beyond their borders they are 0.

    Args:
        templates: `[templates, canvas, canvas, channels]` float.
        coordinates: `[batch, templates, height, width, 2]` float: column and row in
            pixels.

    Returns:
        `[batch, templates, height, width, channels]` float.
    """
    count, canvas, _, channels = templates.shape
    # One pixel of 0 around each, to which all that lies outside is clipped.
    padded = tf.pad(templates, [[0, 0], [1, 1], [1, 1], [0, 0]])
    side = canvas + 2
    flat = tf.reshape(padded, [count * side * side, channels])
    places = tf.clip_by_value(
        coordinates + 1, 0.0, tf.cast(side - 1, coordinates.dtype)
    )
    low = tf.minimum(tf.floor(places), tf.cast(side - 2, places.dtype))
    part = places - low  # (B, T, H, W, 2) in [0, 1]
    column, row = tf.unstack(tf.cast(low, tf.int32), axis=-1)
    right, down = part[..., :1], part[..., 1:]
    of_template = tf.range(count)[:, None, None] * (side * side)
    first = of_template + row * side + column  # (B, T, H, W)
    corners = [tf.gather(flat, first + shift) for shift in (0, 1, side, side + 1)]
    above = corners[0] * (1 - right) + corners[1] * right
    below = corners[2] * (1 - right) + corners[3] * right
    return above * (1 - down) + below * down
