import numpy as np

from misread.types import FloatArray, LabelArray


def self_confidence(p: FloatArray, y: LabelArray) -> FloatArray:
    return 1 - p[np.arange(len(y)), y]


def normalized_margin(p: FloatArray, y: LabelArray) -> FloatArray:
    q = p.copy()
    g = p[np.arange(len(y)), y]
    q[np.arange(len(y)), y] = -1
    return ((1 - (g - q.max(1))) / 2).astype(np.float32)


def entropy(p: FloatArray) -> FloatArray:
    return -(p * np.log(np.maximum(p, 1e-30))).sum(-1)


def expected_entropy(ps: FloatArray) -> FloatArray:
    return entropy(ps).mean(0)


def mutual_information(ps: FloatArray) -> FloatArray:
    return np.maximum(0, entropy(ps.mean(0)) - entropy(ps).mean(0))


def contradiction_share(ps: FloatArray, y: LabelArray) -> FloatArray:
    return (ps.argmax(2) != y).mean(0).astype(np.float32)
