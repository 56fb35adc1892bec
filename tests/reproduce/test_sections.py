"""Cells of the selection table."""

from cirs_tf.reproduce.sections import SECTIONS


def test_a_gap_that_rounds_to_nothing_has_no_sign():
    gaps = {"loss": -0.0001, "agreement": 0.0, "equivariance": -0.0126}
    one = {
        "title": "A",
        "images": 500,
        "candidates": [{"seed": 0}],
        "choices": {
            "oracle": {"miou": 0.5},
            **{name: {"miou": 0.5 - gap, "gap": gap} for name, gap in gaps.items()},
        },
        "mean": 0.4,
        "rank_correlation": {},
    }
    text = SECTIONS["selection"]({"selection": {"a": one}})
    (row,) = [line for line in text.splitlines() if line.startswith("| A | 1 |")]
    cells = [cell.strip() for cell in row.split("|")[4:7]]
    assert cells == ["0.500 (0.000)", "0.500 (0.000)", "0.513 (-0.013)"]
