"""Tables of the results, each from the numbers of `results.json` alone.

A function returns what fills the placeholders of a section of the template, by name.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cirs_tf.reproduce.experiments import AblationRow
from cirs_tf.reproduce.markdown import cell, table

PROTOCOLS = ("label_free", "oracle")
METRICS = ("miou", "miou_thesis")
MEASURES = ("covering", "probabilistic_rand", "variation_of_information")
PARTITIONS = ("segments", "regions")

Values = dict[str, str]


def segmenter_values(results: dict, systems: Sequence[str]) -> Values:
    """Return `table`: a row per system, its scores by protocol and the thesis's.

    Args:
        results: What `results.json` holds.
        systems: Names of the rows' systems.
    """
    header = (
        "",
        "`miou`, label-free",
        "`miou_thesis`, label-free",
        "`miou`, oracle",
        "`miou_thesis`, oracle",
        "thesis",
    )
    rows = []
    for name in systems:
        system = results["systems"][name]
        figure = system["thesis"]
        rows.append(
            (*_segmenter_row(system), "" if figure is None else f"{figure:.4f}")
        )
    return {"table": table(header, rows)}


def baseline_values(results: dict, systems: Sequence[str]) -> Values:
    """Return `table`: what needs no network, then some systems.

    Args:
        results: What `results.json` holds.
        systems: Names of the systems.
    """
    baselines = results["baselines"]
    header = (
        "",
        "`miou`",
        "`miou_thesis`",
        "`miou`, oracle",
        "`miou_thesis`, oracle",
    )
    rows = [
        (
            "one segment everywhere",
            *(f"{baselines['single_segment'][metric]:.3f}" for metric in METRICS),
            "",
            "",
        ),
        (
            "k-means on RGB, best of 4 starts by its own criterion",
            *(cell(baselines["kmeans"][metric]) for metric in METRICS),
            "",
            "",
        ),
    ]
    rows += [_segmenter_row(results["systems"][name]) for name in systems]
    return {"table": table(header, rows)}


def ablation_values(
    results: dict, ablation_rows: Mapping[str, AblationRow], names: Mapping[str, str]
) -> Values:
    """Return `table`: a row per part, scores without it and the change in `miou`.

    Args:
        results: What `results.json` holds.
        ablation_rows: The whole system first.
        names: The name of the system of each row.

    Returns:
        `table`; `mini_batches` of the whole system and `seeds` of the others, which are
        the first ones of its own. A change is that of these seeds.
    """
    systems = [results["systems"][names[key]] for key in ablation_rows]
    whole = systems[0]
    rows = []
    for row, system in zip(ablation_rows.values(), systems, strict=True):
        own, those = (s["label_free"]["miou"]["values"] for s in (system, whole))
        change = np.mean(own) - np.mean(those[: len(own)])
        rows.append(
            (
                row.title,
                " ".join(f"`{setting}`" for setting in row.overrides),
                cell(system["label_free"]["miou"]),
                cell(system["oracle"]["miou"]),
                "" if system is whole else f"{change:+.3f}",
            )
        )
    header = ("", "`--set`", "`miou`, label-free", "`miou`, oracle", "change")
    return {
        "table": table(header, rows),
        "mini_batches": str(whole["mini_batches"]),
        "seeds": ", ".join(map(str, systems[-1]["seeds"])),
    }


def proof_values(results: dict) -> Values:
    """Return `table`: the best segmentation of each image by either objective."""
    proof = results["proof"]
    header = ("image", "color objective (4.1)", "cross-instance objective (4.2)")
    rows = zip(proof["images"], proof["color"], proof["cross_instance"], strict=True)
    patterns = ", ".join(
        f"{entry['pattern']} (in {entry['images']} of {len(proof['images'])} images)"
        for entry in proof["patterns"]
    )
    return {
        "table": table(header, [tuple(f"`{text}`" for text in row) for row in rows]),
        "patterns": patterns or "nothing",
        "images": " ".join(proof["images"]),
    }


def postprocessing_values(results: dict) -> Values:
    """Return `table`: a row per post-processing."""
    scores = results["postprocessing"]
    rows = [
        (name, *(cell(row[metric]) for metric in METRICS))
        for name, row in scores["rows"].items()
    ]
    return {
        "table": table(("", "`miou`", "`miou_thesis`"), rows),
        **{fact: str(scores[fact]) for fact in ("title", "config", "version")},
    }


def class_values(scores: dict) -> Values:
    """Return `table`: mIoU and accuracy of each row; `images` of the split.

    Of two classes also the F of the second one, 2 IoU / (1 + IoU), mean over seeds.

    Args:
        scores: Of `class_scores`.
    """
    measures = {"mIoU": "miou", "pixel accuracy": "pixel_accuracy"}
    if all("f_second" in row for row in scores["rows"].values()):
        measures[f"F of {scores['classes'][1]}"] = "f_second"
    rows = [
        (title, *(cell(row[measure]) for measure in measures.values()))
        for title, row in scores["rows"].items()
    ]
    return {
        "table": table(("", *measures), rows),
        "images": str(scores["images"]),
    }


def photograph_values(results: dict) -> Values:
    """Return `table`: region measures of segments, and of connected regions."""
    scores = results["photographs"]
    header = (
        "",
        "covering",
        "PRI",
        "VI (bits)",
        "covering, regions",
        "PRI, regions",
        "VI, regions",
    )
    rows = [
        (
            name,
            *(
                cell(row[partition][measure])
                for partition in PARTITIONS
                for measure in MEASURES
            ),
        )
        for name, row in scores["rows"].items()
    ]
    facts = ("title", "config", "version", "segments", "images")
    facts += ("mini_batches", "batch_size")
    return {
        "table": table(header, rows),
        **{fact: str(scores[fact]) for fact in facts},
    }


def run_table(results: dict) -> str:
    """Return what was run for every row of the results: command, length, time."""
    facts = [
        *results["systems"].values(),
        *results.get("autoencoders", {}).values(),
        *([results["photographs"]] if "photographs" in results else []),
    ]
    header = (
        *("", "`python -m cirs_tf.train`", "seeds", "epochs", "mini-batches", "min"),
        "version",
    )
    rows = [
        (
            row["title"],
            f"`--config {row['config']}` "
            + " ".join(f"`--set {setting}`" for setting in row["settings"]),
            ", ".join(map(str, row["seeds"])),
            str(row["epochs"]),
            f"{row['mini_batches']:,} of {row['batch_size']}",
            f"{row['seconds']['mean'] / 60:.1f}",
            row["version"],
        )
        for row in facts
    ]
    return table(header, rows) if rows else ""


def _segmenter_row(system: dict) -> Sequence[str]:
    """Return title and scores of a segmenter."""
    return (
        f"{system['title']} (`{system['config']}`)",
        *(
            cell(system[protocol][metric])
            for protocol in PROTOCOLS
            for metric in METRICS
        ),
    )
