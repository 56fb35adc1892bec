"""The parts of RESULTS.md that are not rows of segmenters, each from the results."""

from collections.abc import Callable

from cirs_tf.reproduce.ablation import ablation
from cirs_tf.reproduce.cells import cell, table
from cirs_tf.reproduce.harder import harder_sets


def _baselines(results: dict) -> str:
    found, systems = results["baselines"], results["systems"]
    rows = [
        (
            "one segment everywhere",
            f"{found['everywhere']['miou']:.3f}",
            f"{found['everywhere']['miou_thesis']:.3f}",
            "",
            "",
        ),
        (
            "k-means on RGB, best of 4 starts by its own criterion",
            cell(found["kmeans"]["miou"]),
            cell(found["kmeans"]["miou_thesis"]),
            "",
            "",
        ),
    ]
    rows += [
        (
            f"{systems[name]['title']} (`{systems[name]['config']}`)",
            *(
                cell(systems[name][protocol][metric])
                for protocol in ("label_free", "oracle")
                for metric in ("miou", "miou_thesis")
            ),
        )
        for name in ("iic", "supervised")
        if name in systems
    ]
    header = (
        "",
        "`miou`",
        "`miou_thesis`",
        "`miou`, oracle",
        "`miou_thesis`, oracle",
    )
    text = f"## Baselines\n\n{table(header, rows)}"
    return text + (
        "\nThe supervised U-Net is a ceiling: it alone was trained with labels, and "
        "its validation loss is one of labels too. k-means from a single start is no "
        "steady baseline: about half of single starts score higher in a worse "
        "clustering.\n"
    )


def _autoencoders(results: dict) -> str:
    found = list(results.get("autoencoders", {}).values())
    if not found:
        return ""
    rows = [
        (
            str(one["bottleneck"]),
            f"{one['lowest']:.3g}",
            f"{one['lowest_per_unit']:.3g}",
            str(one["lowest_epoch"]),
            f"{one['lowest_share']:.3f}",
            f"{one['last']:.3g}",
            f"{one['validation_error']:.4f}",
            f"{one['thesis']:.2g}",
        )
        for one in found
    ]
    header = (
        "b",
        "lowest, summed",
        "lowest, a unit",
        "in epoch",
        "lowest, share",
        "last, summed",
        "validation error",
        "thesis",
    )
    first = found[0]
    text = (
        "## Table 4: alpha_2 term of a bottleneck autoencoder on CIFAR-10\n\n"
        f"4 + 4 dense layers (thesis 9.1), {first['epochs']} epochs, seed "
        f"{first['seeds'][0]}, no label in training. Lowest value over the epochs of "
        "sum_k |mean code of class k - their common mean|^2 on the test images: summed "
        "over the code's units as in thesis 5; divided by their number b; and, free of "
        "the code's scale, divided by the variance of the codes in the same epoch, "
        "summed over units.\n\n"
    )
    text += table(header, rows)
    forms = {"lowest": "summed", "lowest_per_unit": "a unit", "lowest_share": "share"}
    for key, meaning in forms.items():
        values = [one[key] for one in sorted(found, key=lambda one: -one["bottleneck"])]
        holds = all(a < b for a, b in zip(values, values[1:], strict=False))
        text += f"\n{meaning.capitalize()}: the smaller the bottleneck, the larger the "
        text += f"term, {'holds' if holds else 'does not hold'}; "
        text += (
            f"largest by smallest {max(values) / min(values):.3g} (thesis: 2,140).\n"
        )
    return text + (
        "\nThe thesis does not say whether its term is the sum over the units or their "
        "mean, and nothing fixes the scale of a linear code.\n"
    )


def _proof(results: dict) -> str:
    proof = results["proof"]
    rows = zip(proof["images"], proof["color"], proof["cross_instance"], strict=True)
    patterns = ", ".join(
        f"{one['pattern']} (in {one['images']} of {len(proof['images'])} images)"
        for one in proof["patterns"]
    )
    header = ("image", "color objective (4.1)", "cross-instance objective (4.2)")
    return (
        "## The one-dimensional proof (thesis 4 and 12.1)\n\n"
        f"{table(header, [tuple(f'`{text}`' for text in row) for row in rows])}\n"
        f"Pattern frequency (12.1) selects: {patterns or 'nothing'}. "
        f"`python -m cirs_tf.oned {' '.join(proof['images'])}` shows every step.\n"
    )


def _postprocessing(results: dict) -> str:
    found = results["postprocessing"]
    rows = [
        (name, cell(of["miou"]), cell(of["miou_thesis"]))
        for name, of in found["rows"].items()
    ]
    return (
        "## Post-processing of W-Net\n\n"
        f"{found['title']} (`{found['config']}`), label-free checkpoint; dense CRF "
        "with the defaults of its library.\n\n"
        f"{table(('', '`miou`', '`miou_thesis`'), rows)}"
    )


def _bsds(results: dict) -> str:
    if "bsds" not in results:
        return ""
    found = results["bsds"]
    header = (
        "",
        "covering",
        "PRI",
        "VI (bits)",
        "covering, regions",
        "PRI, regions",
        "VI, regions",
    )
    measures = ("covering", "probabilistic_rand", "variation_of_information")
    rows = [
        (
            name,
            *(cell(of[kind][m]) for kind in ("segments", "regions") for m in measures),
        )
        for name, of in found["rows"].items()
    ]
    return (
        "## BSDS500\n\n"
        f"{found['title']} (`{found['config']}`, K = {found['segments']}), trained on "
        f"patches of the 200 training images, {found['mini_batches']} mini-batches of "
        f"{found['batch_size']}; label-free checkpoint, the {found['images']} whole "
        "validation images against all their annotators. Segmentation covering "
        "(Arbelaez et al. 2011) and probabilistic Rand index (Unnikrishnan et al. "
        "2007): 1 is best; variation of information (Meila 2005): 0 is best. The K "
        "segments as they are, and their connected regions.\n\n"
        f"{table(header, rows)}"
    )


_SIGNALS = """\
One checkpoint out of all that are kept of all seeds, chosen by a signal of at most
{images} unlabeled validation images: lowest validation *loss*; highest *agreement*
with the segments of the other seeds; highest *equivariance*, the agreement with the
segments of the mirror image. The last two are mean IoU over the K segments, corrected
by what two different images agree in, so that neither one segment everywhere nor a
fixed carving of the frame can win. Cells: test `miou` (how much more the choice of
the *oracle* has, the checkpoint of highest validation `miou` on the same images,
chosen by labels). *mean*: what a blind choice among those that signals may take has
on average. No signal may choose a checkpoint that only labels have kept. The loss of
the supervised U-Net is one of labels.
"""
_RANKS = """\
Spearman's rank correlation of signal and validation `miou` over all these checkpoints
(+1: the signal orders them as labels do; the loss is negated). Of 12 independent
ones, values below 0.59 in size would be within chance (5 %), and checkpoints of one
run are not independent.
"""


def _selection(results: dict) -> str:
    found = results["selection"]
    signals = ("loss", "agreement", "equivariance")

    def chosen(one: dict, name: str) -> str:
        choice = one["choices"].get(name)
        if choice is None:
            return ""
        gap = round(choice["gap"], 3) + 0.0  # no -0.000
        return f"{choice['miou']:.3f} ({gap:.3f})"

    def correlation(one: dict, name: str) -> str:
        value = one["rank_correlation"].get(name)
        return "" if value is None else f"{value:+.2f}"

    rows = [
        (
            one["title"],
            str(len({each["seed"] for each in one["candidates"]})),
            str(len(one["candidates"])),
            *(chosen(one, name) for name in signals),
            f"{one['choices']['oracle']['miou']:.3f}",
            f"{one['mean']:.3f}",
        )
        for one in found.values()
    ]
    ranks = [
        (one["title"], *(correlation(one, name) for name in signals))
        for one in found.values()
    ]
    header = ("", "seeds", "checkpoints", *signals, "oracle", "mean")
    images = max((one["images"] for one in found.values()), default=0)
    return (
        "## Label-free selection of seed and checkpoint\n\n"
        f"{_SIGNALS.format(images=images)}\n"
        f"{table(header, rows)}\n"
        f"{_RANKS}\n"
        f"{table(('', *signals), ranks)}"
    )


SECTIONS: dict[str, Callable[[dict], str]] = {
    "proof": _proof,
    "table4": _autoencoders,
    "baselines": _baselines,
    "selection": _selection,
    "postprocessing": _postprocessing,
    "bsds": _bsds,
    "ablation": ablation,
    "harder": harder_sets,
}
