"""Tables of label-free selection, from scores written by hand."""

from markdown_rows import rows_of

from cirs_tf.reproduce.selection_table import selection_values


def system(gaps, correlations):
    return {
        "title": "A",
        "version": "1.2.3",
        "images": 500,
        "candidates": [{"seed": 0}, {"seed": 0}, {"seed": 3}],
        "choices": {
            "oracle": {"miou": 0.5},
            **{name: {"miou": 0.5 - gap, "gap": gap} for name, gap in gaps.items()},
        },
        "mean": 0.4,
        "rank_correlation": correlations,
    }


def test_a_gap_that_rounds_to_nothing_has_no_sign():
    gaps = {"loss": -0.0001, "agreement": 0.0, "equivariance": -0.0126}
    values = selection_values({"selection": {"a": system(gaps, {})}})
    cells = ["0.500 (0.000)", "0.500 (0.000)", "0.513 (-0.013)"]
    assert rows_of(values["choices"]) == [
        ["A", "2", "3", *cells, "0.500", "0.400", "1.2.3"]
    ]
    assert values["images"] == "500"


def test_a_signal_that_is_not_there_has_an_empty_cell():
    scores = system({"loss": 0.1, "equivariance": 0.2}, {"loss": None, "agreement": 1})
    values = selection_values({"selection": {"a": scores}})
    assert rows_of(values["choices"])[0][4] == ""
    assert rows_of(values["correlations"]) == [["A", "", "+1.00", ""]]
