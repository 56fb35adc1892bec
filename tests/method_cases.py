"""Configurations of every method, and the phases that each of them asks for."""

from typing import NamedTuple

from tiny_methods import tiny_config

S, G, AUTOENCODERS = ("segmenter",), ("feature_net",), ("autoencoders",)
POSES = ("poses",)


class Plan(NamedTuple):
    """What a phase should do.

    Attributes:
        steps: Mini-batches per cycle, or of pretraining in all.
        trains: Names of the networks whose variables it updates.
        runs: Names of the networks that run in training mode without being updated.
        rates: First learning rates that are not the method's, by network.
    """

    steps: int
    trains: tuple[str, ...]
    runs: tuple[str, ...] = ()
    rates: dict[str, float] = {}


class Case(NamedTuple):
    """A row of the table.

    Attributes:
        source: Name of an installed configuration.
        overrides: Settings in which the row differs from it.
        plans: Every phase by name, those of pretraining first.
    """

    source: str
    overrides: tuple[str, ...]
    plans: dict[str, Plan]


DROPOUT = "segmenter.dropout=0.2"
IN_TURNS = (DROPOUT, "cirs.schedule=alternating", "cirs.segmenter_steps=2")
# Learning rate 1: the largest part of a weight that float32 leaves of an update.
RATE, PRETRAINING_RATE = 1.0, 0.25
PRETRAINING = ("pretraining.steps=4", "pretraining.images=16")
NCUT = ("wnet.radius=2", "wnet.xla=false")
CAMERA = ("segments=2", "fixed_camera.cleaning=1")
CASES = {
    "cirs, words": Case("cirs", (DROPOUT, "cirs.heads=3"), {"joint": Plan(1, S)}),
    "cirs, words and one head": Case(
        "cirs", (DROPOUT, "cirs.heads=1", "cirs.gumbel_scale=0"), {"joint": Plan(1, S)}
    ),
    "cirs": Case("thesis/cirs_balanced", (DROPOUT,), {"joint": Plan(1, S + G)}),
    "cirs, in turns": Case(
        "thesis/cirs_balanced",
        (*IN_TURNS, "cirs.feature_net_steps=3"),
        {"segmenter": Plan(2, S, G), "feature_net": Plan(3, G, S)},
    ),
    "cirs, g frozen": Case(
        "thesis/cirs_balanced",
        (DROPOUT, "cirs.freeze_feature_net=true"),
        {"joint": Plan(1, S, G)},
    ),
    "cirs, rate of g": Case(
        "thesis/cirs_balanced",
        (DROPOUT, "cirs.feature_learning_rate=0.5"),
        {"joint": Plan(1, S + G, rates={"feature_net": 0.5})},
    ),
    "cirs, reset": Case(
        "thesis/cirs_balanced",
        (DROPOUT, "cirs.reset_every=90"),
        {"joint": Plan(1, S + G)},
    ),
    "cirs, rate of g and reset": Case(
        "thesis/cirs_balanced",
        (*IN_TURNS, "cirs.feature_learning_rate=0.5", "cirs.reset_every=90"),
        {
            "segmenter": Plan(2, S, G),
            "feature_net": Plan(1, G, S, {"feature_net": 0.5}),
        },
    ),
    "cirs, pretrained": Case(
        "thesis/cirs_balanced",
        (DROPOUT, *PRETRAINING, "pretraining.pseudo_labels=colors")
        + ("cirs.feature_net_pretraining_steps=5",),
        {
            "pretraining segmenter": Plan(4, S),
            "pretraining feature_net": Plan(5, (*G, "feature_decoder")),
            "joint": Plan(1, S + G),
        },
    ),
    "cirs_aligned": Case(
        "cirs_aligned",
        (DROPOUT, *PRETRAINING, "cirs_aligned.pose_pretraining_steps=5")
        + ("cirs_aligned.template_freeze_steps=0", "cirs_aligned.xla=false"),
        {
            "pretraining segmenter": Plan(4, S),
            "pretraining poses": Plan(5, POSES),
            "joint": Plan(1, (*S, "templates", *POSES)),
        },
    ),
    "cirs_aligned, no known poses": Case(
        "cirs_aligned",
        (DROPOUT, "pretraining.steps=0", "cirs_aligned.pose_pretraining_steps=0")
        + (
            "cirs_aligned.pose_weight=0",
            "cirs_aligned.template_freeze_steps=0",
            "cirs_aligned.xla=false",
            "seed=1",
        ),
        {"joint": Plan(1, (*S, "templates", *POSES))},
    ),
    "cirs_plus": Case(
        "cirs_plus",
        (DROPOUT, *PRETRAINING, "cirs_plus.hidden=[16]", "cirs_plus.dropout=0.2"),
        {"pretraining segmenter": Plan(4, S), "joint": Plan(1, S + AUTOENCODERS)},
    ),
    "cut_and_paste": Case(
        "cut_and_paste",
        (DROPOUT, "cut_and_paste.patches_per_class=2"),
        {"segmenter": Plan(1, S)},
    ),
    "air": Case(
        "air", (DROPOUT, "air.hidden=[16]"), {"joint": Plan(1, (*S, *AUTOENCODERS))}
    ),
    "air, words and heads": Case(
        "air",
        (DROPOUT, "air.hidden=[16]", "air.target=words", "air.heads=2"),
        {"joint": Plan(1, (*S, *AUTOENCODERS))},
    ),
    "air, in turns": Case(
        "air",
        (DROPOUT, "air.hidden=[16]", "air.schedule=alternating")
        + ("air.segmenter_steps=2", "air.autoencoder_steps=3"),
        {
            "segmenter": Plan(2, S, AUTOENCODERS),
            "autoencoders": Plan(3, AUTOENCODERS, S),
        },
    ),
    "air, variational": Case(
        "air_variational",
        (DROPOUT, "air.hidden=[16]"),
        {"joint": Plan(1, S + AUTOENCODERS)},
    ),
    "wnet": Case(
        "wnet",
        (DROPOUT, *PRETRAINING, *NCUT, "wnet.schedule=alternating"),
        {
            "pretraining segmenter": Plan(4, S),
            "pretraining decoder": Plan(4, ("decoder",)),
            "n_cut": Plan(1, S),
            "reconstruction": Plan(1, (*S, "decoder")),
        },
    ),
    "wnet, joint": Case(
        "wnet",
        (DROPOUT, *NCUT, "segmenter.dropout_of=elements")
        + ("pretraining.pseudo_labels=none", "wnet.heads=2"),
        {"joint": Plan(1, (*S, "decoder"))},
    ),
    "fixed_camera": Case("fixed_camera", (DROPOUT, *CAMERA), {"segmenter": Plan(1, S)}),
    "fixed_camera, beside the background": Case(
        "fixed_camera",
        (DROPOUT, *CAMERA, "fixed_camera.segmenter=frame_and_background"),
        {"segmenter": Plan(1, S)},
    ),
    "fixed_camera, sorted": Case(
        "fixed_camera",
        (DROPOUT, "segments=3", "fixed_camera.cleaning=1"),
        {"segmenter": Plan(1, S)},
    ),
    "fixed_camera, nothing trained": Case(
        "fixed_camera", (*CAMERA, "fixed_camera.segmenter=difference"), {}
    ),
    "threshold": Case("threshold", ("segments=2",), {}),
    "deep_clustering": Case("deep_clustering", (), {}),
    "iic": Case(
        "iic",
        ("iic.width=1",),
        {"over": Plan(1, ("over_segmenter",)), "main": Plan(1, S)},
    ),
    "autoencoder": Case(
        "autoencoder",
        ("autoencoder.hidden=[16]",),
        {"autoencoder": Plan(1, ("encoder", "decoder"))},
    ),
    "supervised": Case("supervised", (DROPOUT,), {"segmenter": Plan(1, S)}),
}


def case_config(case, tiny, *overrides):
    """Return the configuration of a row, with the learning rates above.

    Args:
        case: The row.
        tiny: Settings of the smallest networks.
        *overrides: Further settings.
    """
    # Seed 0 would hide a wrong multiple of the seed.
    common = ["seed=3", f"training.learning_rate={RATE}", "training.decay_steps=null"]
    if "pretraining.steps=4" in case.overrides:
        common.append(f"pretraining.learning_rate={PRETRAINING_RATE}")
    return tiny_config(tiny, case.source, *case.overrides, *common, *overrides)
