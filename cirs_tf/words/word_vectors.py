"""Vectors of words, from what they appear beside."""

import numpy as np

_CONTEXT_POWER = 0.75
_TINY = 1e-12


def positive_pmi(counts: np.ndarray) -> np.ndarray:
    """Return the positive pointwise mutual information of words and their contexts.

        M[a, b] = max(0, log(P(a, b) / (P(a) Q(b)))),  Q(b) = P(b)^0.75 / sum P^0.75

    Args:
        counts: `[words, words]`, symmetric, not all 0.

    Returns:
        `[words, words]` float64; 0 for words that never appear.

    Reference: Levy and Goldberg 2014; Levy, Goldberg and Dagan 2015 for the power.
    """
    joint = counts / counts.sum()
    word = joint.sum(axis=1)
    context = word**_CONTEXT_POWER
    context /= context.sum()
    expected = np.outer(word, context)
    return np.maximum(np.log((joint + _TINY) / (expected + _TINY)), 0)


def word_vectors(counts: np.ndarray, dimensions: int) -> np.ndarray:
    """Embed words so that inner products are about their positive PMI.

        M ~ U S V^T,  E = U[:, :d] sqrt(S[:d]),  divided by the words' spread
        sqrt(mean_a |E_a - mean_b E_b|^2)

    Words that appear beside everything, such as those of a sky, end near 0; words that
    appear beside each other and little else in a direction of their own.

    Args:
        counts: `[words, words]`, from `count_cooccurrences`.
        dimensions: Length d of the vectors, at most the number of words.

    Returns:
        `[words, dimensions]` float64. The largest entry of each column is positive.
    """
    left, values, _ = np.linalg.svd(positive_pmi(counts))
    vectors = left[:, :dimensions] * np.sqrt(values[:dimensions])
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(dimensions)])
    spread = np.sqrt(np.square(vectors - vectors.mean(axis=0)).sum(axis=1).mean())
    return vectors / max(spread, _TINY)
