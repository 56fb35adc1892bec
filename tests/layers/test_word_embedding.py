"""Vectors of pixels against a loop over pixels."""

import numpy as np
import tensorflow as tf

from cirs_tf.layers.word_embedding import WordEmbedding
from cirs_tf.words.color_words import LEVELS, words_of

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
TABLE = RNG.integers(0, 6, (LEVELS,) * 3, dtype=np.int32)
VECTORS = RNG.normal(size=(6, 3)).astype(np.float32)
COLORS = RNG.random((6, 3)).astype(np.float32)


def built(smoothing, words=6):
    layer = WordEmbedding(words, 3, LEVELS, smoothing)
    layer.build((None, None, None, 3))
    layer.assign(TABLE, VECTORS, COLORS)
    return layer


def test_every_8_bit_color_finds_its_word():
    every = np.arange(256, dtype=np.uint8)
    gray = np.stack([every, every[::-1], np.roll(every, 77)], -1)[None, None]
    floats = tf.constant(gray, tf.float32)
    # Rounding errors of whoever scaled the images change no word.
    for images in (floats / 255, floats / 255 - 1e-6, floats / 255 + 1e-6):
        found = built(0).lookup(images)
        np.testing.assert_array_equal(found, words_of(gray, TABLE))


def test_vectors_are_smoothed_over_what_lies_in_the_image():
    plain = VECTORS[words_of(IMAGES, TABLE)]
    images = tf.constant(IMAGES, tf.float32) / 255
    np.testing.assert_array_equal(built(0)(images), plain)
    for radius in (1, 2):
        expected = np.empty_like(plain)
        for row in range(5):
            for column in range(4):
                rows = slice(max(0, row - radius), row + radius + 1)
                columns = slice(max(0, column - radius), column + radius + 1)
                mean = plain[:, rows, columns].mean(axis=(1, 2))
                expected[:, row, column] = (plain[:, row, column] + mean) / 2
        np.testing.assert_allclose(built(radius)(images), expected, atol=1e-6)


def test_it_has_no_trainable_weight_and_room_for_more_words():
    layer = built(1, words=9)
    assert layer.trainable_weights == []
    assert len(layer.weights) == 3
    np.testing.assert_array_equal(layer.vectors[:6], VECTORS)
    np.testing.assert_array_equal(layer.vectors[6:], 0)
