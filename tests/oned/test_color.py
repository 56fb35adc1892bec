from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.oned.color import color_objective, rank_by_color, squared_deviations
from cirs_tf.oned.segmentations import format_patterns, segmentations

NO_BACKGROUND = "123456789"


def listed(image, **options):
    ranked = rank_by_color(image, **options)
    return [(format_patterns(image, cut), objective) for objective, cut in ranked]


def test_hand_calculation_on_the_thesis_image():
    # Zero variance leaves the four cuts of 11 and 22; 6 pixels in 3, 4, 4, 5 segments.
    assert listed("112200") == [
        ("11|22|00", -2),
        ("11|2|2|00", Fraction(-3, 2)),
        ("1|1|22|00", Fraction(-3, 2)),
        ("1|1|2|2|00", Fraction(-6, 5)),
    ]


@pytest.mark.parametrize("image", ["112200", "011220", "001122"])
def test_color_splits_the_object_of_4_1_1(image):
    assert listed(image)[0] == ("11|22|00", -2)


@pytest.mark.parametrize("image", ["110022", "011220", "002211", "022110", "220011"])
def test_color_finds_the_objects_of_4_1(image):
    best = listed(image)[0]
    assert (sorted(best[0].split("|")), best[1]) == (["00", "11", "22"], -2)


@pytest.mark.parametrize("image", ["112200", "011220", "001122"])
def test_without_the_constraint_4_1_1_is_a_tie(image):
    # 1122: (4 x 0.5^2) - 6/2 = -2 and 11|22: 0 - 6/3 = -2.
    assert listed(image, zero_variance=False)[:2] == [("1122|00", -2), ("11|22|00", -2)]


def test_without_the_constraint_one_more_pixel_of_background_turns_4_1_1():
    # 1 - 7/2 against 0 - 7/3.
    ranked = listed("1122000", zero_variance=False)
    assert ranked[0] == ("1122|000", Fraction(-5, 2))
    assert ranked[1] == ("11|22|000", Fraction(-7, 3))


def test_without_the_constraint_a_larger_alpha_1_splits():
    ranked = listed("112200", zero_variance=False, alpha_1=2)
    # 2 * 1 - 3 for the whole object.
    assert ranked[0] == ("11|22|00", -2)
    assert ("1122|00", -1) in ranked


def test_squared_deviations_are_a_sum_and_not_a_mean():
    assert squared_deviations([1, 1, 2]) == Fraction(2, 3)


@given(image=st.text("0129", min_size=1, max_size=6))
def test_objective_agrees_with_numpy(image):
    for cut in segmentations(image):
        parts = [np.array([int(image[at]) for at in segment]) for segment in cut]
        variance = sum(part.var() * part.size for part in parts)
        expected = variance - np.mean([part.size for part in parts])
        # 1e-12: NumPy rounds, the fractions do not.
        assert float(color_objective(image, cut)) == pytest.approx(expected, abs=1e-12)


@given(item=st.text(NO_BACKGROUND, min_size=1, max_size=7), start=st.integers(0, 3))
def test_zero_variance_splits_exactly_the_objects_of_several_colors(item, start):
    image = ("0" * start + item).ljust(len(item) + 4, "0")
    colors = ["".join(run) for _, run in groupby(item)]
    ranked = listed(image)
    assert ranked[0][0].split("|")[:-1] == colors
    assert all(objective > ranked[0][1] for _, objective in ranked[1:])


@settings(max_examples=30)
@given(item=st.text(NO_BACKGROUND, min_size=1, max_size=5))
def test_without_the_constraint_a_long_background_keeps_any_object_whole(item):
    # Whole: var - L/2. Cut, at least three segments: no less than -L/3. So whole is
    # best from L > 6 var on, whatever the colors.
    length = max(len(item) + 1, int(6 * squared_deviations([int(c) for c in item])) + 1)
    image = item.ljust(length, "0")
    ranked = listed(image, zero_variance=False)
    assert ranked[0][0].split("|")[0] == item
    assert len(ranked) == 1 or ranked[1][1] > ranked[0][1]
