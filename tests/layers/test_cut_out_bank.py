import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.cut_out_bank import BACKGROUNDS, CutOutBank


def test_returns_the_tensors_that_were_assigned():
    rng = np.random.default_rng(0)
    bank = CutOutBank(num_objects=2, patches_per_class=3, canvas=4)
    bank.build(None)
    patches = rng.integers(0, 256, (2, 3, 4, 4, 4), dtype=np.uint8)
    center_bounds = rng.random((2, 2, 2)).astype(np.float32)
    backgrounds = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    bank.assign(patches, center_bounds, backgrounds, max_parts=7, quarter_turns=4)
    stored = {name: tensor.numpy() for name, tensor in bank(tf.zeros([1])).items()}
    np.testing.assert_array_equal(stored["patches"], patches)
    np.testing.assert_array_equal(stored["center_bounds"], center_bounds)
    repeated = np.concatenate([backgrounds] * (BACKGROUNDS // 5 + 1))[:BACKGROUNDS]
    np.testing.assert_allclose(255 * stored["backgrounds"], repeated, atol=1e-4)
    assert (stored["max_parts"], stored["quarter_turns"]) == (7, 4)
    assert not bank.trainable_variables


def test_shapes_and_types_are_known_before_anything_is_computed():
    bank = CutOutBank(num_objects=2, patches_per_class=3, canvas=4)
    symbolic = bank(keras.Input((), name="ignored"))
    stored = bank(tf.zeros([1]))
    assert symbolic.keys() == stored.keys()
    for name, tensor in stored.items():
        assert symbolic[name].shape == tuple(tensor.shape)
        assert symbolic[name].dtype == tensor.dtype.name
