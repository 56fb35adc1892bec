"""Argmax-in-place: the hard forward value and the declared backward rule."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cirs_tf.layers.argmax_in_place import ArgmaxInPlace, argmax_in_place

# (probabilities, gradient arriving from downstream, exact gradient of probabilities)
GRADIENTS = [
    ([0.2, 0.7, 0.1], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
    ([0.2, 0.7, 0.1], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]),
    ([0.2, 0.7, 0.1], [-3.0, 0.5, 2.0], [-3.0, 0.5, 2.0]),
    ([0.5, 0.5], [4.0, -4.0], [4.0, -4.0]),
    ([1.0, 0.0], [0.0, 7.0], [0.0, 7.0]),
    ([0.25, 0.25, 0.25, 0.25], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]),
    ([1.0], [5.0], [5.0]),
    ([[0.9, 0.1], [0.3, 0.7]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]),
]


def gradient_at(function, inputs: tf.Tensor, downstream: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs, output_gradients=downstream)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("inputs", "downstream", "exact"), GRADIENTS)
def test_gradient_is_the_declared_rule(inputs, downstream, exact, compiled):
    function = tf.function(argmax_in_place) if compiled else argmax_in_place
    found = gradient_at(function, tf.constant(inputs), tf.constant(downstream))
    np.testing.assert_array_equal(found, np.float32(exact))


@pytest.mark.parametrize(
    ("inputs", "masks"),
    [
        ([0.2, 0.7, 0.1], [0, 1, 0]),
        ([0.5, 0.5], [1, 0]),
        ([0.1, 0.45, 0.45], [0, 1, 0]),
        ([0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]),
        ([[0.4, 0.6], [0.5, 0.5]], [[0, 1], [1, 0]]),
    ],
)
def test_ties_go_to_the_lowest_index(inputs, masks):
    np.testing.assert_array_equal(argmax_in_place(tf.constant(inputs)), masks)


# Few distinct values, so that ties are common.
@settings(max_examples=40)
@given(
    arrays(
        np.float32,
        array_shapes(min_dims=1, max_dims=4, max_side=5),
        elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    )
)
def test_masks_are_one_hot_at_the_first_largest_entry(probabilities):
    expected = np.zeros_like(probabilities)
    for place in np.ndindex(probabilities.shape[:-1]):
        row = list(probabilities[place])
        expected[place][row.index(max(row))] = 1
    np.testing.assert_array_equal(argmax_in_place(probabilities), expected)


def test_gradient_through_softmax_is_that_of_the_softmax():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 3, 4)).astype(np.float32)
    downstream = rng.normal(size=logits.shape).astype(np.float32)

    def hard(values):
        return argmax_in_place(tf.nn.softmax(values))

    found = gradient_at(hard, tf.constant(logits), tf.constant(downstream))
    # d softmax_j / d logit_k = p_j (1[j = k] - p_k)
    powers = np.exp(logits.astype(np.float64))
    p = powers / powers.sum(axis=-1, keepdims=True)
    expected = p * (downstream - (p * downstream).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    soft = gradient_at(tf.nn.softmax, tf.constant(logits), tf.constant(downstream))
    np.testing.assert_array_equal(found, soft)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_value_and_gradient_keep_the_dtype(dtype):
    probabilities = tf.constant([[0.25, 0.5, 0.25]], dtype)
    downstream = tf.constant([[1, 2, 3]], dtype)
    masks = argmax_in_place(probabilities)
    gradient = gradient_at(argmax_in_place, probabilities, downstream)
    assert masks.dtype == gradient.dtype == dtype
    np.testing.assert_array_equal(tf.cast(masks, "float32"), [[0, 1, 0]])
    np.testing.assert_array_equal(tf.cast(gradient, "float32"), [[1, 2, 3]])


def test_compiled_for_unknown_sizes():
    signature = [tf.TensorSpec([None, None, None, 3])]
    compiled = tf.function(argmax_in_place, input_signature=signature)
    rng = np.random.default_rng(1)
    for height, width in [(2, 3), (5, 1)]:
        values = rng.random((2, height, width, 3)).astype(np.float32)
        masks = compiled(values)
        np.testing.assert_array_equal(masks, np.eye(3)[values.argmax(axis=-1)])
    assert compiled.get_concrete_function().structured_outputs.shape[-1] == 3


def test_saved_layer_keeps_value_and_gradient(tmp_path):
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, ArgmaxInPlace(name="hard")(inputs)).save(tmp_path / "m.keras")
    restored = keras.models.load_model(tmp_path / "m.keras")
    rng = np.random.default_rng(2)
    values = rng.random((2, 4, 5, 3)).astype(np.float32)
    downstream = tf.constant(rng.normal(size=values.shape), tf.float32)
    expected = np.eye(3)[values.argmax(axis=-1)]
    np.testing.assert_array_equal(restored(values), expected)
    gradient = gradient_at(restored, tf.constant(values), downstream)
    np.testing.assert_array_equal(gradient, downstream)
    assert isinstance(restored.get_layer("hard"), ArgmaxInPlace)
    assert restored.output_shape == (None, None, None, 3)
