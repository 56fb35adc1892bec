from itertools import product

import pytest

from cirs_tf.oned.segmentations import format_locations, format_patterns, segmentations


def by_labels(image: str) -> set[str]:
    """Cut an image by deciding between every two neighbors whether to cut there."""
    patterns = set()
    for cuts in product([False, True], repeat=len(image) - 1):
        text = image[0]
        for cut, left, right in zip(cuts, image, image[1:], strict=False):
            text += "|" * (cut or "0" in (left, right)) + right
        objects = [part for part in text.split("|") if part != "0"]
        zeros = "0" * image.count("0")
        patterns.add("|".join([*objects, zeros] if zeros else objects))
    return patterns


@pytest.mark.parametrize("image", ["112200", "011220", "12034", "1020", "123", "00"])
def test_every_segmentation_is_yielded_once(image):
    patterns = [format_patterns(image, cut) for cut in segmentations(image)]
    # With different digits no two cuts have the same patterns.
    assert set(patterns) == by_labels(image)
    cuts = list(segmentations(image))
    assert len(cuts) == len(set(cuts))
    assert all(sorted(sum(cut, ())) == list(range(len(image))) for cut in cuts)


def test_a_background_in_two_pieces_is_one_segment():
    cuts = {format_locations(cut) for cut in segmentations("011220")}
    assert "1234|05" in cuts
    assert len(cuts) == 2**3


def test_no_object_segment_crosses_the_background():
    # Thesis 4.1 names 1|1002|2 as a candidate, although the background is known.
    patterns = {format_patterns("110022", cut) for cut in segmentations("110022")}
    assert patterns == {"11|22|00", "1|1|22|00", "11|2|2|00", "1|1|2|2|00"}
