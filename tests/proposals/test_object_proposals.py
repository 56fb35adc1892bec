"""Objects of several colors before a static background, found without labels."""

import numpy as np
import pytest
from scipy import ndimage

from cirs_tf.proposals.object_proposals import (
    UNSURE,
    foreground_components,
    propose,
)

SIDE = 32
COLORS = (((250, 220, 20), (10, 10, 10)), ((220, 30, 30), (30, 160, 60)))


def scenes(count, seed=0):
    """Return images and truth: two squares of two colors each, which may touch."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(90, 200, SIDE)[:, None, None]
    sky = np.broadcast_to(slope * [0.5, 0.8, 1.2], (SIDE, SIDE, 3)).astype(np.uint8)
    images = np.repeat(sky[None], count, axis=0)
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, mask in zip(images, truth, strict=True):
        for index in rng.permutation(2):
            y, x = rng.integers(0, SIDE - 8, 2)
            image[y : y + 8, x : x + 8] = COLORS[index][0]
            image[y : y + 4, x : x + 8] = COLORS[index][1]
            mask[y : y + 8, x : x + 8] = index + 1
    return images, truth, sky


def proposals(images, num_objects=2):
    return propose(images, num_objects, canvas=16, background_threshold=0.02, seed=0)


def test_labels_are_right_where_they_are_given():
    images, truth, sky = scenes(300)
    found = proposals(images)
    np.testing.assert_allclose(found.background, sky / 255, atol=1e-3)
    sure = found.labels != UNSURE
    assert sure.mean() > 0.9
    assert (truth[sure & (found.labels == 0)] == 0).all()
    partners = []
    for label in (1, 2):
        true_classes = truth[found.labels == label]
        counts = np.bincount(true_classes, minlength=3)
        partners.append(counts.argmax())
        assert counts.max() / counts.sum() > 0.98
        assert len(true_classes) > 300 * 64 / 4
        count = sum(ndimage.label(mask == label)[1] for mask in found.labels)
        assert found.components_per_object[label - 1] == count
    assert sorted(partners) == [1, 2]


def test_an_exemplar_is_one_whole_object_in_the_middle():
    images, _, _ = scenes(300)
    seen = set()
    for exemplar in proposals(images).exemplars:
        assert exemplar.colors.shape == (16, 16, 3)
        assert exemplar.support.sum() == 64
        rows, columns = np.nonzero(exemplar.support)
        assert abs(rows.mean() - 7.5) <= 1 and abs(columns.mean() - 7.5) <= 1
        colors = np.unique(np.round(255 * exemplar.colors[exemplar.support]), axis=0)
        assert len(colors) == 2
        seen.add(tuple(map(tuple, colors.astype(int).tolist())))
    assert seen == {tuple(sorted(pair)) for pair in COLORS}


def test_specks_and_lines_are_left_out():
    foreground = np.zeros((1, 60, 60), bool)
    foreground[0, 15, 5:25] = True
    foreground[0, 40:42, 30:34] = True  # 8 pixels, less than 1/400 of 3600
    foreground[0, 20:28, 20:27] = True
    (component,) = foreground_components(foreground)
    assert component.area == 56
    assert component.box == (slice(20, 28), slice(20, 27))


def test_threshold_is_the_squared_distance_summed_over_channels():
    images = np.full((40, SIDE, SIDE, 3), 100, np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(0, SIDE - 8, 2)
        image[y : y + 8, x : x + 8] = (110, 120, 120)
    distance = (10**2 + 20**2 + 20**2) / 255**2
    found = propose(images, 1, 16, background_threshold=0.99 * distance, seed=0)
    np.testing.assert_array_equal(found.labels == 1, images[..., 0] == 110)
    with pytest.raises(ValueError, match="0 connected parts"):
        propose(images, 1, 16, background_threshold=1.01 * distance, seed=0)


def test_an_exemplar_is_large_and_not_cut_by_the_border():
    images = np.full((60, SIDE, SIDE, 3), 40, np.uint8)
    for index, image in enumerate(images):
        left = 1 + 8 * (index // 3 % 3)
        if index % 3 == 0:
            image[:12, left : left + 8] = 250  # 96 pixels, but at the border
        else:
            side = 6 if index % 3 == 1 else 8
            image[1 : 1 + side, left : left + side] = 250
    (exemplar,) = proposals(images, num_objects=1).exemplars
    assert exemplar.support.sum() == 64
    # The canvas reaches over the border, where the image is continued.
    gray = np.float32(40) / 255
    np.testing.assert_array_equal(exemplar.colors[~exemplar.support], gray)


def test_nothing_stands_out():
    images = np.full((20, SIDE, SIDE, 3), 7, np.uint8)
    with pytest.raises(ValueError, match="0 connected parts differ"):
        proposals(images)


def test_a_border_that_is_mostly_background_is_left_to_it():
    images = np.full((60, SIDE, SIDE, 3), 40, np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(2, SIDE - 12, 2)
        image[y : y + 10, x : x + 10] = (40 * 7 + 240 * 3) // 10  # covered by 0.3
        image[y + 1 : y + 9, x : x + 10] = (40 * 3 + 240 * 7) // 10  # by 0.7
        image[y + 1 : y + 9, x + 1 : x + 9] = 240
    found = proposals(images, num_objects=1)
    for image, labels in zip(images, found.labels, strict=True):
        np.testing.assert_array_equal(labels == 1, image[..., 0] > 150)
        assert not (labels == UNSURE).any()


def test_colors_half_way_around_a_component_are_unsure():
    images = np.full((40, SIDE, SIDE, 3), 40, np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(2, SIDE - 12, 2)
        # Squared distances 3 (18 / 255)^2 = 0.015 and 3 (10 / 255)^2 = 0.0046.
        image[y : y + 10, x : x + 10] = 40 + 18
        image[y + 1 : y + 9, x : x + 10] = 40 + 10
        image[y + 1 : y + 9, x + 1 : x + 9] = 240
    found = proposals(images, num_objects=1)
    np.testing.assert_array_equal(found.labels == UNSURE, images[..., 0] == 58)
    np.testing.assert_array_equal(found.labels == 1, images[..., 0] == 240)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_objects_of_one_color_form_one_cluster():
    images = np.zeros((40, SIDE, SIDE, 3), np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(0, SIDE - 8, 2)
        image[y : y + 8, x : x + 8] = (200, 30, 30)
    with pytest.raises(ValueError, match="form 1 clusters by their colors, fewer than"):
        proposals(images)
