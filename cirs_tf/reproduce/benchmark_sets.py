"""The table of benchmark sets: a row per method, a column per data set."""

from cirs_tf.reproduce.experiments import BenchmarkSets
from cirs_tf.reproduce.markdown import table
from cirs_tf.reproduce.tables import PROTOCOLS, Values


def benchmark_set_values(results: dict, benchmark: BenchmarkSets) -> Values:
    """Return `table`: label-free `miou` and, in brackets, the oracle's.

    Args:
        results: What `results.json` holds.
        benchmark: The methods and data sets.

    Returns:
        `table`; `seed`, the one that it is of.
    """
    sets = list(benchmark.segments)
    baselines = [results["benchmark_sets"][data] for data in sets]
    rows = [
        (
            "one segment everywhere",
            *(f"{scores['single_segment']['miou']:.3f}" for scores in baselines),
        ),
        (
            "k-means on RGB",
            *(f"{scores['kmeans']['miou']['mean']:.3f}" for scores in baselines),
        ),
        *(
            (
                f"{method.title} (`{method.config}`)",
                *(_cell(results, method.system(data)) for data in sets),
            )
            for method in benchmark.methods
        ),
        (
            "DTI-Sprites, as published",
            *(
                f"{benchmark.published[data]:.3f}"
                if data in benchmark.published
                else ""
                for data in sets
            ),
        ),
    ]
    header = ("", *(f"`{data}`" for data in sets))
    return {"table": table(header, rows), "seed": str(results["seeds"][0])}


def _cell(results: dict, system: str | None) -> str:
    """Return the scores of a system's first seed, the only one of most."""
    if system is None:
        return "not run"
    scores = results["systems"][system]
    label_free, oracle = (scores[key]["miou"]["values"][0] for key in PROTOCOLS)
    return f"{label_free:.3f} ({oracle:.3f})"
