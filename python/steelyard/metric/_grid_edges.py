"""Neighbours of pixels and voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._spelling import shown
from .._validate import check_count, check_room

Ends = npt.NDArray[np.int32]


def grid_edges(shape: Sequence[int]) -> tuple[Ends, Ends]:
    """Pairs of neighbouring pixels or voxels, for `cluster_edges`.

    Parameters
    ----------
    shape : sequence of int
        Of an image, a volume, or an array of any number of dimensions.

    Returns
    -------
    u, v : ndarray of int32, shape (m,)
        Places in the flattened array (C order), u < v: first all neighbours along the first axis, then along
        the second, and so on.

    Raises
    ------
    ValueError
        If a length is less than 1, or there are more than 2^31 - 1 places.

    Examples
    --------
    Two pixels above two others:

    >>> u, v = grid_edges((2, 2))
    >>> list(zip(u.tolist(), v.tolist()))
    [(0, 2), (1, 3), (0, 1), (2, 3)]
    """
    if not np.iterable(shape):
        raise TypeError(f"shape must be a sequence of lengths, got {shown(shape)}")
    lengths = [check_count(length, "shape") for length in shape]
    total = 1
    for length in lengths:
        total *= length
    if total > np.iinfo(np.int32).max:
        raise ValueError(f"shape must have less than 2**31 places, got {total}")
    check_room(total, "shape", len(lengths))
    place = np.arange(total, dtype=np.int32).reshape(lengths)
    ends = [
        (np.delete(place, -1, axis=k).ravel(), np.delete(place, 0, axis=k).ravel()) for k in range(place.ndim)
    ]
    if not ends:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    return np.concatenate([u for u, _ in ends]), np.concatenate([v for _, v in ends])
