"""The sections that several methods share, and the base of all configurations."""

import dataclasses
from typing import ClassVar

from cirs_tf.config.settings import (
    ANY,
    POSITIVE,
    RATE,
    Section,
    at_least,
    between,
    one_of,
    section,
    setting,
)

NORMALIZATIONS = ("none", "batch", "layer", "instance")
STRATEGIES = ("auto", "single", "mirrored", "multi_worker")
SELECTIONS = ("loss", "oracle")
SCHEDULES = ("joint", "alternating")
CACHES = ("auto", "memory", "records")
PRECISIONS = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class SegmenterConfig(Section):
    """The U-Net S."""

    key: ClassVar[str] = "segmenter"

    width: int = setting(
        16, at_least(1), "Channels of the first block; they double at every level."
    )
    depth: int = setting(
        3, between(1, 6), "Number of times that the resolution is halved."
    )
    norm: str = setting("batch", one_of(*NORMALIZATIONS), "Normalization.")
    dropout: float = setting(0.0, RATE, "Rate of dropout in every block, in training.")
    dropout_of: str = setting(
        "channels",
        one_of("channels", "elements"),
        "Whole channels, after every block; or single values, after every ReLU, as in "
        "the thesis author's W-Net.",
    )
    upsampling: str = setting(
        "transposed",
        one_of("transposed", "bilinear"),
        "Transposed convolution, or bilinear enlargement and a 1x1 convolution.",
    )
    convolution: str = setting(
        "plain",
        one_of("plain", "depthwise_first", "pointwise_first"),
        "3x3; or, in all blocks but the first and the last, a depthwise 3x3 and a 1x1 "
        "convolution in the order named.",
    )
    relu_logits: bool = setting(
        False, ANY, "A ReLU before the softmax, as in the thesis author's W-Net."
    )
    logit_scale: float | None = setting(
        None,
        POSITIVE,
        "Logits are batch-normalized per segment, without scale and offset of their "
        "own, and multiplied by this, so that no segment can vanish; null: they are "
        "left as they are.",
    )


@dataclasses.dataclass(frozen=True)
class PretrainingConfig(Section):
    """What networks learn once, before the cycle of training phases."""

    key: ClassVar[str] = "pretraining"

    pseudo_labels: str = setting(
        "none",
        one_of(
            "none",
            "components",
            "colors",
            "lab_colors",
            "segmenter",
            renamed={"colours": "colors"},
        ),
        "First segments that S learns: none; components, the parts that differ from a "
        "static background; colors, clusters by k-means in RGB, or lab_colors, in "
        "L*a*b*; or those of another segmenter.",
    )
    segmenter: str | None = setting(
        None,
        ANY,
        "Folder of an exported segmenter, for pseudo_labels=segmenter.",
    )
    images: int = setting(
        1_500, at_least(2), "Unlabeled training images used, the first ones."
    )
    steps: int = setting(
        150,
        at_least(0),
        "Mini-batches in which S learns pseudo-labels, and in which W-Net's decoder "
        "then learns what S has learned.",
    )
    learning_rate: float = setting(
        3e-3, POSITIVE, "Learning rate of Adam in pretraining."
    )

    def check(self) -> None:
        """Require the folder of the segmenter whose segments are to be learned."""
        self.require(
            "segmenter",
            (self.segmenter is not None) == (self.pseudo_labels == "segmenter"),
            "a folder with pseudo_labels=segmenter, null without",
        )


@dataclasses.dataclass(frozen=True)
class BackgroundConfig(Section):
    """When a pixel differs from the background."""

    key: ClassVar[str] = "background"

    threshold: float = setting(
        0.02,
        POSITIVE,
        "Squared RGB distance, channels in [0, 1], summed over channels, from which a "
        "pixel differs from the background.",
    )


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Section):
    """The trainer."""

    key: ClassVar[str] = "training"

    epochs: int = setting(
        10, at_least(1), "Number of epochs; validation and a checkpoint follow each."
    )
    steps_per_epoch: int | None = setting(
        None, at_least(1), "Mini-batches per epoch; null: one pass over the data."
    )
    # At least 2: the objectives compare images.
    batch_size: int = setting(
        40, at_least(2), "Images per mini-batch, over all replicas."
    )
    learning_rate: float = setting(1e-3, POSITIVE, "Learning rate of Adam.")
    decay_steps: int | None = setting(
        None,
        at_least(1),
        "Mini-batches over which the learning rate falls, as half a cosine, to a "
        "fiftieth; null: it stays. In alternating phases each counts its own.",
    )
    strategy: str = setting(
        "auto",
        one_of(*STRATEGIES, renamed={"one": "single"}),
        "Devices: auto, a single one, mirrored (all of this machine), multi_worker.",
    )
    logical_cpus: int = setting(
        1, at_least(1), "Devices that the CPU is split into, to test mirrored."
    )
    checkpoints_kept: int = setting(
        3, at_least(1), "Newest checkpoints kept; the best ones are kept besides."
    )
    checkpoint_minutes: float = setting(
        10.0, POSITIVE, "Minutes from one checkpoint to the next within an epoch."
    )
    log_every: int = setting(
        25,
        at_least(1),
        "Mini-batches from one point in TensorBoard to the next; the most that one "
        "call of the compiled loop runs.",
    )
    deterministic: bool | None = setting(
        None,
        ANY,
        "Whether operations give the same bits in every run; null: on CPUs, where it "
        "costs little, and not on GPUs.",
    )
    precision: str = setting(
        "float32",
        one_of(*PRECISIONS),
        "Precision of the hidden layers in training: bfloat16 is quicker where the "
        "processor has it; weights, losses and exports are float32 all the same.",
    )
    cache: str = setting(
        "auto",
        one_of(*CACHES),
        "Where the images of a split are: decoded in memory, once; in their records, "
        "read and decoded again for every batch, in memory that does not grow with "
        "the split; auto: in memory up to cache_mb. Batches are the same.",
    )
    cache_mb: int = setting(
        4_000,
        at_least(0),
        "Millions of bytes of decoded images and masks up to which cache=auto holds a "
        "split in memory; each split counts for itself.",
    )
    validation_images: int | None = setting(
        None, at_least(1), "Images of the validation split used; null: all."
    )
    validation_masks: bool = setting(
        True,
        ANY,
        "Whether masks of the validation split are read, where it has some: for mIoU "
        "while training, and for the checkpoint `oracle`.",
    )
    selection: str = setting(
        "loss",
        one_of(*SELECTIONS),
        "Checkpoint that evaluate and export take by default: loss, label-free, or "
        "oracle, the best by labels.",
    )


@dataclasses.dataclass(frozen=True)
class Config(Section):
    """Base of the configuration of every method.

    A method adds its own sections in a subclass beside its networks and phases; see
    `cirs_tf.methods`.
    """

    method: str = setting("", ANY, "The system to train.")
    segments: int = setting(4, between(2, 255), "K, the number of segments.")
    seed: int = setting(
        0, between(0, 2**31 - 1), "Seed of weights, dropout and shuffling."
    )
    data: str | None = setting(
        None, ANY, "Folder of the data set; null: the fruit set, drawn into the cache."
    )
    training: TrainingConfig = section(TrainingConfig)

    def check_usage_floor(self, options: Section) -> None:
        """Refuse a floor that the K segments cannot all reach.

        Args:
            options: A section with `usage_weight` and `usage_floor`.

        Raises:
            ConfigError: The floor is above 1 / K, and its weight is not 0.
        """
        reachable = options.usage_floor <= 1 / self.segments
        options.require(
            "usage_floor",
            reachable or not options.usage_weight,
            f"at most 1 / segments = {1 / self.segments:.4g}",
        )
