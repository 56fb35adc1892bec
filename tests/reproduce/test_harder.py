"""The table of harder sets, without its runs."""

from cirs_tf.reproduce.data_sets import DRAWN
from cirs_tf.reproduce.harder import harder_sets
from cirs_tf.reproduce.plan import planned_runs
from cirs_tf.reproduce.systems import (
    HARDER,
    HARDER_METHODS,
    SYSTEMS,
    TARGETS,
    harder_system,
)


def test_every_method_meets_every_set(tmp_path):
    data = dict.fromkeys(HARDER, tmp_path)
    runs = planned_runs(["harder"], "cpu", (0, 1), tmp_path, data)
    found = {(SYSTEMS[run.system].config, SYSTEMS[run.system].data) for run in runs}
    everything = {(config, name) for config in HARDER_METHODS.values() for name in data}
    assert everything - found == {
        ("cirs_aligned", "tetrominoes"),
        ("cut_and_paste", "twotone"),
        ("cut_and_paste", "fruit_shift"),
    }
    assert set(HARDER) <= set(DRAWN)
    for run in runs:
        assert run.config.segments == HARDER[SYSTEMS[run.system].data]


def test_a_cell_is_the_first_seed_of_its_method_and_set():
    def stat(first):
        return {"miou": {"values": [first, 0.9], "mean": first}}

    systems = {
        name: {"label_free": stat(index / 100), "oracle": stat(index / 100 + 0.5)}
        for index, name in enumerate(TARGETS["harder"], start=1)
    }
    baselines = {
        name: {"everywhere": {"miou": 0.25}, "kmeans": stat(0.75)} for name in HARDER
    }
    text = harder_sets({"harder": baselines, "systems": systems, "seeds": [0]})
    header, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    columns = [one.strip(" `") for one in header.split("|")[2:-1]]
    assert columns == list(HARDER)
    for title, config in HARDER_METHODS.items():
        (row,) = [line for line in rows if line.startswith(f"| {title} ")]
        for cell, data in zip(row.split("|")[2:-1], HARDER, strict=True):
            name = harder_system(config, data)
            place = 0 if name is None else TARGETS["harder"].index(name) + 1
            score = f"{place / 100:.3f} ({place / 100 + 0.5:.3f})"
            assert cell.strip() == ("not run" if name is None else score)
