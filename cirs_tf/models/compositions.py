"""Images pasted together from cut-outs, whose masks are therefore known."""

import keras
import tensorflow as tf

from cirs_tf.layers.cut_out_bank import CutOutBank

_TRIES = 8  # places at which a part that may hide nothing is tried


class Compositions:
    """Draws images from a bank of cut-outs.

    Attributes:
        canvas: Height and width of a cut-out in pixels.
        bank: The layer that holds them.
        network: A model of that layer, for checkpoints.

    Args:
        size: Height and width of the images in pixels.
        canvas: Side of a cut-out, as a share of the image's shorter side.
        kinds: K - 1.
        members: Cut-outs a kind.
        overlap: Whether one part may hide another.
    """

    def __init__(
        self,
        size: tuple[int, int],
        canvas: float,
        kinds: int,
        members: int,
        overlap: bool,
    ):
        self.size, self.overlap = size, overlap
        self.kinds, self.members = kinds, members
        self.canvas = 2 * round(canvas * min(size) / 2)
        self.bank = CutOutBank(kinds, members, self.canvas, name="cut_outs")
        # In a model, as networks are; it is called with anything.
        anything = keras.Input((), name="anything")
        self.network = keras.Model(anything, self.bank(anything), name="cut_outs")

    def draw(self, count: int | tf.Tensor, seed: tf.Tensor):
        """Paste up to `max_parts` parts one over the other before a flat color.

        Kind, cut-out and place are uniform, each place within those where the kind was
        seen; so is the number of parts, from 1. Neither the order of the color
        channels nor, where kinds are the same however turned, a quarter turn says
        anything of the kind: both are drawn for each part.

        Args:
            count: How many images.
            seed: `[2]` int32.

        Returns:
            Images `[count, height, width, 3]` float in [0, 1] and masks
            `[count, height, width]` int32: what covers more than half of a pixel.
        """
        bank = self.network(tf.zeros([1]))
        seeds = tf.random.experimental.stateless_split(seed, 3)
        behind = tf.random.stateless_uniform(
            [count], seeds[0], 0, bank["backgrounds"].shape[0], tf.int32
        )
        images = tf.gather(bank["backgrounds"], behind)[:, None, None]
        images = tf.broadcast_to(images, [count, *self.size, 3])
        masks = tf.zeros([count, *self.size], tf.int32)
        max_parts = tf.cast(bank["max_parts"], tf.int32)
        parts = tf.random.stateless_uniform(
            [count], seeds[1], 1, max_parts + 1, tf.int32
        )
        for number in tf.range(max_parts):
            fold = tf.random.experimental.stateless_fold_in
            kind, patch, shown = self._place(bank, masks, fold(seeds[2], number))
            shown &= number < parts
            covered = patch[..., 3:] * tf.cast(shown[:, None, None, None], patch.dtype)
            images += covered * (patch[..., :3] - images)
            masks = tf.where(covered[..., 0] > 0.5, kind[:, None, None] + 1, masks)
        return images, masks

    def _place(self, bank: dict, masks: tf.Tensor, seed: tf.Tensor):
        """Choose a part for each image and lay it somewhere.

        Returns:
            Its kind `[count]`, the image `[count, height, width, 4]` with it alone, and
            whether it may be pasted there `[count]`.
        """
        count = tf.shape(masks)[0]
        seeds = tf.random.experimental.stateless_split(seed, 5)
        draw = tf.random.stateless_uniform
        kind = draw([count], seeds[0], 0, self.kinds, tf.int32)
        member = draw([count], seeds[1], 0, self.members, tf.int32)
        patches = tf.gather_nd(bank["patches"], tf.stack([kind, member], axis=1))
        patches = tf.cast(patches, bank["backgrounds"].dtype) / 255
        turns = tf.cast(bank["quarter_turns"], tf.int32)
        patches = _turned(patches, draw([count], seeds[3], 0, turns, tf.int32))
        patches = _recolored(patches, draw([count, 3], seeds[4]))
        least, greatest = tf.unstack(tf.gather(bank["middles"], kind), axis=1)
        tries = 1 if self.overlap else _TRIES
        at = tf.cast(draw([tries, count, 2], seeds[2]), least.dtype)
        middles = tf.cast(tf.floor(least + at * (greatest - least + 1)), tf.int32)
        corners = middles - self.canvas // 2
        if self.overlap:
            return kind, self._lay(patches, corners[0]), tf.ones([count], tf.bool)
        chosen, free = corners[0], tf.zeros([count], tf.bool)
        for corner in tf.unstack(corners):
            inside = self._lay(patches[..., 3:], corner)[..., 0] > 0.5
            fits = ~tf.reduce_any(inside & (masks > 0), axis=[1, 2])
            chosen = tf.where(fits[:, None], corner, chosen)
            free |= fits
        return kind, self._lay(patches, chosen), free

    def _lay(self, patches: tf.Tensor, corners: tf.Tensor) -> tf.Tensor:
        """Lay patches `[count, canvas, canvas, C]` at upper left corners `[count, 2]`.

        Returns:
            `[count, height, width, C]`; 0 where no patch lies.
        """
        padded = tf.pad(patches, [[0, 0], [1, 1], [1, 1], [0, 0]])
        for axis, length in enumerate(self.size):
            places = tf.range(length)[None] - corners[:, axis, None] + 1
            places = tf.clip_by_value(places, 0, self.canvas + 1)
            padded = tf.gather(padded, places, axis=axis + 1, batch_dims=1)
        return padded


def _turned(patches: tf.Tensor, quarters: tf.Tensor) -> tf.Tensor:
    """Turn patches `[count, canvas, canvas, C]` by `[count]` quarters, 0 to 3."""
    quarters = quarters[:, None, None, None]
    for turns in (1, 2):
        turned = tf.image.rot90(patches, turns)
        patches = tf.where(tf.bitwise.bitwise_and(quarters, turns) > 0, turned, patches)
    return patches


def _recolored(patches: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
    """Sort the color channels of `[count, canvas, canvas, 4]` by `[count, 3]`."""
    channels = tf.argsort(order)
    colors = tf.gather(
        tf.transpose(patches[..., :3], [0, 3, 1, 2]), channels, batch_dims=1
    )
    return tf.concat([tf.transpose(colors, [0, 2, 3, 1]), patches[..., 3:]], axis=-1)
