"""Segments of which it depends on the image whether their small region is one."""

import math

import numpy as np

HALVES = np.repeat([[0, 0, 0, 0, 1, 1, 1, 1]], 8, axis=0)
BLOB = HALVES.copy()
BLOB[2, :3] = 2  # the left half has 29 pixels left

# Three images of one segmentation, whose blob has the right half's number. The five
# annotators of the first image drew the halves alone, those of the others the blob too.
LABELS = np.stack([np.where(BLOB == 2, 1, BLOB)] * 3).astype(np.uint8)
ANNOTATIONS = [[HALVES] * 5, [BLOB], [BLOB]]

# Covering of the halves by the halves with the blob: 29 of 32 pixels are the best part
# of the left half. And of these by the halves alone: the left half covers 29 pixels by
# 29/32, and the 3 of the blob by 3/32.
HALF_SPLIT = (32 * 29 / 32 + 32) / 64
BLOB_LOST = (29 * 29 / 32 + 3 * 3 / 32 + 32) / 64
# Between the two: share of pixel pairs that only one joins, and the bits that say in
# which part of the left half a pixel lies.
SPLIT_PAIRS = 29 * 3 / (64 * 63 / 2)
BITS = (29 * math.log2(32 / 29) + 3 * math.log2(32 / 3)) / 64
