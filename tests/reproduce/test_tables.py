"""Tables from scores written by hand."""

from markdown_rows import rows_of

from cirs_tf.reproduce.experiments import AblationRow
from cirs_tf.reproduce.scores import seed_statistics
from cirs_tf.reproduce.tables import (
    ablation_values,
    baseline_values,
    photograph_values,
    postprocessing_values,
    proof_values,
    run_table,
    segmenter_values,
)


def metrics(miou, miou_thesis):
    return {
        "miou": seed_statistics(miou),
        "miou_thesis": seed_statistics(miou_thesis),
    }


def system(title="AIR", thesis=None, **facts):
    return {
        "title": title,
        "config": "air",
        "settings": ["training.epochs=4"],
        "seeds": [0, 1],
        "epochs": 4,
        "mini_batches": 1000,
        "batch_size": 40,
        "seconds": seed_statistics([60, 120]),
        "thesis": thesis,
        "version": "0.2.0",
        "label_free": metrics([0.1, 0.3], [0.2, 0.4]),
        "oracle": metrics([0.5, 0.7], [0.6, 0.8]),
        **facts,
    }


def test_a_segmenter_has_label_free_scores_oracle_scores_and_the_thesis():
    systems = {"air": system(thesis=0.5155), "iic": system("IIC"), "c": system()}
    table = segmenter_values({"systems": systems}, ["iic", "air"])["table"]
    cells = [
        "0.200 (0.100 to 0.300)",
        "0.300 (0.200 to 0.400)",
        "0.600 (0.500 to 0.700)",
        "0.700 (0.600 to 0.800)",
    ]
    assert rows_of(table) == [
        ["IIC (`air`)", *cells, ""],
        ["AIR (`air`)", *cells, "0.5155"],
    ]


def test_baselines_come_before_systems():
    baselines = {
        "kmeans": metrics([0.3, 0.5], [0.4]),
        "single_segment": {"miou": 0.25, "miou_thesis": 0.5},
    }
    results = {"baselines": baselines, "systems": {"iic": system("IIC")}}
    rows = rows_of(baseline_values(results, ["iic"])["table"])
    assert rows[0][1:] == ["0.250", "0.500", "", ""]
    assert rows[1][1:] == ["0.400 (0.300 to 0.500)", "0.400", "", ""]
    assert rows[2][0] == "IIC (`air`)"


def test_a_change_is_counted_from_the_whole():
    means = {"whole": 0.9, "first": 0.5, "second": 0.95, "third": 0.9}
    rows = {
        name: AblationRow(f"no {name}", (f"{name}.weight=0", "b=1")) for name in means
    }
    systems = {
        f"target_{name}": system(
            label_free=metrics([mean], [0]), oracle=metrics([mean + 0.01], [0])
        )
        for name, mean in means.items()
    }
    # Of the whole there is a second seed, which no change is counted from.
    systems["target_whole"]["label_free"] = metrics([0.9, 0.3], [0, 0])
    names = {name: f"target_{name}" for name in means}
    values = ablation_values({"systems": systems}, rows, names)
    table = rows_of(values["table"])
    assert [row[0] for row in table] == [f"no {name}" for name in means]
    assert table[1][1] == "`first.weight=0` `b=1`"
    whole = "0.600 (0.300 to 0.900)"
    assert [row[2] for row in table] == [whole, "0.500", "0.950", "0.900"]
    assert [row[3] for row in table] == ["0.910", "0.510", "0.960", "0.910"]
    assert [row[4] for row in table] == ["", "-0.400", "+0.050", "+0.000"]
    assert (values["mini_batches"], values["seeds"]) == ("1000", "0, 1")


def test_the_proof_shows_bars_and_patterns():
    proof = {
        "images": ["1100", "0110"],
        "color": ["11|00", "1|1|00"],
        "cross_instance": ["11|00", "11|00"],
        "patterns": [{"pattern": "11", "images": 2}],
    }
    values = proof_values({"proof": proof})
    assert r"| `0110` | `1\|1\|00` | `11\|00` |" in values["table"]
    assert values["patterns"] == "11 (in 2 of 2 images)"
    assert values["images"] == "1100 0110"
    nothing = proof_values({"proof": proof | {"patterns": []}})
    assert nothing["patterns"] == "nothing"


def test_post_processings_are_rows():
    rows = {"none": metrics([0.1], [0.2]), "dense CRF": metrics([0.3], [0.4])}
    scores = {"title": "W-Net", "config": "wnet", "version": "1.2.3", "rows": rows}
    values = postprocessing_values({"postprocessing": scores})
    assert rows_of(values["table"]) == [
        ["none", "0.100", "0.200"],
        ["dense CRF", "0.300", "0.400"],
    ]
    assert values["version"] == "1.2.3"


def test_photographs_have_three_measures_of_segments_then_of_regions():
    measures = ("covering", "probabilistic_rand", "variation_of_information")
    row = {
        partition: {
            measure: seed_statistics([first + index])
            for index, measure in enumerate(measures)
        }
        for partition, first in (("regions", 4), ("segments", 1))
    }
    scores = system(segments=8, images=100, rows={"W-Net": row})
    values = photograph_values({"photographs": scores})
    expected = [f"{number}.000" for number in range(1, 7)]
    assert rows_of(values["table"]) == [["W-Net", *expected]]
    assert (values["segments"], values["images"]) == ("8", "100")


def test_everything_that_was_run_has_a_row():
    results = {
        "systems": {"air": system()},
        "autoencoders": {"a": system("autoencoder", settings=[], mini_batches=20)},
        "photographs": system("W-Net", seeds=[0]),
    }
    rows = rows_of(run_table(results))
    assert [row[0] for row in rows] == ["AIR", "autoencoder", "W-Net"]
    assert rows[0][1:] == [
        "`--config air` `--set training.epochs=4`",
        "0, 1",
        "4",
        "1,000 of 40",
        "1.5",
        "0.2.0",
    ]
    assert rows[1][4] == "20 of 40" and rows[2][2] == "0"
    assert run_table({"systems": {}}) == ""
