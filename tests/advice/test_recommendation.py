"""From signs to methods, sizes and numbers of segments."""

import pytest

from cirs_tf.advice.image_signs import ImageSigns
from cirs_tf.advice.recommendation import (
    CAMERA,
    MICROSCOPE,
    PHOTOGRAPHS,
    SCENES,
    STATIC_SCENE,
    Kind,
    count_segments,
    fitting_size,
    kind_of,
    seen,
    size_flag,
    summary_of,
)
from cirs_tf.advice.stability import StableCounts
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS

# static, flat, even, placed, one_line of 200 images, as `advise` shows them.
MEASURED = {
    "fruit": (0.81, 0.14, 0.62, 0.39, 0.60, "cirs_aligned"),
    "twotone": (0.82, 0.14, 0.69, 0.36, 0.63, "cirs_aligned"),
    "fruit, the sky moves": (0.57, 0.32, 0.62, 0.09, 0.61, "cirs"),
    "dsprites": (0.23, 0.89, 0.96, 0.00, 0.87, "cut_and_paste"),
    "tetrominoes": (0.76, 0.76, 0.82, 0.03, 0.66, "cut_and_paste"),
    "CamVid": (0.47, 0.23, 0.15, 0.44, 0.99, "deep_clustering"),
    "highway": (0.95, 0.25, 0.14, 0.85, 0.99, "fixed_camera"),
    "nuclei": (0.77, 0.79, 0.56, 0.00, 1.00, "threshold"),
    "BSDS500": (0.26, 0.18, 0.05, 0.01, 0.95, "regions"),
    "BSDS500 in gray": (0.26, 0.18, 0.05, 0.01, 1.00, "regions"),
    "dsprites in gray": (0.23, 0.89, 0.96, 0.00, 1.00, "cut_and_paste"),
}


@pytest.mark.parametrize("values", MEASURED.values(), ids=MEASURED)
def test_the_method_is_the_best_one_of_the_tables(values):
    *signs, method = values
    kind = kind_of(ImageSigns(*signs))
    assert kind.method == method
    assert method == "regions" or method in METHODS
    assert summary_of(kind)


def test_what_was_seen_is_said_with_its_figure():
    *signs, _ = MEASURED["highway"]
    lines = seen(ImageSigns(*signs))
    what = "of pixels show the most frequent color of their place"
    assert lines[0] == f" 95% {what} (a static background)"
    assert lines[1].endswith("of their image (no flat background)")
    assert lines[2] == " 14% of neighboring pixels are equal (photographs)"
    assert lines[3].endswith("(one kind of scene)")
    assert lines[4].endswith("(gray or one hue)")


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (STATIC_SCENE, (64, 64), (64, 64)),
        (STATIC_SCENE, (100, 128), (100, 128)),
        (STATIC_SCENE, (100, 129), (50, 64)),
        # The least of the shorter side comes first.
        (STATIC_SCENE, (40, 160), (32, 128)),
        (STATIC_SCENE, (3, 900), (32, 9600)),
        (SCENES, (150, 630), (200, 840)),
        (STATIC_SCENE, (256, 512), (32, 64)),
        (STATIC_SCENE, (256, 256), (64, 64)),
        (STATIC_SCENE, (16, 20), (32, 40)),
        (SCENES, (360, 480), (360, 480)),
        (SCENES, (96, 128), (200, 267)),
        (SCENES, (2000, 3000), (427, 640)),
        (CAMERA, (1080, 1920), (270, 480)),
        (MICROSCOPE, (1040, 1388), (767, 1024)),
    ],
)
def test_sizes(kind, given, expected):
    assert fitting_size(kind, *given) == expected


def test_a_size_as_data_gen_takes_it():
    assert size_flag((64, 64)) == "64"
    assert size_flag((96, 128)) == "96x128"


def test_kinds_of_objects_and_the_background_make_k():
    counts = StableCounts({2: 0.5, 3: 0.9, 4: 0.89})
    kind = Kind("objects", "cirs_aligned", (1, 9), 9, lambda images, seed: counts, True)
    found = count_segments(kind, None, 0)
    assert (found.chosen, found.others) == (4, (5,))
    assert found.stabilities == {3: 0.5, 4: 0.9, 5: 0.89}
    assert found.is_stable
    low = StableCounts({2: 0.3, 3: 0.2})
    kind = Kind("colors", "cirs", (1, 9), 9, lambda images, seed: low)
    found = count_segments(kind, None, 0)
    assert (found.chosen, found.is_stable) == (2, False)


def test_k_that_the_method_gives_or_that_cannot_be_counted():
    two = count_segments(CAMERA, None, 0)
    assert (two.chosen, two.stabilities, two.is_stable) == (2, {}, True)
    assert "levels" in count_segments(PHOTOGRAPHS, None, 0)

    def missing(images, seed):
        raise ConfigError("install the extra")

    kind = Kind("photographs", "deep_clustering", (1, 9), 9, missing)
    assert count_segments(kind, None, 0) == "not counted: install the extra"


def test_nothing_is_static_where_images_have_several_sizes():
    *highway, _ = MEASURED["highway"]
    assert kind_of(ImageSigns(*highway), one_size=False) is SCENES
    *fruit, _ = MEASURED["fruit"]
    assert kind_of(ImageSigns(*fruit), one_size=False).method == "cirs"
