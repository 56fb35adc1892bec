from collections import defaultdict
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from drawn_images import one_object, several_objects
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.oned.cross_instance import (
    cross_instance_objective,
    rank_by_cross_instance,
)
from cirs_tf.oned.segmentations import format_locations, format_patterns

THESIS = ["112200", "011220", "001122"]
TWO_OBJECTS = ["110022", "011220", "002211", "022110", "220011"]


def listed(images, **options):
    """Return (patterns of the first image, objective), best first."""
    ranked = rank_by_cross_instance(images, **options)
    return [
        (format_patterns(images[0], matched[0]), objective)
        for objective, matched in ranked
    ]


def best_objects(images, **options):
    return sorted(listed(images, **options)[0][0].rstrip("0").rstrip("|").split("|"))


@pytest.mark.parametrize("zero_variance", [True, False])
def test_4_2_1_keeps_the_object_whole(zero_variance):
    # Variance 0; 3 images x 6 pixels / 2 segments, and / 3 segments.
    assert listed(THESIS, zero_variance=zero_variance) == [
        ("1122|00", -9),
        ("112|2|00", -6),
        ("11|22|00", -6),
        ("1|122|00", -6),
    ]
    _, best = rank_by_cross_instance(THESIS, zero_variance)[0]
    assert [format_locations(cut) for cut in best] == ["0123|45", "1234|05", "2345|01"]


@pytest.mark.parametrize("zero_variance", [True, False])
def test_4_1_has_two_objects(zero_variance):
    assert listed(TWO_OBJECTS, zero_variance=zero_variance) == [
        ("11|22|00", -10),  # 5 x 6/3
        ("11|2|2|00", Fraction(-15, 2)),  # 5 x 6/4
        ("1|1|22|00", Fraction(-15, 2)),
        ("1|1|2|2|00", -6),  # 5 x 6/5
    ]


def test_errata_22_of_002211_lies_at_23_in_4_1():
    # The third list of the thesis says 45|01|34; its order is 11, 00, 22.
    _, best = rank_by_cross_instance(TWO_OBJECTS)[0]
    assert [format_locations(cut).split("|") for cut in best] == [
        ["01", "45", "23"],
        ["12", "34", "05"],
        ["45", "23", "01"],
        ["34", "12", "05"],
        ["45", "01", "23"],
    ]


def test_hand_calculation_with_variance():
    # Aligned 13 and 33: pixel 0 has (1-2)^2 + (3-2)^2 = 2; sizes 3/2 + 3/2.
    matched = (((0, 1), (2,)), ((1, 2), (0,)))
    assert cross_instance_objective(["130", "033"], matched) == 2 - 3
    assert cross_instance_objective(["130", "033"], matched, 3, 2) == 6 - 6


def test_matched_segments_must_have_one_size():
    with pytest.raises(ValueError, match="differ in size"):
        cross_instance_objective(["110", "101"], (((0, 1), (2,)), ((0,), (2,), (1,))))


@pytest.mark.parametrize("zero_variance", [True, False])
def test_no_segmentation_where_the_object_pixels_differ_in_number(zero_variance):
    assert rank_by_cross_instance(["1100", "0111"], zero_variance) == []
    # 11|0 and 11|1 have the same sizes, but the background matches no object.
    assert rank_by_cross_instance(["110", "111"], zero_variance) == []


def test_no_segmentation_of_zero_variance_where_the_colors_differ():
    assert rank_by_cross_instance(["1100", "0120"]) == []
    # 11 against 12: 0.5 - 2 x 4/2.
    assert listed(["1100", "0120"], zero_variance=False)[0] == ("11|00", -3.5)


def labeled(image):
    """Yield (labels of all pixels): objects 1, 2, ... contiguous, background 0."""
    places = [at for at, pixel in enumerate(image) if pixel != "0"]
    for labels in product(range(1, len(places) + 1), repeat=len(places)):
        where = defaultdict(list)
        for at, label in zip(places, labels, strict=True):
            where[label].append(at)
        used = sorted(where)
        if used != list(range(1, len(used) + 1)):
            continue
        if all(run[-1] - run[0] == len(run) - 1 for run in where.values()):
            yield [where[label] for label in used]


def brute_force(images, zero_variance):
    """Return the sorted objectives, one for each set of patterns, from all labels."""
    values = [np.array([int(pixel) for pixel in image]) for image in images]
    best = {}
    for labels in product(*map(labeled, images)):
        sizes = [[len(segment) for segment in image] for image in labels]
        if any(image_sizes != sizes[0] for image_sizes in sizes):
            continue
        stacks = [
            np.stack([v[s] for v, s in zip(values, segments, strict=True)])
            for segments in zip(*labels, strict=True)
        ]
        variance = sum(float(s.var(axis=0).sum()) * len(images) for s in stacks)
        if zero_variance and variance > 0:
            continue
        segments = len(labels[0]) + ("0" in images[0])
        objective = variance - len(images) * len(images[0]) / segments
        key = tuple(
            tuple(sorted(tuple(v[s]) for s in image))
            for v, image in zip(values, labels, strict=True)
        )
        best[key] = min(best.get(key, np.inf), objective)
    return sorted(best.values())


@st.composite
def any_images(draw):
    """Draw images of the same few object pixels, in every order and place."""
    count, objects = draw(st.sampled_from([(2, 4), (2, 3), (3, 3), (3, 2)]))
    colors = draw(st.sampled_from(["12", "19", "1234", "123456789"]))
    images = []
    for _ in range(count):
        pixels = draw(st.text(colors, min_size=objects, max_size=objects))
        images.append("".join(draw(st.permutations(pixels + "0"))))
    return images


@settings(max_examples=80)
@given(images=any_images(), zero_variance=st.booleans(), count=st.integers(1, 5))
def test_search_agrees_with_brute_force(images, zero_variance, count):
    expected = brute_force(images, zero_variance)[:count]
    ranked = rank_by_cross_instance(images, zero_variance, count=count)
    # 1e-9: the brute force sums floats.
    assert [float(r[0]) for r in ranked] == pytest.approx(expected, abs=1e-9)
    for objective, matched in ranked:
        assert cross_instance_objective(images, matched) == objective


@settings(max_examples=80)
@given(drawn=one_object(), zero_variance=st.booleans())
def test_law_one_object_is_kept_whole(drawn, zero_variance):
    item, images = drawn
    ranked = rank_by_cross_instance(images, zero_variance)
    objective, matched = ranked[0]
    assert objective == -Fraction(len(images) * len(images[0]), 2)
    for image, cut in zip(images, matched, strict=True):
        assert cut[0] == tuple(range(image.find(item), image.find(item) + len(item)))
    assert all(other > objective for other, _ in ranked[1:])


@settings(max_examples=80)
@given(drawn=several_objects(gaps=(0, 1, 0)))
def test_law_one_image_with_all_objects_apart_settles_several(drawn):
    objects, images = drawn
    assert best_objects(images) == sorted(objects)
    ranked = listed(images)
    assert all(other > ranked[0][1] for _, other in ranked[1:])


def test_counter_example_objects_that_always_touch_in_one_order_are_one():
    assert best_objects(["112200", "011220"]) == ["1122"]


def test_counter_example_touching_objects_may_be_cut_in_two_ways():
    # 2 and 121 make 2|121 and 121|2, and so do 212 and 1: 212|1 and 1|212.
    images = ["212100", "121200"]
    assert listed(images)[:2] == [("212|1|00", -4), ("2|121|00", -4)]
    assert best_objects([*images, "201210"]) == ["121", "2"]


def test_counter_example_without_the_constraint_like_objects_are_merged():
    # Objects 1 and 2, touching in both orders. Merged: 1 - 2 x 4/2; apart: -2 x 4/3.
    images = ["1200", "2100"]
    assert best_objects(images) == ["1", "2"]
    merged, apart = listed(images, zero_variance=False)[:2]
    assert (merged, apart) == (("12|00", -3), ("1|2|00", Fraction(-8, 3)))
