"""Keras layers and custom gradients; importing this package registers all layers.

Keras finds a layer of a `.keras` file by its registered name, such as
`cirs_tf>SegmentMasks`, never by importing the module that the file names.
"""

from cirs_tf.layers.argmax_in_place import ArgmaxInPlace, argmax_in_place
from cirs_tf.layers.background_difference import BackgroundDifference
from cirs_tf.layers.batch_norm import BatchNormalization
from cirs_tf.layers.best_head import BestHead
from cirs_tf.layers.center_votes import CenterVotes
from cirs_tf.layers.current_batch_norm import CurrentBatchNormalization
from cirs_tf.layers.cut_out_bank import CutOutBank
from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.gaussian_code import GaussianCode
from cirs_tf.layers.guided_filter import GuidedFilter
from cirs_tf.layers.otsu_masks import OtsuMasks
from cirs_tf.layers.padding import CropToSize, PadToMultiple
from cirs_tf.layers.patch_maps import PatchMaps
from cirs_tf.layers.resize_like import ResizeLike
from cirs_tf.layers.rgb_to_lab import rgb_to_lab
from cirs_tf.layers.segment_conv import SegmentConv2D
from cirs_tf.layers.segment_dense import SegmentDense
from cirs_tf.layers.segment_masks import SegmentMasks, masked_images
from cirs_tf.layers.segment_pooling import SegmentPooling
from cirs_tf.layers.templates import Templates
from cirs_tf.layers.upsampling import BilinearUpsampling
from cirs_tf.layers.word_embedding import WordEmbedding

__all__ = [
    "ArgmaxInPlace",
    "BackgroundDifference",
    "BatchNormalization",
    "BestHead",
    "BilinearUpsampling",
    "CenterVotes",
    "CropToSize",
    "CurrentBatchNormalization",
    "CutOutBank",
    "GaussianCode",
    "GuidedFilter",
    "OtsuMasks",
    "PadToMultiple",
    "PatchMaps",
    "ReplicaDropout",
    "ResizeLike",
    "SegmentConv2D",
    "SegmentDense",
    "SegmentMasks",
    "SegmentPooling",
    "Templates",
    "WordEmbedding",
    "argmax_in_place",
    "masked_images",
    "rgb_to_lab",
]
