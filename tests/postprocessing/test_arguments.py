"""Options of postprocessing."""

import argparse

import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.postprocessing.arguments import add_postprocessing, postprocessing_of


def parsed(*argv):
    parser = argparse.ArgumentParser()
    add_postprocessing(parser)
    return postprocessing_of(parser.parse_args(argv))


def test_nothing_is_done_unless_asked_for():
    assert parsed() == (False, 0)
    assert parsed("--min-region-size", "7") == (False, 7)


def test_a_negative_size_is_refused():
    with pytest.raises(ConfigError, match="--min-region-size: expected at least 0"):
        parsed("--min-region-size", "-1")
