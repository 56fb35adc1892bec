"""ODS and OIS of segments by hand, and which sizes are tried."""

import numpy as np
import pytest
from annotated_halves import ANNOTATIONS, BITS, BLOB_LOST, LABELS, SPLIT_PAIRS

from cirs_tf.metrics.annotators import score_annotators
from cirs_tf.postprocessing.regions import connected_regions
from cirs_tf.runs.annotator_scales import min_region_sizes, scores_at_scales


def test_by_hand():
    found = scores_at_scales(LABELS, ANNOTATIONS)
    # Below 4 pixels merged: right for 5 of 7 annotations.
    assert found.ods.covering == pytest.approx((5 + 2 * BLOB_LOST) / 7)
    # Nothing merged: right for two of three images.
    assert found.ods.probabilistic_rand == pytest.approx(1 - SPLIT_PAIRS / 3)
    assert found.ods.variation_of_information == pytest.approx(BITS / 3)
    assert found.ods_min_region_size == {
        "covering": 4,
        "probabilistic_rand": 0,
        "variation_of_information": 0,
    }
    assert found.ois.covering == pytest.approx(1)
    assert found.ois.probabilistic_rand == pytest.approx(1)
    assert found.ois.variation_of_information == pytest.approx(0)
    assert found.ods.images == found.ois.images == 3


def test_never_worse_than_the_regions_themselves():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, (4, 16, 20), np.uint8)
    annotations = [list(rng.integers(0, 4, (2, 16, 20))) for _ in labels]
    regions = score_annotators(annotations, list(map(connected_regions, labels)))
    found = scores_at_scales(labels, annotations)
    assert found.ois.covering >= found.ods.covering >= regions.covering
    for one, other in ((found.ois, found.ods), (found.ods, regions)):
        assert one.probabilistic_rand >= other.probabilistic_rand
        assert one.variation_of_information <= other.variation_of_information


def test_sizes_are_shares_of_the_image():
    # 16 x 16 pixels: 256 / 4096 to 256 / 4, doubling, rounded up.
    assert min_region_sizes(16, 16) == [0, 1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]
    photograph = min_region_sizes(321, 481)
    assert photograph[:3] == [0, 38, 76]
    assert photograph[-1] == 38_601
