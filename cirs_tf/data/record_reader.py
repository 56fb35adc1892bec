"""Reads records for tf.data, and says afterwards which of them a pipeline failed at."""

import collections
import re
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from cirs_tf.data.record_index import RecordIndex
from cirs_tf.errors import DataError


class RecordReader:
    """Reads the records of an index, and remembers the last ones in case of an error.

    Args:
        index: Where they are.
    """

    def __init__(self, index: RecordIndex):
        self.index = index
        self._failure: DataError | None = None
        # Batches read ahead are fewer than this.
        self._recent: collections.deque = collections.deque(maxlen=64)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the content of records, `[rows]` of bytes.

        Args:
            rows: `[rows]` integers.

        Raises:
            DataError: One is damaged.
        """
        self._recent.append(rows)
        try:
            return np.array(self.index.read(rows), object)
        except DataError as error:
            self._failure = error
            raise

    def explained(self, decode: Callable[[tf.Tensor], object]) -> DataError | None:
        """Return what is wrong with a record that was read last, None: nothing.

        Args:
            decode: What is done with the content of a record.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            return failure
        recent = list(self._recent)  # reading ahead goes on
        for row in dict.fromkeys(int(row) for rows in recent for row in rows):
            try:
                decode(tf.constant(self.index.read([row])[0]))
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                return DataError(f"{self.index.place(row)}: {_reason(error)}")
            except DataError as error:
                return error
        return None


def _reason(error: Exception) -> str:
    """Return what TensorFlow says, without place and operation, in one line."""
    prefix = re.compile(r"^(in user code:.*?)?\{\{.*?\}\}", re.DOTALL)
    text = " ".join(prefix.sub("", str(error)).split())
    return text.split(" Condition x ")[0][:200]  # an assertion's, after its message
