"""Every default and every check, as frozen dataclasses."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from cirs_tf.errors import ConfigError

METHODS = (
    "cirs",
    "cirs_aligned",
    "cirs_plus",
    "cut_and_paste",
    "air",
    "wnet",
    "iic",
    "autoencoder",
    "supervised",
)
STRATEGIES = ("auto", "one", "mirrored", "multi_worker")
SELECTIONS = ("loss", "oracle")
NORMALIZATIONS = ("none", "batch", "layer", "instance")
CONVOLUTIONS = ("plain", "depthwise_first", "pointwise_first")
SCHEDULES = ("joint", "alternating")


def _check(key: str, value: Any, ok: bool, expected: str) -> None:
    if not ok:
        raise ConfigError(f"{key}: expected {expected}, got {value!r}")


def _check_choice(key: str, value: str, choices: Sequence[str]) -> None:
    _check(key, value, value in choices, "one of " + ", ".join(choices))


# What is expected, and whether a value is that.
_Range = tuple[str, Callable[[Any], bool]]
_WEIGHT = ("a finite number of at least 0", lambda value: 0 <= value < math.inf)
_POSITIVE = ("a finite number > 0", lambda value: 0 < value < math.inf)
_SHARE = ("(0, 1)", lambda value: 0 < value < 1)
_RATE = ("a rate in [0, 1)", lambda value: 0 <= value < 1)
_WIDTHS = ("widths of at least 1", lambda value: all(units >= 1 for units in value))


def _at_least(least: int) -> _Range:
    # None, where a key allows it, stands for no limit.
    return f"at least {least}", lambda value: value is None or value >= least


def _check_keys(section: str, config: Any, range_: _Range, *keys: str) -> None:
    expected, holds = range_
    for key in keys:
        value = getattr(config, key)
        _check(f"{section}.{key}", value, holds(value), expected)


@dataclasses.dataclass(frozen=True)
class SegmenterConfig:
    """The U-Net S.

    Attributes:
        width: Channels of the first block; they double at every level.
        depth: Number of times that the resolution is halved.
        norm: `none`, `batch`, `layer` or `instance`.
        dropout: Rate at which channels are dropped after every block.
        upsampling: `transposed` convolution, or `bilinear`.
        convolution: `plain` 3x3; or, in all blocks but the first and the last, a
            depthwise 3x3 and a 1x1 one, `depthwise_first` or `pointwise_first`.
        relu_logits: Whether a ReLU stands before the softmax, as in the thesis
            author's W-Net.
    """

    width: int = 16
    depth: int = 3
    norm: str = "batch"
    dropout: float = 0.0
    upsampling: str = "transposed"
    convolution: str = "plain"
    relu_logits: bool = False

    def __post_init__(self):
        _check_keys("segmenter", self, _at_least(1), "width")
        _check("segmenter.depth", self.depth, 1 <= self.depth <= 6, "1 to 6")
        _check_choice("segmenter.norm", self.norm, NORMALIZATIONS)
        _check_keys("segmenter", self, _RATE, "dropout")
        upsampling = ("transposed", "bilinear")
        _check_choice("segmenter.upsampling", self.upsampling, upsampling)
        _check_choice("segmenter.convolution", self.convolution, CONVOLUTIONS)


@dataclasses.dataclass(frozen=True)
class FeatureNetConfig:
    """The feature network g.

    Attributes:
        kind: `dense` (thesis 6) or `conv` with global average pooling.
        hidden: Widths of the hidden layers.
        features: Length of the feature vector.
        norm: `none`, `batch` or `layer`, after every hidden layer.
        dropout: Rate after every hidden layer (`conv`: after pooling).
        segment_number: How k enters: `off`, `scalar` (k / (K - 1)) or `one_hot`.
        output: `none`, `l2` (unit length) or `batch_norm` (unit variance a feature).
        input: What g sees: the whole masked `image` (thesis 6); `pooled`, its mean
            in each of `cells` x `cells` cells; `area_normalized`, the same divided
            by the mask's share of the image, so that area tells nothing.
        cells: Cells a side; image sides must be multiples of it where they are used.
    """

    kind: str = "dense"
    hidden: tuple[int, ...] = (256, 64)
    features: int = 16
    norm: str = "batch"
    dropout: float = 0.4
    segment_number: str = "scalar"
    output: str = "batch_norm"
    input: str = "image"
    cells: int = 8

    def __post_init__(self):
        _check_choice("feature_net.kind", self.kind, ("dense", "conv"))
        _check_keys("feature_net", self, _WIDTHS, "hidden")
        ok = self.kind == "dense" or len(self.hidden) > 0
        _check("feature_net.hidden", self.hidden, ok, "widths of at least 1")
        _check_keys("feature_net", self, _at_least(1), "features")
        _check_choice("feature_net.norm", self.norm, NORMALIZATIONS[:3])
        _check_keys("feature_net", self, _RATE, "dropout")
        numbers = ("off", "scalar", "one_hot")
        _check_choice("feature_net.segment_number", self.segment_number, numbers)
        outputs = ("none", "l2", "batch_norm")
        _check_choice("feature_net.output", self.output, outputs)
        inputs = ("image", "pooled", "area_normalized")
        _check_choice("feature_net.input", self.input, inputs)
        _check("feature_net.cells", self.cells, self.cells >= 1, "at least 1")


@dataclasses.dataclass(frozen=True)
class CirsConfig:
    """The CIRS objective (thesis 5), its schedule (thesis 7.4), and what is left open.

    Everything below the schedule is off by default.

    Attributes:
        alpha_1: Weight of the variance within segments.
        alpha_2: Weight of the distance between segments.
        schedule: `joint` updates S and g in one step; `alternating` takes
            `segmenter_steps` mini-batches for S, then `feature_net_steps` for g.
        segmenter_steps: Mini-batches a cycle for S.
        feature_net_steps: Mini-batches a cycle for g.
        augmentation: `none`, or `shift_flip_turn`: each training image is shifted
            around its borders, flipped and turned by quarters at random, so that no
            place in the image stays the same.
        usage_weight: Weight of a floor under each segment's share of the pixels.
        usage_floor: That floor, in (0, 1).
        usage_of: Shares of the softmax `probabilities`, or of the hard `masks`.
        feature_learning_rate: Of Adam for g; None: that of S.
        reset_every: Every so many of its mini-batches g is drawn anew, and so are its
            optimizer's slots; the first follows that many updates. 0: never.
        freeze_feature_net: Whether g stays as it was drawn (compare thesis 11).
        start: What S learns before the first step: `none`, the parts that
            `proposals.components` finds (with `start_images`, `difference` and
            `start_learning_rate` of `cirs_aligned`), or clusters of `colors`.
        start_steps: Mini-batches of it.
        feature_start_steps: Mini-batches before the first step in which g learns to
            encode whole images for a linear decoder (compare thesis 11).
    """

    alpha_1: float = 1.0
    alpha_2: float = 1.0
    schedule: str = "joint"
    segmenter_steps: int = 1
    feature_net_steps: int = 1
    augmentation: str = "none"
    usage_weight: float = 0.0
    usage_floor: float = 0.05
    usage_of: str = "probabilities"
    feature_learning_rate: float | None = None
    reset_every: int = 0
    freeze_feature_net: bool = False
    start: str = "none"
    start_steps: int = 150
    feature_start_steps: int = 0

    def __post_init__(self):
        weights = ("alpha_1", "alpha_2", "usage_weight")
        _check_keys("cirs", self, _WEIGHT, *weights)
        _check_choice("cirs.schedule", self.schedule, SCHEDULES)
        _check_keys("cirs", self, _at_least(1), "segmenter_steps", "feature_net_steps")
        choices = ("none", "shift_flip_turn")
        _check_choice("cirs.augmentation", self.augmentation, choices)
        _check_keys("cirs", self, _SHARE, "usage_floor")
        _check_choice("cirs.usage_of", self.usage_of, ("probabilities", "masks"))
        rate = self.feature_learning_rate
        if rate is not None:
            _check_keys("cirs", self, _POSITIVE, "feature_learning_rate")
        _check_choice("cirs.start", self.start, ("none", "components", "colors"))
        counts = ("reset_every", "start_steps", "feature_start_steps")
        _check_keys("cirs", self, _at_least(0), *counts)
        trains = self.schedule == "alternating" or rate is not None or self.reset_every
        _check(
            "cirs.freeze_feature_net",
            self.freeze_feature_net,
            not (self.freeze_feature_net and trains),
            "false where schedule, feature_learning_rate or reset_every train g",
        )


@dataclasses.dataclass(frozen=True)
class CirsAlignedConfig:
    """CIRS with aligned segments: poses and templates instead of g.

    Attributes:
        canvas: Side of a template, as a share of the image's shorter side.
        outside: Cost of a pixel outside of a template's support.
        behind: What a pixel within an object's support costs the background more.
        assignment_weight: Weight of the cross-entropy of S with the segment that costs
            each pixel least, border pixels settled by the colors on either side.
        outline_weight: Weight of the distance of supports from the pixels that segments
            hold.
        pose_weight: Weight of the poses of imagined images, where they are known.
        usage_weight: Weight of a floor under each segment's share of the pixels.
        usage_floor: That floor, in (0, 1).
        difference: Squared distance in color from which a pixel differs from the
            background; each channel in [0, 1].
        start_images: Unlabeled images that the start is taken from.
        start_steps: Mini-batches in which S learns the parts that were found.
        start_pose_steps: Mini-batches in which poses are learned before the rest.
        start_learning_rate: Of Adam in both.
        held_steps: Mini-batches of the training proper in which templates stay as they
            were found, until S and the poses fit the images.
    """

    canvas: float = 0.625
    outside: float = 0.1
    behind: float = 0.02
    assignment_weight: float = 0.3
    outline_weight: float = 0.1
    pose_weight: float = 0.1
    usage_weight: float = 0.02
    usage_floor: float = 0.01
    difference: float = 0.02
    start_images: int = 1_500
    start_steps: int = 150
    start_pose_steps: int = 400
    start_learning_rate: float = 3e-3
    held_steps: int = 100

    def __post_init__(self):
        name = "cirs_aligned"
        _check_keys(name, self, _SHARE, "canvas", "usage_floor")
        _check_keys(
            name,
            self,
            _POSITIVE,
            "outside",
            "difference",
            "start_learning_rate",
        )
        weights = (
            "behind",
            "assignment_weight",
            "outline_weight",
            "pose_weight",
            "usage_weight",
        )
        _check_keys(name, self, _WEIGHT, *weights)
        _check_keys(name, self, _at_least(2), "start_images")
        steps = ("start_steps", "start_pose_steps", "held_steps")
        _check_keys(name, self, _at_least(0), *steps)


@dataclasses.dataclass(frozen=True)
class CutAndPasteConfig:
    """Cut-outs of outlines that recur, and images pasted together from them.

    Attributes:
        canvas: Side of a cut-out, as a share of the image's shorter side; larger parts
            are not cut out.
        members: Cut-outs of each kind.
        overlap: Whether one part may hide another in a composition.
        difference: Four times the squared distance in color from which a pixel
            differs from the most frequent color of its image; each channel in [0, 1].
        start_images: Unlabeled images that cut-outs are taken from.
    """

    canvas: float = 0.625
    members: int = 120
    overlap: bool = True
    difference: float = 0.02
    start_images: int = 3_000

    def __post_init__(self):
        name = "cut_and_paste"
        _check_keys(name, self, _SHARE, "canvas")
        _check_keys(name, self, _POSITIVE, "difference")
        _check_keys(name, self, _at_least(1), "members")
        _check_keys(name, self, _at_least(2), "start_images")


@dataclasses.dataclass(frozen=True)
class CirsPlusConfig:
    """CIRS whose features must also rebuild their segments.

    Attributes:
        cirs_weight: Weight of the CIRS loss, beside the squared error.
        assignment_weight: Weight of the cross-entropy of S with the segment that
            rebuilds each pixel best, border pixels settled by the colors on either
            side.
        usage_weight: Weight of a floor under each segment's share of the pixels.
        usage_floor: That floor, in (0, 1).
    """

    cirs_weight: float = 1e-3
    assignment_weight: float = 0.3
    usage_weight: float = 0.02
    usage_floor: float = 0.01

    def __post_init__(self):
        weights = ("cirs_weight", "assignment_weight", "usage_weight")
        _check_keys("cirs_plus", self, _WEIGHT, *weights)
        _check_keys("cirs_plus", self, _SHARE, "usage_floor")


@dataclasses.dataclass(frozen=True)
class AirConfig:
    """Argmax individual reconstruction (thesis 10).

    The widths are totals over the K autoencoders, so that the number of parameters
    stays about the same for every K; each autoencoder has a K-th of them.

    Attributes:
        hidden: Hidden widths of the encoders; the decoders mirror them.
        bottleneck: Length of the codes.
        dropout: Rate after every hidden layer.
        norm: `none`, `batch` or `layer`, after every hidden layer.
        error: `combined` compares the image with the sum of the masked
            reconstructions (thesis); `per_segment` sums each segment's own error.
        remask_gradient: Whether the multiplication of a reconstruction by its mask
            passes a gradient to the mask (thesis: it does not).
        usage_weight: Weight of a floor under each segment's share of the pixels; 0:
            none (thesis).
        usage_floor: That floor, in (0, 1).
        variational: Whether codes are drawn from a Gaussian, mean and variance of which
            the encoders give (thesis 11), so that `cirs_tf.generate` can draw new ones.
        kl_weight: Weight of the divergence of those Gaussians from the standard normal,
            in nats a value of the image; 2 s^2, where s is the standard deviation of
            the noise that images are thought to have.
        schedule: `joint` or `alternating`.
        segmenter_steps: Mini-batches a cycle for S.
        autoencoder_steps: Mini-batches a cycle for the autoencoders.
    """

    hidden: tuple[int, ...] = (512, 128)
    bottleneck: int = 32
    dropout: float = 0.4
    norm: str = "batch"
    error: str = "combined"
    remask_gradient: bool = False
    usage_weight: float = 0.0
    usage_floor: float = 0.03
    variational: bool = False
    kl_weight: float = 0.02
    schedule: str = "joint"
    segmenter_steps: int = 1
    autoencoder_steps: int = 1

    def __post_init__(self):
        _check_keys("air", self, _WIDTHS, "hidden")
        _check_keys("air", self, _at_least(1), "bottleneck")
        _check_keys("air", self, _RATE, "dropout")
        _check_choice("air.norm", self.norm, NORMALIZATIONS[:3])
        _check_choice("air.error", self.error, ("combined", "per_segment"))
        _check_keys("air", self, _WEIGHT, "usage_weight", "kl_weight")
        _check_keys("air", self, _SHARE, "usage_floor")
        _check_choice("air.schedule", self.schedule, SCHEDULES)
        _check_keys("air", self, _at_least(1), "segmenter_steps", "autoencoder_steps")


@dataclasses.dataclass(frozen=True)
class WnetConfig:
    """W-Net: a soft normalized cut, and a reconstruction from the segments.

    Attributes:
        radius: Pixels further apart are not compared by the cut; in pixels.
        sigma_intensity: Width of the cut's weight over intensities in [0, 1].
        sigma_position: Width of the cut's weight over positions, in pixels.
        reconstruction: `mse`, or `bce` (binary cross-entropy).
        schedule: `alternating` updates the encoder by the cut, then both networks by
            the reconstruction, a mini-batch each; `joint` minimizes their sum.
        xla: Whether the cut is compiled with XLA: quicker steps, a slower start.
    """

    radius: float = 5.0
    sigma_intensity: float = 10 / 255
    sigma_position: float = 4.0
    reconstruction: str = "mse"
    schedule: str = "alternating"
    xla: bool = True

    def __post_init__(self):
        _check_keys(
            "wnet", self, _POSITIVE, "radius", "sigma_intensity", "sigma_position"
        )
        _check_choice("wnet.reconstruction", self.reconstruction, ("mse", "bce"))
        _check_choice("wnet.schedule", self.schedule, SCHEDULES)


@dataclasses.dataclass(frozen=True)
class IicConfig:
    """Invariant information clustering for segmentation (Ji et al. 2019).

    Attributes:
        width: Channels of the first convolution; the paper's code has 64.
        over_clustering: Outputs of the over-clustering head, as a multiple of K.
        reach: Largest displacement between a pixel and its twin, in pixels.
        jitter: Strength of the change of colors, in [0, 1).
        flip: Whether twins may be mirrored.
    """

    width: int = 16
    over_clustering: int = 3
    reach: int = 1
    jitter: float = 0.2
    flip: bool = True

    def __post_init__(self):
        _check_keys("iic", self, _at_least(1), "width", "over_clustering")
        _check_keys("iic", self, _at_least(0), "reach")
        _check_keys("iic", self, _RATE, "jitter")


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig:
    """The bottleneck autoencoder of thesis 9.1: it clusters images, not pixels.

    Attributes:
        hidden: Hidden widths of the encoder; the decoder mirrors them.
        bottleneck: Length of the code, b.
        dropout: Rate after every hidden layer.
    """

    hidden: tuple[int, ...] = (256, 256, 256)
    bottleneck: int = 48
    dropout: float = 0.2

    def __post_init__(self):
        _check_keys("autoencoder", self, _WIDTHS, "hidden")
        _check_keys("autoencoder", self, _at_least(1), "bottleneck")
        _check_keys("autoencoder", self, _RATE, "dropout")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The trainer.

    Attributes:
        epochs: Number of epochs; validation and a checkpoint follow each.
        steps_per_epoch: Mini-batches an epoch; None: one pass over the data.
        batch_size: Images a mini-batch, over all replicas.
        learning_rate: Of Adam.
        decay_steps: Mini-batches over which the learning rate falls, as half a cosine,
            to a fiftieth, and stays there; None: it does not fall. Where networks take
            turns, each counts its own.
        strategy: `auto`, `one` device, `mirrored` or `multi_worker`.
        logical_cpus: Split the CPU into so many devices (for tests of `mirrored`).
        checkpoints_kept: The newest so many; the best ones are kept besides.
        log_every: Mini-batches between two lines in TensorBoard; also the most that
            one call of the compiled loop runs.
        validation_images: How many images of the validation split are used; None: all.
        validation_masks: Whether masks of the validation split are read, where it has
            some: for mIoU while training, and for the checkpoint `oracle`.
        selection: The checkpoint that `evaluate` and `export` take when not told:
            `loss` (label-free) or `oracle` (best by labels).
    """

    epochs: int = 10
    steps_per_epoch: int | None = None
    batch_size: int = 40
    learning_rate: float = 1e-3
    decay_steps: int | None = None
    strategy: str = "auto"
    logical_cpus: int = 1
    checkpoints_kept: int = 3
    log_every: int = 25
    validation_images: int | None = None
    validation_masks: bool = True
    selection: str = "loss"

    def __post_init__(self):
        counts = ("epochs", "logical_cpus", "checkpoints_kept", "log_every")
        limits = ("steps_per_epoch", "decay_steps", "validation_images")
        _check_keys("training", self, _at_least(1), *counts, *limits)
        # The objective compares images, so one image has nothing to say.
        _check(
            "training.batch_size", self.batch_size, self.batch_size >= 2, "2 or more"
        )
        _check_keys("training", self, _POSITIVE, "learning_rate")
        _check_choice("training.strategy", self.strategy, STRATEGIES)
        _check_choice("training.selection", self.selection, SELECTIONS)


@dataclasses.dataclass(frozen=True)
class Config:
    """One run, whole.

    Attributes:
        method: The system to train.
        segments: K, the number of segments.
        seed: Of weights, dropout and the order of the images.
        data: Folder of the data set; None: the default set, drawn into the cache.
        segmenter: S.
        feature_net: g.
        cirs: The CIRS objective and schedule.
        cirs_aligned: Poses, templates, and the start of CIRS with aligned segments.
        cirs_plus: The weights of CIRS with a reconstruction.
        cut_and_paste: The search for outlines that recur, and their compositions.
        air: The autoencoders of AIR and their schedule.
        wnet: The cut and the reconstruction of W-Net.
        iic: The network and the twins of IIC.
        autoencoder: The bottleneck autoencoder.
        training: The trainer.
    """

    method: str = "cirs"
    segments: int = 4
    seed: int = 0
    data: str | None = None
    segmenter: SegmenterConfig = dataclasses.field(default_factory=SegmenterConfig)
    feature_net: FeatureNetConfig = dataclasses.field(default_factory=FeatureNetConfig)
    cirs: CirsConfig = dataclasses.field(default_factory=CirsConfig)
    cirs_aligned: CirsAlignedConfig = dataclasses.field(
        default_factory=CirsAlignedConfig
    )
    cirs_plus: CirsPlusConfig = dataclasses.field(default_factory=CirsPlusConfig)
    cut_and_paste: CutAndPasteConfig = dataclasses.field(
        default_factory=CutAndPasteConfig
    )
    air: AirConfig = dataclasses.field(default_factory=AirConfig)
    wnet: WnetConfig = dataclasses.field(default_factory=WnetConfig)
    iic: IicConfig = dataclasses.field(default_factory=IicConfig)
    autoencoder: AutoencoderConfig = dataclasses.field(
        default_factory=AutoencoderConfig
    )
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)

    def __post_init__(self):
        _check_choice("method", self.method, METHODS)
        _check("segments", self.segments, 2 <= self.segments <= 255, "2 to 255")
        _check("seed", self.seed, 0 <= self.seed < 2**31, "0 to 2**31 - 1")


def flatten(config: Config) -> dict[str, Any]:
    """Return `{"segmenter.width": 16, ...}`, tuples as strings."""
    flat = {}

    def visit(prefix: str, value: Any) -> None:
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                visit(f"{prefix}{field.name}.", getattr(value, field.name))
        else:
            is_tuple = isinstance(value, tuple)
            flat[prefix[:-1]] = ",".join(map(str, value)) if is_tuple else value

    visit("", config)
    return flat
