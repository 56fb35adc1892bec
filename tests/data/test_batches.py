"""The endless order of training batches, and what they hold."""

import itertools

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.data.batches import training_dataset
from cirs_tf.data.image_split import LoadedSplit, as_float


def numbered(count: int, masks: bool = False) -> LoadedSplit:
    """Images of one pixel that say which they are."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    return LoadedSplit(images, images[..., 0] if masks else None, ("",) * count)


def order(count: int, batch: int, seed: int, steps: int, first: int = 0) -> np.ndarray:
    """Return `[steps, batch]` image numbers."""
    dataset = training_dataset(numbered(count), seed, batch, first)
    batches = [b["image"].numpy() for b in itertools.islice(dataset, steps)]
    return np.rint(np.stack(batches)[:, :, 0, 0, 0] * 255).astype(int)


@settings(max_examples=8)
@given(
    count=st.integers(1, 6),
    batch=st.integers(1, 9),
    seed=st.integers(0, 2**31 - 1),
    first=st.integers(0, 8),
)
def test_resumed_at_any_step_the_batches_are_the_same(count, batch, seed, first):
    whole = order(count, batch, seed, first + 4)
    assert whole.shape == (first + 4, batch)
    np.testing.assert_array_equal(order(count, batch, seed, 4, first), whole[first:])


@settings(max_examples=8)
@given(count=st.integers(1, 8), batch=st.integers(1, 11), seed=st.integers(0, 99))
def test_every_image_occurs_once_an_epoch_whatever_the_batch(count, batch, seed):
    steps = -(-4 * count // batch)
    epochs = order(count, batch, seed, steps).ravel()[: 4 * count].reshape(4, count)
    for epoch in epochs:
        assert sorted(epoch) == list(range(count))
    # The order of an epoch does not depend on how it is cut into batches.
    np.testing.assert_array_equal(order(count, count, seed, 4), epochs)


def test_order_differs_between_epochs_and_between_seeds():
    epochs = [tuple(epoch) for seed in (0, 1) for epoch in order(32, 32, seed, 3)]
    assert len(set(epochs)) == 6


def test_resuming_far_into_a_run_does_not_read_what_lies_before():
    # A million epochs in; reading on from the start would take hours.
    first = 10**6 * 5 + 2
    found = order(5, 1, 0, 3, first).ravel()
    assert set(found) < set(range(5))
    np.testing.assert_array_equal(found[1:], order(5, 1, 0, 2, first + 1).ravel())


def test_a_split_in_memory_is_held_once():
    """Batches are taken from the very array: what is written to it later shows."""
    images, masks = np.zeros((4, 5, 5, 3), np.uint8), np.zeros((4, 5, 5), np.uint8)
    dataset = training_dataset(LoadedSplit(images, masks, ("",) * 4), 0, 4)
    images[:], masks[:] = 255, 3
    batch = next(iter(dataset))
    assert batch["image"].numpy().min() == 1
    assert batch["mask"].numpy().min() == 3


def test_batches_are_images_in_unit_range():
    images = np.array([0, 51, 255], np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (3, 4, 5, 3))
    dataset = training_dataset(LoadedSplit(images, None, ("",) * 3), 0, 3)
    assert dataset.element_spec == {"image": tf.TensorSpec((3, 4, 5, 3), tf.float32)}
    batch = next(iter(dataset))["image"].numpy()
    expected = np.broadcast_to([[0.0], [0.2], [1.0]], (3, 60))
    np.testing.assert_allclose(np.sort(batch.reshape(3, 60), axis=0), expected, 1e-6)


def test_every_byte_as_a_float():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(as_float(levels), np.arange(256) / 255, rtol=1e-7)


def test_masks_come_along_with_their_images_where_they_were_loaded():
    split = numbered(9, masks=True)
    for batch in itertools.islice(training_dataset(split, 3, 4), 5):
        images = np.rint(batch["image"].numpy() * 255).astype(np.uint8)
        np.testing.assert_array_equal(batch["mask"].numpy(), images[..., 0])
    whole = split.batch(slice(2, 5))
    assert whole["mask"].numpy().ravel().tolist() == [2, 3, 4]
    unlabeled = split.without_masks()
    assert unlabeled.batch(slice(2, 5)).keys() == {"image"}
    assert next(iter(training_dataset(unlabeled, 3, 4))).keys() == {"image"}
