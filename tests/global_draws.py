"""Random draws of the global batch, of which every replica takes its share.

So replicas draw what one device draws, and both can be compared with all random parts
at work. Production code draws anew on every replica instead.
"""

import functools
import sys

import tensorflow as tf

from cirs_tf.layers.replica_random import replica_seed

_UNIFORM = tf.random.stateless_uniform
_NORMAL = tf.random.stateless_normal


def _same_seed(asked, module, seed, step):
    """Do what `replica_seed` does on the first replica; note which module asks."""
    asked.add(module)
    pair = tf.stack([tf.constant(seed, tf.int32), tf.cast(step, tf.int32)])
    return tf.random.experimental.stateless_fold_in(pair, 0)


def _share(draw, shape, *args, **kwargs):
    """Draw for the global batch, whose size is the first that is no Python number."""
    axis = 0
    if not tf.is_tensor(shape):
        sizes = [axis for axis, size in enumerate(shape) if tf.is_tensor(size)]
        if not sizes:  # weights, not examples
            return draw(shape, *args, **kwargs)
        axis = sizes[0]
    context = tf.distribute.get_replica_context()
    shape = tf.unstack(tf.convert_to_tensor(shape))
    count = shape[axis]
    shape[axis] = count * context.num_replicas_in_sync
    drawn = draw(tf.stack(shape), *args, **kwargs)
    first = tf.cast(context.replica_id_in_sync_group, tf.int32) * count
    return tf.gather(drawn, tf.range(first, first + count), axis=axis)


def _uniform(shape, *args, **kwargs):
    return _share(_UNIFORM, shape, *args, **kwargs)


def _normal(shape, *args, **kwargs):
    return _share(_NORMAL, shape, *args, **kwargs)


def _dropout(inputs, rate, seed, noise_shape):
    kept = _uniform(noise_shape, seed, dtype=inputs.dtype) >= rate
    return tf.where(kept, inputs / (1 - rate), tf.zeros_like(inputs))


def patch(monkeypatch):
    """Replace the draws until the test is over.

    Returns:
        A set that gets the names of the modules that ask for a replica's seed, without
        their package: a module that draws and is not there draws the same on every
        replica in production.
    """
    asked = set()
    monkeypatch.setattr(tf.random, "stateless_uniform", _uniform)
    monkeypatch.setattr(tf.random, "stateless_normal", _normal)
    monkeypatch.setattr(tf.nn.experimental, "stateless_dropout", _dropout)
    for name, module in list(sys.modules.items()):
        if name.startswith("cirs_tf.") and hasattr(module, "replica_seed"):
            assert module.replica_seed is replica_seed
            seed_of = functools.partial(_same_seed, asked, name.rpartition(".")[2])
            monkeypatch.setattr(module, "replica_seed", seed_of)
    return asked
