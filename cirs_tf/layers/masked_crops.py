"""Squares cut out around segments' centers, of images under these segments' masks."""

import tensorflow as tf


def mask_centers(masks: tf.Tensor) -> tf.Tensor:
    """Return the centers of masks.

    Args:
        masks: `[..., height, width]` float.

    Returns:
        `[..., 2]` of the same dtype: x and y in pixels, near 0 for an empty mask.
    """
    height, width = tf.shape(masks)[-2], tf.shape(masks)[-1]
    columns = tf.cast(tf.range(width), masks.dtype)
    rows = tf.cast(tf.range(height), masks.dtype)
    by_column = tf.reduce_sum(masks, axis=-2)  # (..., W)
    by_row = tf.reduce_sum(masks, axis=-1)  # (..., H)
    total = tf.reduce_sum(by_row, axis=-1) + 1e-3
    x = tf.reduce_sum(by_column * columns, axis=-1) / total
    y = tf.reduce_sum(by_row * rows, axis=-1) / total
    return tf.stack([x, y], axis=-1)


def masked_crops(
    images: tf.Tensor, masks: tf.Tensor, centers: tf.Tensor, canvas: int, side: int
) -> tf.Tensor:
    """Sample masked images and masks bilinearly on squares around centers.

    The values are those of `tf.image.crop_and_resize`, applied to every image under
    every mask, beside that mask; but only the pixels that are sampled are masked.

    Args:
        images: `[batch, objects or 1, height, width, channels]` float; 1: all masks of
            an example have one image.
        masks: `[batch, objects, height, width]` float.
        centers: `[batch, objects, 2]` float, x and y in pixels.
        canvas: Height and width of the squares in pixels of the image.
        side: Height and width of the results, at least 2.

    Returns:
        `[batch, objects, side, side, channels + 1]` float32: masked image and mask, 0
        beyond the image.
    """
    images, masks, centers = (
        tf.cast(values, tf.float32) for values in (images, masks, centers)
    )
    shape = tf.shape(masks)
    height, width = shape[2], shape[3]
    steps = tf.range(side, dtype=tf.float32) * ((canvas - 1) / (side - 1))
    corner = centers - (canvas - 1) / 2
    left, right, across = _between(corner[..., :1] + steps, width)  # (B, T, side)
    above, below, down = _between(corner[..., 1:] + steps, height)
    masks_before = tf.reshape(tf.range(shape[0] * shape[1]), [shape[0], shape[1], 1, 1])
    images_before = masks_before
    if images.shape[1] == 1 != masks.shape[1]:
        images_before = tf.range(shape[0])[:, None, None, None]
    flat_images = tf.reshape(images, [-1, images.shape[-1]])
    flat_masks = tf.reshape(masks, [-1, 1])

    def pixels(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        places = rows[..., :, None] * width + columns[..., None, :]
        mask = tf.gather(flat_masks, places + masks_before * (height * width))
        image = tf.gather(flat_images, places + images_before * (height * width))
        return tf.concat([image * mask, mask], axis=-1)

    across, down = across[..., None, :, None], down[..., :, None, None]
    top = pixels(above, left) * (1 - across) + pixels(above, right) * across
    bottom = pixels(below, left) * (1 - across) + pixels(below, right) * across
    inside = _inside(corner[..., 1:] + steps, height)[..., :, None]
    inside &= _inside(corner[..., :1] + steps, width)[..., None, :]
    crops = top * (1 - down) + bottom * down
    return tf.where(inside[..., None], crops, 0.0)


def _between(
    places: tf.Tensor, size: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the indices of the pixels on either side, and the share of the second."""
    low = tf.floor(places)
    last = size - 1
    first = tf.clip_by_value(tf.cast(low, tf.int32), 0, last)
    second = tf.clip_by_value(tf.cast(low, tf.int32) + 1, 0, last)
    return first, second, places - low


def _inside(places: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    return (places >= 0) & (places <= tf.cast(size - 1, places.dtype))
