"""What one worker of several makes of every global batch."""

from typing import NamedTuple


class Share(NamedTuple):
    """The part of every global batch that one worker makes.

    Attributes:
        worker: Its number among the workers, from 0.
        workers: How many there are.
        examples: Of one global batch, for each of them.
    """

    worker: int
    workers: int
    examples: int
