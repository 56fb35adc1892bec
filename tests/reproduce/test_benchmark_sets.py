"""The table of benchmark sets, from scores written by hand."""

from markdown_rows import rows_of

from cirs_tf.reproduce.benchmark_sets import benchmark_set_values
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.scores import seed_statistics

EXPERIMENTS = load_experiments()


def test_a_cell_is_the_first_seed_of_its_method_and_set():
    names = EXPERIMENTS.targets["harder"].systems

    def miou(first):
        return {"miou": seed_statistics([first, 0.9])}

    systems = {
        name: {"label_free": miou(index / 100), "oracle": miou(index / 100 + 0.5)}
        for index, name in enumerate(names, start=1)
    }
    sets = EXPERIMENTS.benchmark_sets
    baselines = {
        name: {"single_segment": {"miou": 0.25}, "kmeans": miou(0.75)}
        for name in sets.segments
    }
    results = {"benchmark_sets": baselines, "systems": systems, "seeds": [7, 8]}
    values = benchmark_set_values(results, EXPERIMENTS.benchmark_sets)
    assert values["seed"] == "7"
    header = values["table"].splitlines()[0]
    assert header == f"|  | {' | '.join(f'`{name}`' for name in sets.segments)} |"
    first, second, *rows, last = rows_of(values["table"])
    assert first == ["one segment everywhere", *["0.250"] * 4]
    assert second == ["k-means on RGB", *["0.825"] * 4]
    for method, row in zip(sets.methods, rows, strict=True):
        assert row[0] == f"{method.title} (`{method.config}`)"
        for cell, data in zip(row[1:], sets.segments, strict=True):
            name = method.system(data)
            place = 0 if name is None else names.index(name) + 1
            scores = f"{place / 100:.3f} ({place / 100 + 0.5:.3f})"
            assert cell == ("not run" if name is None else scores)
    assert last == ["DTI-Sprites, as published", "", "", "0.840", "0.992"]
