import contextlib

import numpy as np
import pytest

from data_gen.drawing import draw_in_order
from data_gen.render import draw_examples
from data_gen.scenes import SCENES


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_ranges(workers):
    # More ranges than may wait for two processes; long ones first finish last.
    lengths = [40, 1, 30, 1, 1, 20, 1, 1, 1, 10, 1, 1, 1, 1]
    ends = np.cumsum(lengths).tolist()
    spans = zip(ends, lengths, strict=True)
    ranges = [("val", end - length, end) for end, length in spans]
    sampler = SCENES["fruit"](16)
    expected, _ = draw_examples(sampler, 0, "val", 0, sum(lengths))
    with contextlib.closing(draw_in_order(sampler, 0, ranges, workers)) as drawn:
        for (_, start, stop), (pictures, _) in zip(ranges, drawn, strict=True):
            np.testing.assert_array_equal(pictures, expected[start:stop])
