import numpy as np

from cirs_tf.models.iic_net import iic_networks, iic_segmenter


def test_main_head_alone_has_the_same_weights():
    both, _ = iic_networks(2, segments=3, over_segments=9, seed=4)
    alone = iic_segmenter(2, segments=3, seed=4)
    for a, b in zip(both.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    other = iic_segmenter(2, segments=3, seed=5)
    assert (alone.get_weights()[0] != other.get_weights()[0]).any()


def test_heads_have_their_own_outputs_on_one_trunk():
    segmenter, over = iic_networks(2, segments=3, over_segments=9, seed=4)
    images = np.random.default_rng(0).random((1, 7, 9, 3)).astype(np.float32)
    assert segmenter(images).shape == (1, 7, 9, 3)
    assert over(images).shape == (1, 7, 9, 9)
    trunk = {id(v) for v in segmenter.variables} & {id(v) for v in over.variables}
    # Six convolutions: a kernel, and four variables of a normalization each.
    assert len(trunk) == 6 * 5
