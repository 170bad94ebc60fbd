"""Random numbers of the synthetic market by name: equal seed and key, equal bits, everywhere.

NumPy keeps the raw words of Philox and SeedSequence for ever (NEP 19), its distributions not.
So the words are turned into numbers here, with exact integer sums and one exact division.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normals(count: int, seed: int, *key: str) -> Floats:
    """`count` standard normal numbers, as sums of twelve uniform ones (none beyond 6).

    A longer draw begins with the shorter one.

    >>> normals(3, 7, "SPY").round(3).tolist() == normals(9, 7, "SPY")[:3].round(3).tolist()
    True
    """
    shorts = _words(3 * count, seed, *key).view(np.uint16).reshape(count, 12)
    # Twelve numbers of variance (2**32 - 1) / 12: their sum has the deviation 2**16.
    sums: Floats = (shorts.sum(axis=1, dtype=np.int64) - 6 * 0xFFFF) / 2.0**16
    return sums


def uniforms(count: int, seed: int, *key: str) -> Floats:
    """`count` numbers that are uniform in [0, 1)."""
    return (_words(count, seed, *key) >> np.uint64(11)) / 2.0**53


def _words(count: int, seed: int, *key: str) -> npt.NDArray[np.uint64]:
    entropy = [seed, *(int.from_bytes(part.encode(), "big") for part in key)]
    return np.random.Philox(np.random.SeedSequence(entropy)).random_raw(count)
