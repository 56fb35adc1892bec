import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.soft_ncut import half_window, soft_ncut

RNG = np.random.default_rng(0)


def dense(probabilities, images, radius, sigma_intensity, sigma_position):
    """The definition, with the full N x N matrix, in float64."""
    batch, height, width, segments = probabilities.shape
    row, column = np.mgrid[:height, :width].reshape(2, -1).astype(float)
    squared = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
    cuts = []
    for p, image in zip(probabilities, images, strict=True):
        p = p.reshape(-1, segments).astype(float)
        flat = image.reshape(height * width, -1).astype(float)
        color = ((flat[:, None] - flat) ** 2).sum(-1)
        w = np.exp(-color / sigma_intensity**2 - squared / sigma_position**2)
        w[np.sqrt(squared) >= radius] = 0
        shares = [
            (p[:, k] @ w @ p[:, k]) / (p[:, k] @ w.sum(1)) for k in range(segments)
        ]
        cuts.append(segments - np.sum(shares))
    return np.array(cuts)


def example(height, width, segments=3):
    logits = RNG.normal(size=(2, height, width, segments))
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    images = RNG.random((2, height, width, 3))
    return probabilities.astype(np.float32), images.astype(np.float32)


@pytest.mark.parametrize("size", [(7, 9), (4, 3), (1, 6)])
@pytest.mark.parametrize("radius", [1, 1.5, 2, 5, 20])
def test_equals_the_dense_form(size, radius):
    probabilities, images = example(*size)
    expected = dense(probabilities, images, radius, 0.4, 2.0)
    found = soft_ncut(probabilities, images, radius, 0.4, 2.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)  # the issue's own bound


def test_the_windows_gradient_is_the_dense_forms():
    """Finite differences of the dense form, in float64."""
    probabilities, images = example(4, 5, segments=2)
    arguments = (3, 0.5, 2.0)
    values = tf.constant(probabilities.astype(np.float64))
    with tf.GradientTape() as tape:
        tape.watch(values)
        cut = soft_ncut(values, tf.constant(images, tf.float64), *arguments)
        total = tf.reduce_sum(cut)
    gradient = tape.gradient(total, values).numpy()
    step = 1e-6
    for index in np.ndindex(*gradient.shape):
        up, down = probabilities.astype(float), probabilities.astype(float)
        up[index] += step
        down[index] -= step
        slope = (
            dense(up, images, *arguments).sum() - dense(down, images, *arguments).sum()
        )
        np.testing.assert_allclose(gradient[index], slope / (2 * step), atol=1e-6)


def test_gradients_weigh_images_as_the_loss_does():
    probabilities, images = (tf.constant(part) for part in example(5, 4))
    slopes = []
    for weights in ([1.0, 0.0], [0.0, 1.0], [2.0, -3.0]):
        with tf.GradientTape() as tape:
            tape.watch(probabilities)
            cuts = soft_ncut(probabilities, images, 3, 0.4, 2.0)
            loss = tf.reduce_sum(weights * cuts)
        slopes.append(tape.gradient(loss, probabilities))
    np.testing.assert_allclose(slopes[2], 2 * slopes[0] - 3 * slopes[1], atol=1e-6)
    assert np.abs(slopes[0][0]).max() > 0.01


@pytest.mark.parametrize("sizes", [(6, 7), (None, None)])
def test_compiled_and_for_any_size(sizes):
    probabilities, images = example(6, 7)
    signature = [tf.TensorSpec((None, *sizes, channels)) for channels in (3, 3)]

    @tf.function(input_signature=signature, jit_compile=None not in sizes)
    def cut(probabilities, images):
        return soft_ncut(probabilities, images, 4, 0.4, 2.0)

    expected = dense(probabilities, images, 4, 0.4, 2.0)
    np.testing.assert_allclose(cut(probabilities, images), expected, atol=1e-5)


def test_no_displacement_is_held_for_the_gradient():
    """The graph of loss and gradient is as large for any radius."""

    def operations(radius):
        @tf.function
        def slope(probabilities, images):
            with tf.GradientTape() as tape:
                tape.watch(probabilities)
                loss = soft_ncut(probabilities, images, radius, 0.4, 2.0)
            return tape.gradient(loss, probabilities)

        graph = slope.get_concrete_function(*map(tf.constant, example(9, 9))).graph
        assert not any(
            "Stack" in operation.type for operation in graph.get_operations()
        )
        return len(graph.get_operations())

    assert operations(2) == operations(6)


def test_half_window_and_its_mirror_are_the_disc():
    for radius in (1, 2, 2.5, 5):
        half = half_window(radius)
        whole = {*half, *((-a, -b) for a, b in half), (0, 0)}
        assert len(whole) == 2 * len(half) + 1
        reach = range(-6, 7)
        disc = {(a, b) for a in reach for b in reach if (a * a + b * b) ** 0.5 < radius}
        assert whole == disc


def test_an_empty_segment_costs_one_and_nothing_is_nan():
    probabilities, images = example(4, 4)
    probabilities = np.eye(3, dtype=np.float32)[np.zeros((2, 4, 4), int)]
    probabilities = tf.constant(probabilities)
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        found = soft_ncut(probabilities, images, 3, 0.4, 2.0)
    np.testing.assert_allclose(found, [2, 2], atol=1e-6)  # 3 - 1 - 0 - 0
    assert np.isfinite(tape.gradient(found, probabilities)).all()


def test_cutting_along_an_edge_is_cheaper_than_across():
    images = np.zeros((1, 8, 8, 3), np.float32)
    images[:, :, 4:] = 1
    along = np.eye(2, dtype=np.float32)[(np.arange(64).reshape(1, 8, 8) % 8 >= 4) * 1]
    across = along.transpose(0, 2, 1, 3)
    cuts = [soft_ncut(p, images, 5, 0.1, 4.0).numpy()[0] for p in (along, across)]
    assert cuts[0] < 0.01 < 0.2 < cuts[1]
