"""What one worker of several reads of every global batch."""

from typing import NamedTuple


class Share(NamedTuple):
    """The part of every global batch that one worker reads.

    Attributes:
        worker: Its number among the workers, from 0.
        workers: How many there are.
        examples: Examples of a global batch that each of them reads.
    """

    worker: int
    workers: int
    examples: int
