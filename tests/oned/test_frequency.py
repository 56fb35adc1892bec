from drawn_images import one_object, several_objects
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.oned.cross_instance import rank_by_cross_instance
from cirs_tf.oned.frequency import find_objects, pattern_counts
from cirs_tf.oned.segmentations import format_patterns

THESIS = ("112200", "011220", "001122")
TWO_OBJECTS = ("110022", "011220", "002211", "022110", "220011")

# Counted by hand, sizes 1 to 6.
COUNTS = [
    {"1": 3, "2": 3, "0": 3},
    {"11": 3, "12": 3, "22": 3, "20": 2, "00": 2, "01": 2},
    {"112": 3, "122": 3, "220": 2, "200": 1, "011": 2, "001": 1},
    {"1122": 3, "1220": 2, "2200": 1, "0112": 2, "0011": 1},
    {"11220": 2, "12200": 1, "01122": 2, "00112": 1},
    {"112200": 1, "011220": 1, "001122": 1},
]


def found_patterns(images):
    return [step.pattern for step in find_objects(images)]


def test_counts_of_thesis_12_1():
    assert pattern_counts(THESIS) == {k: n for size in COUNTS for k, n in size.items()}


def test_errata_of_the_printed_counts_of_12_1():
    printed = [
        {"1": 3, "2": 3, "0": 3},
        {"11": 3, "12": 3, "22": 3, "20": 2, "00": 2, "01": 2},
        {"112": 3, "122": 3, "220": 2, "200": 1, "011": 2},
        {"1122": 3, "1220": 2, "2200": 1, "0112": 1},
        {"11220": 2, "12200": 2, "01122": 2},
    ]
    thesis = {k: n for size in printed for k, n in size.items()}
    counts = {k: n for k, n in pattern_counts(THESIS).items() if len(k) < 6}
    wrong = {k: (thesis.get(k), n) for k, n in counts.items() if thesis.get(k) != n}
    assert wrong == {
        "12200": (2, 1),
        "0112": (1, 2),
        "001": (None, 1),
        "0011": (None, 1),
        "00112": (None, 1),
    }
    assert set(thesis) <= set(counts)


def test_procedure_on_the_thesis_data():
    (step,) = find_objects(THESIS)
    assert (step.pattern, step.ties, step.locations) == ("1122", (), (0, 1, 2))
    assert step.remaining == ("000000",) * 3


def test_procedure_for_two_objects():
    first, second = find_objects(TWO_OBJECTS)
    # 11 and 22 are as frequent and as long; 11 appears first.
    assert (first.pattern, first.ties) == ("11", ("22",))
    assert first.locations == (0, 1, 4, 3, 4)
    assert first.remaining == ("000022", "000220", "002200", "022000", "220000")
    assert (second.images, second.pattern) == (first.remaining, "22")
    assert [step.pattern for step in find_objects(TWO_OBJECTS, max_objects=1)] == ["11"]


def test_a_pattern_counts_and_matches_once_per_image():
    assert pattern_counts(["1010"])["10"] == 1
    (step, other) = find_objects(["1010"])
    assert (step.remaining, other.remaining) == (("0010",), ("0000",))


def test_an_image_without_the_pattern_has_no_location():
    step = find_objects(["110", "011", "303"])[0]
    assert (step.pattern, step.locations) == ("11", (0, 1, None))
    assert step.remaining == ("000", "000", "303")


def test_background_is_no_object():
    assert found_patterns(["000", "000"]) == []
    # 010 is in both images, too, and longer.
    assert found_patterns(["0100", "0010"]) == ["1"]


@settings(max_examples=50)
@given(st.integers(1, 6).flatmap(
    lambda n: st.lists(st.text("012", min_size=n, max_size=n), min_size=1, max_size=4)
))  # fmt: skip
def test_counts_agree_with_the_in_operator(images):
    counts = pattern_counts(images)
    assert all(n == sum(p in image for image in images) for p, n in counts.items())
    for image in images:
        ends = range(1, len(image) + 1)
        assert {image[a:b] for b in ends for a in range(b)} <= set(counts)


@given(drawn=one_object())
def test_law_one_object_is_found(drawn):
    item, images = drawn
    assert found_patterns(images) == [item]


@given(drawn=several_objects(gaps=(1, 1, 1)))
def test_law_objects_that_never_touch_are_found(drawn):
    objects, images = drawn
    assert sorted(found_patterns(images)) == sorted(objects)


def test_counter_example_the_leftmost_match_may_span_touching_objects():
    # Objects 12 and 121, touching as 12|121 in the second image only.
    images = ["121012", "121210"]
    assert found_patterns(images) == ["121", "1", "2"]
    # 4.2 has no such trouble: the first image settles the objects.
    _, best = rank_by_cross_instance(images)[0]
    assert [format_patterns(*pair) for pair in zip(images, best, strict=True)] == [
        "121|12|0",
        "121|12|0",
    ]
