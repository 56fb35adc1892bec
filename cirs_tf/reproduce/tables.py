"""RESULTS.md: the numbers of `results.json` in the thesis's layout."""

from collections.abc import Callable, Iterable, Sequence

_INTRODUCTION = """\
# Results

Written by `python -m cirs_tf.reproduce`; every number is in `results.json`. Budget
`{budget}`: {budget_meaning}. Seeds {seeds}. {machine}.

- Test split of the fruit set (`data_gen fruit`, seed 0), if not said otherwise. The
  thesis's own images were never published.
- `miou`: one assignment of segments to classes for the whole split. `miou_thesis`: the
  best assignment in each image (thesis 5.1.2).
- *label-free*: the checkpoint of lowest validation loss; no label chose it. *oracle*:
  the same runs' checkpoint of highest validation mIoU, chosen by labels, as in the
  thesis. Neither has seen the test split.
- Cells: mean over seeds (minimum to maximum). The thesis's figures are `miou_thesis` of
  the oracle checkpoint, best of 170 epochs; compare them with the last but one column.
"""

# Table or figure: heading, systems in it (None: a function of its own).
_TABLES = {
    "table1": ("Table 1: CIRS, balanced training", ("cirs_balanced",)),
    "table2": (
        "Table 2: CIRS, balanced and imbalanced training",
        ("cirs_balanced", "cirs_imbalanced"),
    ),
    "table3": (
        "Table 3: colour clustering (W-Net) and CIRS",
        ("wnet_thesis", "wnet_paper", "cirs_imbalanced"),
    ),
    "table5": (
        "Table 5: AIR, as the thesis has it and with competing segments",
        ("air", "air_per_segment"),
    ),
    "aligned": ("Beyond the thesis: CIRS with aligned segments", ("cirs_aligned",)),
}


def markdown(
    results: dict, targets: Sequence[str], left_out: Iterable[str], pictures: dict
) -> str:
    """Return RESULTS.md.

    Args:
        results: From `collect`.
        targets: Keys of `plan.TARGETS`, in order.
        left_out: Lines on what was asked for and could not be made.
        pictures: Target to (file name, caption).
    """
    machine = ", ".join(f"{k} {v}" for k, v in results["machine"].items())
    parts = [
        _INTRODUCTION.format(
            budget=results["budget"],
            budget_meaning=results["budget_meaning"],
            seeds=", ".join(map(str, results["seeds"])),
            machine=machine[0].upper() + machine[1:],
        )
    ]
    if lines := list(left_out):
        parts.append("\n".join(f"- Left out: {line}" for line in lines) + "\n")
    told: set[str] = set()
    for target in targets:
        if target in _TABLES:
            title, names = _TABLES[target]
            systems = [results["systems"][name] for name in names]
            parts.append(_segmenters(title, systems, told))
        elif target in _SECTIONS and (text := _SECTIONS[target](results)):
            parts.append(text)
        if target in pictures:
            file, caption = pictures[target]
            parts.append(
                f"## {caption[0]}\n\n{caption[1]}\n\n![{caption[0]}]({file})\n"
            )
    parts.append(_budgets(results))
    return "\n".join(parts)


def _segmenters(title: str, systems: Sequence[dict], told: set[str]) -> str:
    """Return the rows; below them what falls short, once (`told` holds titles)."""
    header = (
        "",
        "`miou`, label-free",
        "`miou_thesis`, label-free",
        "`miou`, oracle",
        "`miou_thesis`, oracle",
        "thesis",
    )
    rows = [
        (
            f"{system['title']} (`{system['config']}`)",
            *(
                _cell(system[protocol][metric])
                for protocol in ("label_free", "oracle")
                for metric in ("miou", "miou_thesis")
            ),
            _thesis(system),
        )
        for system in systems
    ]
    text = f"## {title}\n\n{_table(header, rows)}"
    for system in systems:
        sentence = _distance(system)
        if sentence and system["title"] not in told:
            told.add(system["title"])
            text += f"\n{sentence}\n"
    return text


def _distance(system: dict) -> str:
    """Say how far a system is from the thesis, and what was tried."""
    if system["thesis"] is None:
        return ""
    gap = system["oracle"]["miou_thesis"]["mean"] - system["thesis"]
    if gap >= 0:
        return f"{system['title']} is {gap:.3f} above the thesis's figure."
    text = f"{system['title']} falls short of the thesis by {-gap:.3f}"
    text += f" after {system['mini_batches']:,} mini-batches (the thesis: 42,500)."
    return f"{text} {system['remark']}".rstrip()


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
            _cell(found["kmeans"]["miou"]),
            _cell(found["kmeans"]["miou_thesis"]),
            "",
            "",
        ),
    ]
    rows += [
        (
            f"{systems[name]['title']} (`{systems[name]['config']}`)",
            *(
                _cell(systems[name][protocol][metric])
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
    text = f"## Baselines\n\n{_table(header, rows)}"
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
    text += _table(header, rows)
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
    rows = zip(proof["images"], proof["colour"], proof["cross_instance"], strict=True)
    patterns = ", ".join(
        f"{one['pattern']} (in {one['images']} of {len(proof['images'])} images)"
        for one in proof["patterns"]
    )
    header = ("image", "colour objective (4.1)", "cross-instance objective (4.2)")
    return (
        "## The one-dimensional proof (thesis 4 and 12.1)\n\n"
        f"{_table(header, [tuple(f'`{cell}`' for cell in row) for row in rows])}\n"
        f"Pattern frequency (12.1) selects: {patterns or 'nothing'}. "
        f"`python -m cirs_tf.oned {' '.join(proof['images'])}` shows every step.\n"
    )


def _postprocessing(results: dict) -> str:
    found = results["postprocessing"]
    rows = [
        (name, _cell(of["miou"]), _cell(of["miou_thesis"]))
        for name, of in found["rows"].items()
    ]
    return (
        "## Post-processing of W-Net\n\n"
        f"{found['title']} (`{found['config']}`), label-free checkpoint; dense CRF "
        "with the defaults of its library.\n\n"
        f"{_table(('', '`miou`', '`miou_thesis`'), rows)}"
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
            *(_cell(of[kind][m]) for kind in ("segments", "regions") for m in measures),
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
        f"{_table(header, rows)}"
    )


def _budgets(results: dict) -> str:
    """Return what was run for every row: command, length, time."""
    accounts = {**results["systems"], **results.get("autoencoders", {})}
    if "bsds" in results:
        accounts["wnet_bsds"] = results["bsds"]
    rows = [
        (
            one["title"],
            f"`--config {one['config']}` "
            + " ".join(f"`--set {setting}`" for setting in one["settings"]),
            ", ".join(map(str, one["seeds"])),
            str(one["epochs"]),
            f"{one['mini_batches']:,} of {one['batch_size']}",
            f"{one['seconds']['mean'] / 60:.1f}",
        )
        for one in accounts.values()
    ]
    if not rows:
        return ""
    header = ("", "`python -m cirs_tf.train`", "seeds", "epochs", "mini-batches", "min")
    return (
        "## What was run\n\nMinutes a run are those of its mini-batches, mean over "
        "seeds, without start and validation.\n\n" + _table(header, rows)
    )


_SECTIONS: dict[str, Callable[[dict], str]] = {
    "proof": _proof,
    "table4": _autoencoders,
    "baselines": _baselines,
    "postprocessing": _postprocessing,
    "bsds": _bsds,
}


def _cell(stat: dict) -> str:
    if len(stat["values"]) == 1:
        return f"{stat['mean']:.3f}"
    return f"{stat['mean']:.3f} ({stat['min']:.3f} to {stat['max']:.3f})"


def _thesis(system: dict) -> str:
    return "" if system["thesis"] is None else f"{system['thesis']:.4f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar in a cell would end it, even in code."""
    lines = [header, ["---"] * len(header), *rows]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
