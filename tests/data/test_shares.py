"""Workers read their parts of the global batches, and nothing else."""

import itertools

import numpy as np
import pytest

from cirs_tf.data.batches import sampled_dataset, training_dataset
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.data.share import Share

NUMBERS = np.arange(10, dtype=np.uint8)
STEPS, FIRST_STEP = 4, 2


class WatchedSplit(LoadedSplit):
    """Images whose pixels are their number; keeps the numbers of what is asked for."""

    def gathered(self, indices, batch_size):
        # A global batch of each worker's 3 examples: only these are ever read.
        asked.extend(itertools.islice(indices.as_numpy_iterator(), STEPS * 3))
        return super().gathered(indices, batch_size)


asked: list[int] = []
SPLIT = WatchedSplit(
    np.broadcast_to(NUMBERS[:, None, None, None], (10, 1, 1, 3)), NUMBERS, ("",) * 10
)


def drawn(split, seed, *arguments):
    return sampled_dataset(split, 6 * (STEPS + FIRST_STEP), seed, *arguments)


def numbers_of(dataset, count):
    batches = list(itertools.islice(dataset, count))
    for batch in batches:
        np.testing.assert_array_equal(
            np.round(255 * batch["image"][:, 0, 0, 0]), batch["mask"]
        )
    return np.stack([batch["mask"] for batch in batches])


@pytest.mark.parametrize("dataset", [training_dataset, drawn])
@pytest.mark.parametrize("replicas", [1, 3])
def test_workers_make_the_global_batches_together(dataset, replicas):
    """Two workers, `replicas` each, over ends of epochs: 6 examples a step of 10."""
    whole = numbers_of(dataset(SPLIT, 5, 6, FIRST_STEP), STEPS)
    for worker in (0, 1):
        asked.clear()
        skipped = FIRST_STEP * 2 * replicas
        share = Share(worker, 2, 3)
        part = dataset(SPLIT, 5, 3 // replicas, skipped, share)
        own = numbers_of(part, STEPS * replicas).reshape(STEPS, 3)
        np.testing.assert_array_equal(own, whole[:, 3 * worker : 3 * worker + 3])
        assert asked == own.ravel().tolist()
