"""The rows of the results, and which of them each table and figure shows."""

import dataclasses

TABLE_4_BOTTLENECKS = (192, 96, 48, 12)


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the results.

    Attributes:
        title: How tables call it.
        config: Name of an installed configuration.
        data: Name of its data set, a key of `data_sets.DataSets`.
        overrides: Settings on top of the configuration.
        thesis: The thesis's figure for it, None: it has none.
        remark: What was tried, for the text below the table.
        seeds: With how many of the seeds it is trained at most, the first ones.
    """

    title: str
    config: str
    data: str = "fruit"
    overrides: tuple[str, ...] = ()
    thesis: float | None = None
    remark: str = ""
    seeds: int = 3


_AUTOENCODER_FIGURES = {192: 6.5e-4, 96: 6.6e-3, 48: 0.21, 12: 1.39}

SYSTEMS = {
    "cirs_balanced": System(
        "CIRS, balanced",
        "thesis/cirs_balanced",
        thesis=0.4581,
        remark="g tells the K masked images apart, by the segment number that it is "
        "given or by the shape of the masks, within a few hundred mini-batches; the "
        "variance within segments is then near 0 and S has little to follow. Tried "
        "before, in prototypes: bounded and unbounded features, dense and "
        "convolutional g, widths 8 and 16; all ended between 0.10 and 0.21.",
    ),
    "cirs_imbalanced": System(
        "CIRS, imbalanced (S 5, g 100)",
        "thesis/cirs_imbalanced",
        thesis=0.6407,
        remark="As above; in addition S gets only one mini-batch in 21.",
    ),
    "cirs_segmenter_heavy": System(
        "CIRS, S-heavy (S 100, g 5)", "thesis/cirs_overfitting", seeds=1
    ),
    "wnet_thesis": System(
        "W-Net, as the thesis's author wrote it",
        "thesis/wnet",
        thesis=0.3164,
        remark="Its cut barely sees color (sigma_I 3 for intensities in [0, 1]).",
    ),
    "wnet_paper": System("W-Net, as in its paper", "wnet", thesis=0.3164),
    "air": System(
        "AIR",
        "air",
        thesis=0.5155,
        remark="The error of the sum alone does not make segments compete for pixels; "
        "`air_per_segment` changes that.",
    ),
    "air_per_segment": System(
        "AIR, competing segments", "air_per_segment", thesis=0.5155
    ),
    "iic": System("IIC", "iic"),
    "supervised": System("supervised U-Net (labels)", "supervised", "fruit_masks"),
    **{
        f"autoencoder_{units}": System(
            f"autoencoder, b = {units}",
            "autoencoder",
            "cifar10",
            (f"autoencoder.bottleneck={units}",),
            thesis=_AUTOENCODER_FIGURES[units],
            seeds=1,
        )
        for units in TABLE_4_BOTTLENECKS
    },
    "wnet_bsds": System("W-Net on BSDS500", "wnet", "bsds", ("segments=8",), seeds=1),
    "cirs_aligned": System("CIRS, aligned segments", "cirs_aligned", seeds=5),
    "cirs_plus": System("CIRS with reconstruction", "cirs_plus"),
    "cirs_aligned_twotone": System(
        "CIRS, aligned segments, on objects of several colors",
        "cirs_aligned",
        "twotone",
        seeds=5,
    ),
}

# Data sets that are harder than the fruit, with K; the thesis has none of them.
HARDER = {"twotone": 4, "fruit_shift": 4, "dsprites": 4, "tetrominoes": 20}
# Row of the table to its configuration.
HARDER_METHODS = {
    "CIRS, balanced": "thesis/cirs_balanced",
    "W-Net, as in its paper": "wnet",
    "IIC": "iic",
    "AIR, competing segments": "air_per_segment",
    "CIRS, aligned segments": "cirs_aligned",
    "cut and paste": "cut_and_paste",
}
# cirs_aligned has a pose network for every object and no mixture of so many starts;
# cut_and_paste needs one flat color behind the objects.
_NOT_RUN = {
    ("cirs_aligned", "tetrominoes"),
    ("cut_and_paste", "twotone"),
    ("cut_and_paste", "fruit_shift"),
}
# What is known of a set without a label, and a method asks for.
_KNOWN = {("cut_and_paste", "tetrominoes"): ("cut_and_paste.overlap=false",)}


def harder_system(config: str, data: str) -> str | None:
    """Return the name of what was trained on a harder set, None: nothing was."""
    if (config, data) in _NOT_RUN:
        return None
    return f"{config.rpartition('/')[2]}_{data}"


SYSTEMS |= {
    name: System(
        f"{title}, on {data}",
        config,
        data,
        (f"segments={count}", *_KNOWN.get((config, data), ())),
        seeds=1,
    )
    for data, count in HARDER.items()
    for title, config in HARDER_METHODS.items()
    if (name := harder_system(config, data)) and name not in SYSTEMS
}

# cirs_aligned without one part each: title of the row, and settings.
ABLATIONS = {
    "whole": ("all of it", ()),
    "held": ("templates not held at first", ("cirs_aligned.held_steps=0",)),
    "outline": (
        "supports not drawn to the masks",
        ("cirs_aligned.outline_weight=0",),
    ),
    "behind": ("the background not behind", ("cirs_aligned.behind=0",)),
    "labels": (
        "S not drawn to the best labels",
        ("cirs_aligned.assignment_weight=0",),
    ),
    "imagined": (
        "poses not learned from imagined images",
        ("cirs_aligned.start_pose_steps=0", "cirs_aligned.pose_weight=0"),
    ),
}


def ablation_system(name: str) -> str:
    """Return the name of the system of a key of `ABLATIONS`."""
    return f"cirs_aligned_{name}"


# A quarter of its own, at every budget.
_ABLATED_LENGTH = (
    "training.epochs=1",
    "training.steps_per_epoch=250",
    "training.decay_steps=250",
)
_ABLATED = {
    ablation_system(name): System(
        f"CIRS, aligned segments, {title}",
        "cirs_aligned",
        "twotone",
        (*_ABLATED_LENGTH, *settings),
        seeds=2,
    )
    for name, (title, settings) in ABLATIONS.items()
}
SYSTEMS |= _ABLATED

# Table or figure to the systems that it shows; the proof needs none.
TARGETS = {
    "proof": (),
    "table1": ("cirs_balanced",),
    "table2": ("cirs_balanced", "cirs_imbalanced"),
    "table3": ("wnet_thesis", "wnet_paper", "cirs_imbalanced"),
    "table4": tuple(f"autoencoder_{units}" for units in TABLE_4_BOTTLENECKS),
    "table5": ("air", "air_per_segment"),
    "plus": ("cirs_plus",),
    "aligned": ("cirs_aligned",),
    "twotone": ("cirs_aligned_twotone",),
    "ablation": tuple(_ABLATED),
    "harder": tuple(
        name
        for data in HARDER
        for config in HARDER_METHODS.values()
        if (name := harder_system(config, data))
    ),
    "baselines": ("iic", "supervised"),
    # Segmenters of several seeds.
    "selection": tuple(
        name
        for name, one in SYSTEMS.items()
        if one.data in ("fruit", "fruit_masks", "twotone")
        and one.seeds > 1
        and name not in _ABLATED
    ),
    "postprocessing": ("wnet_paper",),
    "bsds": ("wnet_bsds",),
    "figure4": (),
    "figure7": ("cirs_balanced",),
    "figure8": ("cirs_segmenter_heavy",),
    "figure9": ("cirs_balanced", "cirs_imbalanced"),
    "figure10": ("wnet_thesis", "cirs_imbalanced"),
    "figure12": ("air", "air_per_segment"),
}
