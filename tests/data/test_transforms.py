import itertools

import numpy as np
import tensorflow as tf

from cirs_tf.data.transforms import (
    flip_where,
    random_flips,
    random_jitter,
    random_shift_flip_turn,
)

IMAGES = np.random.default_rng(0).random((6, 4, 5, 3)).astype(np.float32)


def test_flipping_is_numpys_and_its_own_inverse():
    flipped = np.array([True, False, True, True, False, False])
    found = flip_where(IMAGES, flipped).numpy()
    for one, image, is_flipped in zip(found, IMAGES, flipped, strict=True):
        np.testing.assert_array_equal(one, image[:, ::-1] if is_flipped else image)
    np.testing.assert_array_equal(flip_where(found, flipped), IMAGES)


def test_draws_depend_on_the_seed_alone():
    draws = random_flips(1000, [1, 2]).numpy()
    np.testing.assert_array_equal(draws, random_flips(1000, [1, 2]))
    assert (draws != random_flips(1000, [1, 3]).numpy()).any()
    assert 400 < draws.sum() < 600
    same = random_jitter(IMAGES, 0.3, [1, 2])
    np.testing.assert_array_equal(same, random_jitter(IMAGES, 0.3, [1, 2]))


def test_jitter_is_affine_in_each_channel_and_within_its_strength():
    images = tf.constant(
        np.broadcast_to([0.4, 0.5, 0.6], (2000, 1, 3, 3)).swapaxes(2, 3)
    )
    changed = random_jitter(tf.cast(images, tf.float32), 0.1, [0, 0]).numpy()[:, 0]
    # Rows are levels 0.4, 0.5, 0.6 after the swap: slope c w, offset b, by hand.
    slope = (changed[:, 2] - changed[:, 0]) / 0.2
    offset = changed[:, 1] - 0.5
    assert slope.min() >= 0.81 - 1e-5
    assert slope.max() <= 1.21 + 1e-5
    assert slope.min() < 0.85
    assert slope.max() > 1.15
    np.testing.assert_allclose(offset, offset[:, :1].repeat(3, axis=1), atol=1e-6)
    assert np.abs(offset).max() <= 0.1 + 1e-6
    assert offset.std() > 0.04


def test_no_jitter_changes_nothing_and_strong_jitter_stays_in_range():
    np.testing.assert_allclose(random_jitter(IMAGES, 0.0, [0, 0]), IMAGES, atol=1e-6)
    strong = random_jitter(IMAGES, 0.9, [0, 0]).numpy()
    assert strong.min() >= 0
    assert strong.max() <= 1


def test_shift_flip_turn_is_one_of_all_ways_to_lay_a_square():
    """Each result is found among NumPy's shifts of its flips and turns; all occur."""
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    found = random_shift_flip_turn(np.repeat(image, 400, axis=0), [1, 2]).numpy()
    ways = {}
    for turns, flip, down, right in itertools.product(
        range(4), range(2), range(4), range(4)
    ):
        laid = np.roll(image[0], (down, right), axis=(0, 1))
        laid = np.rot90(laid[:, ::-1] if flip else laid, turns)
        ways[laid.tobytes()] = (turns, flip, down, right)
    assert len(ways) == 128
    drawn = [ways[np.ascontiguousarray(one).tobytes()] for one in found]
    # 400 draws of 128 ways: 122.4 are expected, with a deviation of about 2.
    assert len(set(drawn)) > 110
    for place, count in enumerate((4, 2, 4, 4)):
        assert {way[place] for way in drawn} == set(range(count))
    again = random_shift_flip_turn(np.repeat(image, 400, axis=0), [1, 2])
    np.testing.assert_array_equal(found, again)
    other = random_shift_flip_turn(np.repeat(image, 400, axis=0), [1, 3])
    assert (found != other.numpy()).any()
