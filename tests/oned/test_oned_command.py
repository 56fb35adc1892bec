import pytest

from cirs_tf.oned.__main__ import main

THESIS = ["112200", "011220", "001122"]


def blocks(capsys, *argv):
    """Return the lines of every block that the command prints."""
    assert main(list(argv)) == 0
    out = capsys.readouterr().out
    return [block.splitlines() for block in out.strip().split("\n\n")]


def test_the_proof_on_the_thesis_images(capsys):
    color, formula, cross, cross_formula, procedure, objects = blocks(capsys, *THESIS)
    assert color[0] == "color objective (4.1, segments of one color): -6.000"
    assert [line.split()[:3] for line in color[2:]] == [
        [image, "11|22|00", "-2.000"] for image in THESIS
    ]
    assert formula[0].endswith("-6.000, tied in 3 of 3 images")
    assert cross[0].endswith("(4.2, matched segments equal): -9.000")
    assert cross[2].split() == ["-9.000", *["1122|00"] * 3]
    assert cross[3].split() == ["at", "pixels", "0123|45", "1234|05", "2345|01"]
    assert [line.split()[0] for line in cross[4:]] == ["-6.000"] * 3
    assert cross_formula[2:] == cross[2:]
    assert "  size 5   11220:2  01122:2  12200:1  00112:1" in procedure
    assert procedure[-2].strip() == "selected 1122, in 3 of 3 images"
    assert objects == ["objects: 1122"]


def test_two_objects_and_the_objects_option(capsys):
    images = ["110022", "011220", "002211", "022110", "220011"]
    *_, cross, _, first, second, objects = blocks(capsys, *images)
    assert cross[2].split() == ["-10.000", *["11|22|00"] * 5]
    assert "selected 11, in 5 of 5 images (before 22 by appearance)" in first[-2]
    assert "selected 22" in second[-2]
    assert objects == ["objects: 11 22"]
    assert blocks(capsys, *images, "--objects", "1")[-1] == ["objects: 11"]
    assert blocks(capsys, *images, "--objects", "3")[-1] == [
        "objects: 11 22",
        "nothing but background is left for 1 more",
    ]


def test_a_tie_across_images_is_named(capsys):
    _, _, cross, *_ = blocks(capsys, "212100", "121200")
    assert cross[0].endswith("-4.000, tied")


def test_images_that_share_no_segments(capsys):
    _, _, cross, formula, *_ = blocks(capsys, "110", "012")
    assert cross[0].endswith("none, no segmentation gives every image equal segments")
    assert formula[2].split() == ["-2.500", "11|0", "12|0"]
    reason = "none, no segmentation gives every image segments of equal sizes"
    for images in (("000", "012"), ("110", "111")):
        _, _, cross, formula, *_ = blocks(capsys, *images)
        assert formula[0].endswith(reason)


def test_images_of_background_alone(capsys):
    color, _, cross, _, objects = blocks(capsys, "00", "00")
    assert color[2].split() == ["00", "00", "-2.000"]
    assert cross[2].split() == ["-4.000", "00", "00"]
    assert objects == ["objects: none"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["0110", "01a0"], "image 2 ('01a0'): expected digits 0 to 9, received 'a'"),
        (["01²0"], "image 1 ('01²0'): expected digits 0 to 9, received '²'"),
        (
            ["0110", "011"],
            "image 2 ('011'): expected 4 pixels as in image 1, received 3",
        ),
        (["", ""], "image 1 (''): expected 1 to 8 pixels (the search is exhaustive), "
                   "received 0"),
        (["1" * 9], "image 1 ('111111111'): expected 1 to 8 pixels (the search is "
                    "exhaustive), received 9"),
        (["01"] * 7, "expected 1 to 6 images (the search is exhaustive), received 7"),
        (["01", "--objects", "0"], "--objects: expected 1 or more, got 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(capsys, argv, message):
    assert main(argv) == 1
    streams = capsys.readouterr()
    assert (streams.out, streams.err) == ("", f"error: {message}\n")
