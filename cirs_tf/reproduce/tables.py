"""RESULTS.md: the numbers of `results.json` in the thesis's layout."""

from collections.abc import Iterable, Sequence

from cirs_tf.reproduce.cells import cell, table
from cirs_tf.reproduce.sections import SECTIONS

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
        "Table 3: color clustering (W-Net) and CIRS",
        ("wnet_thesis", "wnet_paper", "cirs_imbalanced"),
    ),
    "table5": (
        "Table 5: AIR, as the thesis has it and with competing segments",
        ("air", "air_per_segment"),
    ),
    "plus": ("CIRS repaired: with reconstruction (thesis 7.2)", ("cirs_plus",)),
    "aligned": ("Beyond the thesis: CIRS with aligned segments", ("cirs_aligned",)),
    "twotone": (
        "Beyond the fruit: objects of several colors (`data_gen twotone`)",
        ("cirs_aligned_twotone",),
    ),
}


def markdown(
    results: dict, targets: Sequence[str], left_out: Iterable[str], pictures: dict
) -> str:
    """Return RESULTS.md.

    Args:
        results: From `collect`.
        targets: Keys of `systems.TARGETS`, in order.
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
        elif target in SECTIONS and (text := SECTIONS[target](results)):
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
                cell(system[protocol][metric])
                for protocol in ("label_free", "oracle")
                for metric in ("miou", "miou_thesis")
            ),
            _thesis(system),
        )
        for system in systems
    ]
    text = f"## {title}\n\n{table(header, rows)}"
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
        "seeds, without start and validation.\n\n" + table(header, rows)
    )


def _thesis(system: dict) -> str:
    return "" if system["thesis"] is None else f"{system['thesis']:.4f}"
