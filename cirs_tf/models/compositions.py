"""Images pasted together from cut-outs, whose masks are therefore known."""

import keras
import tensorflow as tf

from cirs_tf.layers.cut_out_bank import CutOutBank

_TRIES = 8  # places at which a part that may hide nothing is tried


class Compositions:
    """Draws images from a bank of cut-outs.

    Attributes:
        canvas: Height and width of a cut-out in pixels.
        bank: The layer that holds the cut-outs.
        network: A model of that layer, for checkpoints.

    Args:
        size: Height and width of the images in pixels.
        canvas: Height and width of a cut-out, as a share of the image's shorter side.
        num_objects: K - 1.
        patches_per_class: Number of cut-outs of each class.
        overlap: Whether one part may hide another.
    """

    def __init__(
        self,
        size: tuple[int, int],
        canvas: float,
        num_objects: int,
        patches_per_class: int,
        overlap: bool,
    ):
        self.size, self.overlap = size, overlap
        self.num_objects, self.patches_per_class = num_objects, patches_per_class
        self.canvas = 2 * round(canvas * min(size) / 2)
        self.bank = CutOutBank(
            num_objects, patches_per_class, self.canvas, name="cut_outs"
        )
        # In a model, as networks are; its input is ignored.
        ignored = keras.Input((), name="ignored")
        self.network = keras.Model(ignored, self.bank(ignored), name="cut_outs")

    def draw(
        self, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Paste up to `max_parts` parts over each other, on a flat color.

        Class, cut-out and place are uniform, each place within those where the class
        was seen; so is the number of parts, from 1. Neither the order of the color
        channels nor, where classes are the same however turned, a quarter turn tells
        anything of the class: both are drawn for each part.

        Args:
            count: Number of images.
            seed: `[2]` int32.

        Returns:
            Images `[count, height, width, 3]` float in [0, 1] and masks
            `[count, height, width]` int32: the class that covers more than half of a
            pixel, 0 for the background.
        """
        bank = self.network(tf.zeros([1]))
        seeds = tf.random.experimental.stateless_split(seed, 3)
        background = tf.random.stateless_uniform(
            [count], seeds[0], 0, bank["backgrounds"].shape[0], tf.int32
        )
        images = tf.gather(bank["backgrounds"], background)[:, None, None]
        images = tf.broadcast_to(images, [count, *self.size, 3])
        masks = tf.zeros([count, *self.size], tf.int32)
        max_parts = tf.cast(bank["max_parts"], tf.int32)
        parts = tf.random.stateless_uniform(
            [count], seeds[1], 1, max_parts + 1, tf.int32
        )

        def paste(index, images, masks):
            part_seed = tf.random.experimental.stateless_fold_in(seeds[2], index)
            label, patch, is_free = self._place(bank, masks, part_seed)
            pasted = is_free & (index < parts)
            covered = patch[..., 3:] * tf.cast(pasted[:, None, None, None], patch.dtype)
            images += covered * (patch[..., :3] - images)
            masks = tf.where(covered[..., 0] > 0.5, label[:, None, None] + 1, masks)
            return index + 1, images, masks

        _, images, masks = tf.while_loop(
            lambda index, *_: index < max_parts, paste, (0, images, masks)
        )
        return images, masks

    def _place(
        self, bank: dict[str, tf.Tensor], masks: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Choose a part and a place for each image.

        Returns:
            Its class from 0 `[count]`, an image `[count, height, width, 4]` of it
            alone, and whether it may be pasted there `[count]`.
        """
        count = tf.shape(masks)[0]
        seeds = tf.random.experimental.stateless_split(seed, 5)
        draw = tf.random.stateless_uniform
        label = draw([count], seeds[0], 0, self.num_objects, tf.int32)
        patch_index = draw([count], seeds[1], 0, self.patches_per_class, tf.int32)
        patches = tf.gather_nd(bank["patches"], tf.stack([label, patch_index], axis=1))
        patches = tf.cast(patches, bank["backgrounds"].dtype) / 255
        turns = tf.cast(bank["quarter_turns"], tf.int32)
        patches = _rotate(patches, draw([count], seeds[3], 0, turns, tf.int32))
        patches = _permute_channels(patches, draw([count, 3], seeds[4]))
        bounds = tf.gather(bank["center_bounds"], label)
        least, greatest = tf.unstack(bounds, axis=1)
        tries = 1 if self.overlap else _TRIES
        share = tf.cast(draw([tries, count, 2], seeds[2]), least.dtype)
        centers = tf.cast(tf.floor(least + share * (greatest - least + 1)), tf.int32)
        corners = centers - self.canvas // 2
        if self.overlap:
            return label, self._paste(patches, corners[0]), tf.ones([count], tf.bool)
        chosen, is_free = corners[0], tf.zeros([count], tf.bool)
        for corner in tf.unstack(corners):
            inside = self._paste(patches[..., 3:], corner)[..., 0] > 0.5
            fits = ~tf.reduce_any(inside & (masks > 0), axis=[1, 2])
            chosen = tf.where(fits[:, None], corner, chosen)
            is_free |= fits
        return label, self._paste(patches, chosen), is_free

    def _paste(self, patches: tf.Tensor, corners: tf.Tensor) -> tf.Tensor:
        """Paste patches `[count, canvas, canvas, C]` with upper left corners there.

        Returns:
            `[count, height, width, C]`; 0 outside the patch.
        """
        padded = tf.pad(patches, [[0, 0], [1, 1], [1, 1], [0, 0]])
        for axis, length in enumerate(self.size):
            places = tf.range(length)[None] - corners[:, axis, None] + 1
            places = tf.clip_by_value(places, 0, self.canvas + 1)
            padded = tf.gather(padded, places, axis=axis + 1, batch_dims=1)
        return padded


def _rotate(patches: tf.Tensor, quarter_turns: tf.Tensor) -> tf.Tensor:
    """Rotate patches `[count, canvas, canvas, C]` by 0 to 3 quarters, `[count]`."""
    quarter_turns = quarter_turns[:, None, None, None]
    for turns in (1, 2):
        rotated = tf.image.rot90(patches, turns)
        has_bit = tf.bitwise.bitwise_and(quarter_turns, turns) > 0
        patches = tf.where(has_bit, rotated, patches)
    return patches


def _permute_channels(patches: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Sort the colors of patches `[count, canvas, canvas, 4]` by keys `[count, 3]`."""
    channels = tf.argsort(keys)
    colors = tf.gather(
        tf.transpose(patches[..., :3], [0, 3, 1, 2]), channels, batch_dims=1
    )
    return tf.concat([tf.transpose(colors, [0, 2, 3, 1]), patches[..., 3:]], axis=-1)
