import numpy as np
import pytest

from data_gen.importers.options import Frame
from data_gen.importers.resizing import resize_image, resize_mask


@pytest.mark.parametrize("how", ["crop", "fit"])
@pytest.mark.parametrize("size", [(16, 16), (16, 40), (40, 16)])
def test_image_and_mask_get_the_same_geometry(how, size):
    # A mask that says where the image is bright, and an image of the same shapes.
    labels = np.zeros((60, 90), np.uint8)
    labels[15:40, 30:70] = 1
    frame = Frame(*size, how)
    image = resize_image(labels[..., None].repeat(3, 2) * 255, frame)
    mask = resize_mask(labels, frame)
    assert image.shape == (*size, 3) and mask.shape == size
    wrong = ((image[..., 0] > 127) != (mask == 1)) & (mask != 255)
    assert wrong.mean() < 0.05  # pixels that an edge halves


@pytest.mark.parametrize("how", ["crop", "fit"])
def test_an_image_of_the_right_size_is_unchanged(how):
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    frame = Frame(16, 24, how)
    np.testing.assert_array_equal(resize_image(image, frame), image)
    np.testing.assert_array_equal(resize_mask(image[..., 0], frame), image[..., 0])


def test_cropping_cuts_evenly_at_both_ends():
    image = np.arange(32, dtype=np.uint8)[None, :, None].repeat(16, 0).repeat(3, 2)
    resized = resize_image(image, Frame(16, 16, "crop"))
    np.testing.assert_array_equal(resized, image[:, 8:24])


def test_fitting_repeats_the_edge_and_ignores_it_in_masks():
    image = np.random.default_rng(0).integers(0, 200, (16, 19, 3), np.uint8)
    frame = Frame(16, 24, "fit")
    resized = resize_image(image, frame)
    np.testing.assert_array_equal(resized[:, 2:21], image)
    np.testing.assert_array_equal(resized[:, :2], image[:, :1].repeat(2, 1))
    np.testing.assert_array_equal(resized[:, 21:], image[:, -1:].repeat(3, 1))
    mask = resize_mask(image[..., 0], frame)
    np.testing.assert_array_equal(mask[:, 2:21], image[..., 0])
    assert (mask[:, :2] == 255).all() and (mask[:, 21:] == 255).all()


def test_no_label_is_made_up():
    labels = np.random.default_rng(0).choice([0, 7, 9], (50, 70)).astype(np.uint8)
    for how in ("crop", "fit"):
        assert set(np.unique(resize_mask(labels, Frame(23, 31, how)))) <= {0, 7, 9, 255}
