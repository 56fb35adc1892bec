"""The table of `cirs_aligned` without one of its parts each."""

from cirs_tf.reproduce.cells import cell, table
from cirs_tf.reproduce.systems import ABLATIONS, ablation_system


def ablation(results: dict) -> str:
    """Return a row a part: scores without it, and what it is worth."""
    systems = results["systems"]
    whole = systems[ablation_system("whole")]

    def row(name: str) -> tuple[str, ...]:
        one = systems[ablation_system(name)]
        title, settings = ABLATIONS[name]
        change = one["label_free"]["miou"]["mean"] - whole["label_free"]["miou"]["mean"]
        return (
            title,
            " ".join(f"`{setting}`" for setting in settings),
            cell(one["label_free"]["miou"]),
            cell(one["oracle"]["miou"]),
            "" if one is whole else f"{change:+.3f}",
        )

    header = ("", "`--set`", "`miou`, label-free", "`miou`, oracle", "change")
    return (
        "## What each part of `cirs_aligned` is worth\n\n"
        f"On `twotone`, {whole['mini_batches']} mini-batches in which the rate falls, "
        "a quarter of its own length; templates are held for 100 of them. Seeds "
        f"{', '.join(map(str, whole['seeds']))}.\n\n"
        f"{table(header, [row(name) for name in ABLATIONS])}"
    )
