"""Every setting of every method: its range, at the edge and beyond it."""

import re

import pytest

from cirs_tf.config.sections import Config, SegmenterConfig
from cirs_tf.config.settings import describe
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS, load_config

# (method, key, value out of range, value at the edge, what the message expects)
CHECKS = [
    ("thesis/cirs_balanced", "segments", "1", "2", "2 to 255"),
    ("thesis/cirs_balanced", "segments", "256", "255", "2 to 255"),
    ("thesis/cirs_balanced", "seed", "-1", "0", "0 to 2"),
    ("thesis/cirs_balanced", "seed", "2147483648", "2147483647", "0 to 2"),
    ("thesis/cirs_balanced", "segmenter.width", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "segmenter.depth", "0", "1", "1 to 6"),
    ("thesis/cirs_balanced", "segmenter.depth", "7", "6", "1 to 6"),
    ("thesis/cirs_balanced", "segmenter.norm", "group", "none", "none, batch, layer"),
    ("thesis/cirs_balanced", "segmenter.dropout", "1", "0.99", "\\[0, 1\\)"),
    ("thesis/cirs_balanced", "segmenter.dropout", "-0.1", "0", "\\[0, 1\\)"),
    ("cirs", "segmenter.logit_scale", "0", "null", "> 0"),
    ("cirs", "segmenter.dropout_of", "pixels", "elements", "channels, elements"),
    ("fixed_camera", "segments", "1", "2", "2 to 255"),
    (
        "fixed_camera",
        "fixed_camera.segmenter",
        "unet",
        "difference",
        "frame, ",
    ),
    ("fixed_camera", "fixed_camera.images", "0", "1", "at least 1"),
    ("fixed_camera", "fixed_camera.threshold", "0", "null", "\\(0, 1\\)"),
    ("fixed_camera", "fixed_camera.cleaning", "2", "1", "an odd number"),
    ("fixed_camera", "fixed_camera.brightness", "1", "0", "\\[0, 1\\)"),
    ("fixed_camera", "fixed_camera.color", "1", "0", "\\[0, 1\\)"),
    ("threshold", "segments", "3", "2", "2"),
    ("threshold", "threshold.smoothing", "0", "0.1", "> 0"),
    ("threshold", "threshold.background", "1", "0", "\\[0, 1\\)"),
    ("deep_clustering", "deep_clustering.layers", "[]", "[b0]", "one name or more"),
    ("deep_clustering", "deep_clustering.components", "0", "1", "at least 1"),
    ("deep_clustering", "deep_clustering.stride", "0", "1", "1 to 32"),
    ("deep_clustering", "deep_clustering.stride", "33", "32", "1 to 32"),
    ("deep_clustering", "deep_clustering.clusterings", "0", "1", "at least 1"),
    ("deep_clustering", "deep_clustering.clusters", "1", "2", "at least 2"),
    ("deep_clustering", "deep_clustering.images", "0", "1", "at least 1"),
    ("deep_clustering", "deep_clustering.places", "1", "2", "at least 2"),
    ("deep_clustering", "deep_clustering.edge_radius", "-1", "0", "at least 0"),
    ("deep_clustering", "deep_clustering.edge_epsilon", "0", "1e-9", "> 0"),
    ("wnet", "wnet.reconstruction_weight", "-1", "0", "at least 0"),
    ("air", "air.target", "colors", "words", "image, words"),
    ("air", "air.gumbel_scale", "-1", "0", "at least 0"),
    ("air", "air.gumbel_steps", "0", "null", "at least 1"),
    ("air", "air.heads", "17", "2", "1 to 16"),
    ("cirs", "words.images", "0", "1", "at least 1"),
    ("cirs", "words.count", "1", "2", "at least 2"),
    ("cirs", "words.radius", "0", "1", "at least 1"),
    ("cirs", "words.dimensions", "0", "null", "at least 1"),
    ("cirs", "words.smoothing", "-1", "0", "at least 0"),
    ("cirs", "words.centering", "1.1", "0", "0 to 1"),
    ("cirs", "words.pooling_power", "-0.1", "1", "0 to 1"),
    ("cirs", "words.softness", "-1", "0", "at least 0"),
    ("cirs", "words.hidden", "[0]", "[1]", "at least 1"),
    ("cirs", "cirs.between", "cosine", "log_det", "squared, pairwise, log_det"),
    ("cirs", "cirs.heads", "0", "16", "1 to 16"),
    ("cirs", "cirs.gumbel_scale", "-1", "0", "at least 0"),
    ("cirs", "cirs.gumbel_steps", "0", "null", "at least 1"),
    (
        "thesis/cirs_balanced",
        "segmenter.upsampling",
        "no",
        "bilinear",
        "transposed, bil",
    ),
    ("thesis/cirs_balanced", "feature_net.kind", "rnn", "conv", "dense, conv, words"),
    ("thesis/cirs_balanced", "feature_net.hidden", "[8,0]", "[]", "at least 1"),
    ("thesis/cirs_balanced", "feature_net.features", "0", "1", "at least 1"),
    (
        "thesis/cirs_balanced",
        "feature_net.norm",
        "group",
        "current_batch",
        "none, batch, layer, current_batch",
    ),
    ("thesis/cirs_balanced", "feature_net.dropout", "1", "0", "\\[0, 1\\)"),
    (
        "thesis/cirs_balanced",
        "feature_net.segment_number",
        "on",
        "one_hot",
        "off, scalar, one_hot",
    ),
    (
        "thesis/cirs_balanced",
        "feature_net.output",
        "tanh",
        "l2",
        "none, l2, batch_norm",
    ),
    ("thesis/cirs_balanced", "cirs.alpha_1", "-1", "0", "at least 0"),
    ("thesis/cirs_balanced", "cirs.alpha_1", ".nan", "0.5", "at least 0"),
    ("thesis/cirs_balanced", "cirs.alpha_1", ".inf", "1e9", "finite"),
    ("thesis/cirs_balanced", "training.learning_rate", ".inf", "1", "finite"),
    ("thesis/cirs_balanced", "cirs.alpha_2", "-0.1", "0", "at least 0"),
    (
        "thesis/cirs_balanced",
        "cirs.schedule",
        "random",
        "alternating",
        "joint, alternating",
    ),
    ("thesis/cirs_balanced", "cirs.segmenter_steps", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "cirs.feature_net_steps", "0", "1", "at least 1"),
    (
        "thesis/cirs_balanced",
        "cirs.augmentation",
        "crop",
        "shift_flip_rotate",
        "none, flip, shift_fl",
    ),
    ("air", "air.augmentation", "crop", "shift_flip_rotate", "none, flip, shift_fl"),
    ("thesis/cirs_balanced", "cirs.usage_weight", "-1", "0.5", "at least 0"),
    ("thesis/cirs_balanced", "cirs.usage_floor", "0", "0.1", "\\(0, 1\\)"),
    (
        "thesis/cirs_balanced",
        "cirs.usage_of",
        "pixels",
        "masks",
        "probabilities, masks",
    ),
    ("thesis/cirs_balanced", "cirs.feature_learning_rate", "0", "1e-4", "> 0"),
    ("thesis/cirs_balanced", "cirs.reset_every", "-1", "1", "at least 0"),
    (
        "thesis/cirs_balanced",
        "pretraining.pseudo_labels",
        "random",
        "components",
        "none, components, colors",
    ),
    ("thesis/cirs_balanced", "pretraining.steps", "-1", "0", "at least 0"),
    (
        "thesis/cirs_balanced",
        "cirs.feature_net_pretraining_steps",
        "-1",
        "1",
        "at least 0",
    ),
    (
        "thesis/cirs_balanced",
        "feature_net.input",
        "mask",
        "pooled",
        "image, pooled, area_norm",
    ),
    ("thesis/cirs_balanced", "feature_net.cells", "0", "1", "at least 1"),
    ("air", "air.hidden", "[8,0]", "[]", "at least 1"),
    ("air", "air.bottleneck", "0", "1", "at least 1"),
    ("air", "air.dropout", "1", "0", "\\[0, 1\\)"),
    ("air", "air.norm", "group", "layer", "none, batch, layer"),
    ("air", "air.error", "each", "per_segment", "combined, per_segment"),
    ("air", "air.usage_weight", "-1", "0.5", "at least 0"),
    ("air", "air.usage_floor", "0", "0.1", "\\(0, 1\\)"),
    ("air", "air.kl_weight", "-1", "0", "at least 0"),
    ("air", "air.kl_weight", ".inf", "1e9", "finite"),
    ("air", "air.kl_weight", ".nan", "0.5", "at least 0"),
    ("air", "air.schedule", "random", "alternating", "joint, alternating"),
    ("air", "air.segmenter_steps", "0", "1", "at least 1"),
    ("air", "air.autoencoder_steps", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "segmenter.convolution", "1d", "depthwise_first", "plain"),
    (
        "thesis/cirs_balanced",
        "feature_net.norm",
        "instance",
        "none",
        "none, batch, layer",
    ),
    ("wnet", "wnet.radius", "0", "1.5", "> 0"),
    ("wnet", "wnet.sigma_intensity", "0", "3", "> 0"),
    ("wnet", "wnet.sigma_position", ".inf", "1", "finite"),
    ("thesis/wnet", "wnet.reconstruction", "l1", "mse", "mse, bce"),
    ("wnet", "wnet.color_space", "hsv", "rgb", "rgb, lab"),
    ("wnet", "wnet.heads", "17", "1", "1 to 16"),
    ("wnet", "wnet.gumbel_scale", "-1", "0", "at least 0"),
    ("wnet", "wnet.gumbel_steps", "0", "null", "at least 1"),
    ("wnet", "wnet.schedule", "random", "joint", "joint, alternating"),
    ("iic", "iic.width", "0", "1", "at least 1"),
    ("iic", "iic.over_clustering", "0", "1", "at least 1"),
    ("iic", "iic.reach", "-1", "0", "at least 0"),
    ("iic", "iic.jitter", "1", "0", "\\[0, 1\\)"),
    ("cirs_aligned", "cirs_aligned.background", "sky", "surroundings", "static, surr"),
    ("cirs_aligned", "cirs_aligned.canvas", "1", "0.99", "\\(0, 1\\)"),
    ("cirs_aligned", "cirs_aligned.usage_floor", "0", "0.1", "\\(0, 1\\)"),
    ("cirs_aligned", "cirs_aligned.out_of_support_cost", "0", "1", "> 0"),
    ("cirs_aligned", "background.threshold", "0", "1", "> 0"),
    ("cirs_aligned", "cirs_aligned.template_freeze_steps", "-1", "0", "at least 0"),
    ("cirs_aligned", "pretraining.learning_rate", "0", "1", "> 0"),
    ("cirs_aligned", "cirs_aligned.pseudo_label_weight", "-1", "0", "at least 0"),
    ("cut_and_paste", "cut_and_paste.canvas", "1", "0.5", "\\(0, 1\\)"),
    ("cut_and_paste", "background.threshold", "0", "1", "> 0"),
    ("cut_and_paste", "cut_and_paste.patches_per_class", "0", "1", "at least 1"),
    ("cut_and_paste", "cut_and_paste.source_images", "1", "2", "at least 2"),
    ("cirs_plus", "cirs_plus.cirs_weight", "-1", "0", "at least 0"),
    ("cirs_plus", "cirs_plus.pseudo_label_weight", "-1", "0", "at least 0"),
    ("cirs_plus", "cirs_plus.usage_weight", "-1", "0", "at least 0"),
    ("cirs_plus", "cirs_plus.usage_floor", "1", "0.1", "\\(0, 1\\)"),
    ("cirs_aligned", "cirs_aligned.occlusion_penalty", "-1", "0", "at least 0"),
    ("cirs_aligned", "cirs_aligned.outline_weight", "-1", "0", "at least 0"),
    ("cirs_aligned", "cirs_aligned.pose_weight", "-1", "0", "at least 0"),
    ("cirs_aligned", "cirs_aligned.usage_weight", "-1", "0", "at least 0"),
    ("cirs_aligned", "pretraining.images", "1", "2", "at least 2"),
    ("cirs_aligned", "pretraining.steps", "-1", "0", "at least 0"),
    ("cirs_aligned", "cirs_aligned.pose_pretraining_steps", "-1", "0", "at least"),
    ("thesis/cirs_balanced", "training.decay_steps", "0", "1", "at least 1"),
    ("autoencoder", "autoencoder.hidden", "[0]", "[1]", "at least 1"),
    ("autoencoder", "autoencoder.bottleneck", "0", "1", "at least 1"),
    ("autoencoder", "autoencoder.dropout", "1", "0", "\\[0, 1\\)"),
    ("thesis/cirs_balanced", "training.epochs", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "training.steps_per_epoch", "0", "null", "at least 1"),
    ("thesis/cirs_balanced", "training.batch_size", "1", "2", "at least 2"),
    ("thesis/cirs_balanced", "training.learning_rate", "0", "1e-9", "> 0"),
    (
        "thesis/cirs_balanced",
        "training.strategy",
        "tpu",
        "multi_worker",
        "auto, single, mirr",
    ),
    ("thesis/cirs_balanced", "training.logical_cpus", "0", "2", "at least 1"),
    ("thesis/cirs_balanced", "training.checkpoints_kept", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "training.log_every", "0", "1", "at least 1"),
    ("thesis/cirs_balanced", "training.validation_images", "0", "1", "at least 1"),
    ("cirs", "training.precision", "float16", "bfloat16", "float32, bfloat16"),
    ("thesis/cirs_balanced", "training.cache", "disk", "records", "auto, memory, rec"),
    ("thesis/cirs_balanced", "training.cache_mb", "-1", "0", "at least 0"),
    ("thesis/cirs_balanced", "training.selection", "test", "oracle", "loss, oracle"),
    ("cirs_plus", "cirs_plus.alpha_1", "-1", "0", "at least 0"),
    ("cirs_plus", "cirs_plus.alpha_2", "-1", "0", "at least 0"),
    ("cirs_plus", "cirs_plus.hidden", "[0]", "[]", "at least 1"),
    ("cirs_plus", "cirs_plus.bottleneck", "0", "1", "at least 1"),
    ("cirs_plus", "cirs_plus.dropout", "1", "0.5", "\\[0, 1\\)"),
    ("cirs_plus", "cirs_plus.norm", "group", "layer", "none, batch, layer"),
    ("thesis/cirs_balanced", "training.checkpoint_minutes", "0", "0.1", "> 0"),
]
# A folder, a name, and switches of two or three positions.
NO_RANGE = {
    "method",
    "data",
    "segmenter.relu_logits",
    "cirs.freeze_feature_net",
    "feature_net.per_segment",
    "deep_clustering.backbone",
    "deep_clustering.weights",
    "pretraining.segmenter",
    "cut_and_paste.overlap",
    "air.remask_gradient",
    "air.variational",
    "wnet.flip",
    "wnet.hard_segments",
    "cirs.xla",
    "cirs_aligned.xla",
    "wnet.xla",
    "iic.flip",
    "training.deterministic",
    "training.validation_masks",
}


@pytest.mark.parametrize(("method", "key", "bad", "good", "expected"), CHECKS)
def test_range_of_a_setting(method, key, bad, good, expected):
    with pytest.raises(ConfigError) as caught:
        load_config(method, [f"{key}={bad}"])
    message = str(caught.value)
    assert re.search(rf"^{re.escape(key)}: expected .*{expected}.*, got ", message)
    load_config(method, [f"{key}={good}"])


def test_every_setting_has_a_range_that_is_checked_here_or_needs_none():
    checked = {key for _, key, *_ in CHECKS}
    for name, entry in METHODS.items():
        keys = {setting.key for setting in describe(entry.config_class())}
        assert keys - checked <= NO_RANGE, name


def test_every_setting_says_what_it_means():
    for entry in METHODS.values():
        for setting in describe(entry.config_class()):
            assert setting.meaning.endswith("."), setting.key
            assert not setting.meaning.startswith("Of "), setting.key


def test_checks_hold_outside_files_too():
    with pytest.raises(
        ConfigError, match="segmenter.width: expected at least 1, got 0"
    ):
        SegmenterConfig(width=0)


def test_the_base_has_what_every_method_has():
    for entry in METHODS.values():
        assert isinstance(entry.config_class(), Config)
