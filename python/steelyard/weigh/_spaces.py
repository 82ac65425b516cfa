"""What arrives as X and metric, as a finite metric space that the kernels read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._spelling import argument, shown
from .._validate import check_positive, check_threads, real_array

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

METRICS = (
    "euclidean",
    "cityblock",
    "chebyshev",
    "minkowski(p)",
    "cosine",
    "angular",
    "hamming",
    "jaccard",
    "precomputed",
)
_VECTOR_METRICS = ("euclidean", "cityblock", "chebyshev", "minkowski")
NARROW = 0.8  # radius of directions about their middle up to which that is taken off
FAR_FROM = {1: 3000, 2: 3000, 3: 15_000}  # points, by dimension, from which a far field is the quickest
_MANY = 10_000  # rows from which on one column is looked at first
_SAME = 1e-30  # what parts of 106 bits may differ by rounding


@dataclass(frozen=True, eq=False)
class Space:
    """n points, of which `n_unique` differ.

    Distances here are `unit` times those of the kernels, whose coordinates are centred and at most 1. For
    cosine and angular they are those of rows of length 1, less a `pole` among them, so that differences in a
    narrow cone keep their digits.
    """

    metric: str
    power: float
    unit: float
    n: int
    points: Array | None  # of the points that differ
    distances: Array | None  # likewise; precomputed
    first: Index  # of each point that differs, its first row in X
    group: Index  # of each row in X, its point
    symmetric: bool
    centre: Array | None = None
    codes: tuple[npt.NDArray[Any], ...] = ()
    pole: Array | None = None  # of cosine and angular: what was taken from the rows of length 1
    low: Array | None = None  # points + low are the points to 106 bits
    blurred: int = 0  # rows that count as copies since float64 holds no more of their difference

    @property
    def n_unique(self) -> int:
        return len(self.first)

    @property
    def merged(self) -> int:
        """Rows that repeat another."""
        return self.n - self.n_unique

    @property
    def dimension(self) -> int | None:
        return None if self.points is None else self.points.shape[1]

    @property
    def on_a_line(self) -> bool:
        return self.points is not None and self.points.shape[1] == 1 and self.metric in _VECTOR_METRICS

    @cached_property
    def grid(self) -> tuple[Array, ...] | None:
        """The values of each feature, where points are all combinations and distances add up over them."""
        if self.points is None or self.metric not in ("cityblock", "hamming"):
            return None
        values: list[Array] = []
        left = self.n_unique
        for column in self.points.T:
            values.append(np.unique(column))
            left, rest = divmod(left, len(values[-1]))
            if rest or not left:
                return None
        return tuple(values) if left == 1 else None

    @property
    def positive_definite(self) -> bool:
        """Whether theory makes every Z positive definite: distances of negative type."""
        if self.on_a_line:
            return True
        if self.metric == "minkowski":
            return self.power <= 2
        return self.metric in ("euclidean", "cityblock", "cosine", "angular", "hamming", "jaccard")

    @cached_property
    def core(self) -> Any:
        """The kernels' view; keeps packed copies of the points, O(n d)."""
        if self.points is not None:
            return _core.weigh._point_space(self.points, self.metric, self.power)
        assert self.distances is not None
        return _core.weigh._matrix_space(self.distances)

    @property
    def has_far(self) -> bool:
        """Whether products by a far field can be had, and pay."""
        if self.points is None or self.metric != "euclidean":
            return False
        return self.n_unique > FAR_FROM.get(self.points.shape[1], math.inf)

    @cached_property
    def far(self) -> Any:
        """The kernels' view with products by a far field: euclidean, up to 3 features."""
        assert self.points is not None
        return _core.weigh._far_space(self.points, check_threads(None))

    def far_by_all_pairs(self) -> Any:
        """The same, but what a residual is judged by goes over all pairs in float64."""
        assert self.points is not None
        return _core.weigh._far_space(self.points, check_threads(None), by_all_pairs=True)

    @property
    def quick(self) -> Any:
        """What makes products soonest; by a far field they are within about 1e-8 of the largest."""
        return self.far if self.has_far else self.core

    def nearest(self, threads: int) -> float:
        """Smallest distance of two points that differ, in the kernels' unit; found once, O(n^2 d) at most."""
        if "_nearest" not in self.__dict__:
            self.__dict__["_nearest"] = _core.weigh._smallest_distance(self.quick, threads)
        return float(self.__dict__["_nearest"])

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("core", "far")}

    def spread_out(self, weights: Array) -> Array:
        """Weights of the points that differ, shared evenly by their copies."""
        if not self.merged:
            return weights
        return np.asarray((weights / np.bincount(self.group, minlength=self.n_unique))[self.group])

    def vectors(self) -> Array | None:
        """The rows of X, to rounding; None where X was not used as it stands."""
        if self.points is None or self.centre is None:
            return None
        return np.asarray((self.points * self.unit + self.centre)[self.group])

    def subset(self, index: Index) -> Space:
        """Some of the points that differ, as a space of their own."""
        return replace(
            self,
            n=len(index),
            points=None if self.points is None else np.ascontiguousarray(self.points[index]),
            distances=None
            if self.distances is None
            else np.ascontiguousarray(self.distances[np.ix_(index, index)]),
            first=np.arange(len(index)),
            group=np.arange(len(index)),
            low=None if self.low is None else np.ascontiguousarray(self.low[index]),
        )

    def cross(self, Y: Any, *, name: str = "X", n_threads: int | None = None) -> Array:
        """Distances (len(Y), n_unique) from other points, given as X was; not for precomputed distances."""
        if self.points is None:
            raise ValueError(f"{name} can't be compared with precomputed distances; give points")
        array = _check_array(Y, name)
        if array.shape[1] != self.points.shape[1]:
            raise ValueError(f"{name} must have {self.points.shape[1]} features, got {array.shape[1]}")
        return self.unit * self.between(self._prepare(array, name), n_threads=n_threads)

    def between(self, prepared: Array, *, n_threads: int | None = None) -> Array:
        assert self.points is not None
        return np.asarray(
            _core.weigh._cross_distances(
                prepared, self.points, self.metric, self.power, check_threads(n_threads)
            )
        )

    def _prepare(self, array: Array, name: str) -> Array:
        if self.metric in _VECTOR_METRICS:
            assert self.centre is not None
            return (array - self.centre) / self.unit
        if self.metric == "hamming":
            return _encoded(array, self.codes)
        if self.metric == "jaccard":
            return _checked_booleans(array, name)
        return _directions(array, self.metric, name, self.pole)[0]


def parse_metric(metric: object) -> tuple[str, float]:
    """Name and Minkowski power."""
    if isinstance(metric, str):
        found = re.fullmatch(r"minkowski\((.+)\)", metric.replace(" ", ""))
        if found:
            try:
                power = float(found[1])
            except ValueError:
                power = float("nan")
            if not power >= 1:
                raise ValueError(
                    f"{argument('metric')}: minkowski(p) needs a number p >= 1, got {found[1]!r}"
                )
            named = {1.0: "cityblock", 2.0: "euclidean", float("inf"): "chebyshev"}
            return named.get(power, "minkowski"), power
        if metric in METRICS and metric != "minkowski(p)":
            return metric, 2.0
    raise ValueError(f"{argument('metric')} must be one of {', '.join(METRICS)}, got {shown(metric)}")


def check_space(X: Any, metric: object = "euclidean", *, name: str = "X") -> Space:
    """X as a space; ValueError or TypeError that names it otherwise."""
    kind, power = parse_metric(metric)
    if kind == "precomputed":
        return _precomputed(X, name)
    array = _check_array(X, name)
    centre, unit = None, 1.0
    codes: tuple[npt.NDArray[Any], ...] = ()
    pole = low = None
    blurred = 0
    if kind in _VECTOR_METRICS:
        centre, unit = _centre_and_unit(array)
        points = (array - centre) / unit
        low = _rounded_off(array, centre, unit)
    elif kind == "hamming":
        codes = tuple(np.unique(column) for column in array.T)
        points = _encoded(array, codes)
    elif kind == "jaccard":
        points = _checked_booleans(array, name)
    else:
        points, low, pole = _directions(array, kind, name)
    first, group = _distinct_rows(points)
    if len(first) < len(points):
        points = points[first]
        if low is not None:
            away = np.abs(low - low[first][group]).max(axis=1) > _SAME
            blurred, low = int(away.sum()), low[first]
    return Space(
        metric=kind,
        power=power,
        unit=unit,
        n=len(array),
        points=np.ascontiguousarray(points),
        distances=None,
        first=first,
        group=group,
        symmetric=True,
        centre=centre,
        codes=codes,
        pole=pole,
        low=low,
        blurred=blurred,
    )


def _check_array(X: Any, name: str) -> Array:
    array = real_array(X, name)
    if array.ndim != 2:
        hint = "; a column of numbers is x[:, None]" if array.ndim == 1 else ""
        raise ValueError(f"{name} must be 2-dimensional (points x features), got shape {array.shape}{hint}")
    if not array.shape[0] or not array.shape[1]:
        raise ValueError(f"{name} must have at least one point and one feature, got shape {array.shape}")
    result = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} rows with NaN or infinity (first: row {bad[0]}); drop or impute them"
        )
    return result


def _centre_and_unit(array: Array) -> tuple[Array, float]:
    """The middle of the box that holds the points, and a power of two that makes half its side at most 1."""
    low, high = array.min(axis=0), array.max(axis=0)
    if len(low) == 1:  # on a line gaps are all that counts: points that differ stay so
        low, high = -np.abs(array).max(axis=0), np.abs(array).max(axis=0)
    centre = 0.5 * low + 0.5 * high
    half = float((0.5 * high - 0.5 * low).max())
    return centre, float(2.0 ** np.ceil(np.log2(half))) if half > 0 else 1.0


def _encoded(array: Array, codes: tuple[npt.NDArray[Any], ...]) -> Array:
    """Each value as its number among those of its column; -1 for one that is not there."""
    out = np.empty_like(array)
    for k, known in enumerate(codes):
        place = np.minimum(np.searchsorted(known, array[:, k]), len(known) - 1)
        out[:, k] = np.where(known[place] == array[:, k], place, -1)
    return out


def _rounded_off(array: Array, centre: Array, unit: float) -> Array | None:
    """What (array - centre) / unit is more than its rounded value; None where that is nothing."""
    moved = array - centre
    part = moved - array
    low: Array = ((array - (moved - part)) - (centre + part)) / unit
    return low if low.any() else None


def _checked_booleans(array: Array, name: str) -> Array:
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name} must hold booleans or 0 and 1 for {argument('metric', 'jaccard')}")
    return array


def _directions(
    array: Array, metric: str, name: str, pole: Array | None = None
) -> tuple[Array, Array, Array]:
    """Rows divided by their lengths less `pole`, as high and low parts, and the pole.

    Where none is given it is the middle of the rows, or 0 if they lie all around.
    """
    largest = np.abs(array).max(axis=1, keepdims=True)
    bad = np.flatnonzero(largest[:, 0] == 0)
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} rows of zeros (first: row {bad[0]}), which have no angle: "
            f"{argument('metric', metric)}"
        )
    scaled = np.ldexp(array, -np.frexp(largest)[1])  # exact
    if pole is None:
        rows = scaled / np.sqrt((scaled**2).sum(axis=1, keepdims=True))
        pole = 0.5 * rows.min(axis=0) + 0.5 * rows.max(axis=0)
        if not ((rows - pole) ** 2).sum(axis=1).max() <= NARROW**2:
            pole = np.zeros(array.shape[1])
    high, low = _core.weigh._unit_rows(np.ascontiguousarray(scaled), pole, check_threads(None))
    return high, low, pole


def _distinct_rows(rows: Array) -> tuple[Index, Index]:
    """(first row of each distinct one, in the order of the rows; number of each row's distinct one)."""
    rows = np.ascontiguousarray(rows + 0.0)  # -0 and 0 are equal
    if len(rows) >= _MANY and len(np.unique(rows[:, 0])) == len(rows):  # the usual case, ten times as quick
        return np.arange(len(rows)), np.arange(len(rows))
    keys = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == len(rows):
        everything = np.arange(len(rows))
        return everything, everything
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[inverse.ravel()]


def _precomputed(X: Any, name: str) -> Space:
    array = real_array(X, name)
    square = _square(array.astype(np.float64, copy=False), name)
    if np.isnan(square).any() or (square < 0).any():
        i, j = np.argwhere(np.isnan(square) | (square < 0))[0]
        raise ValueError(
            f"{name} must hold distances >= 0 (inf: no similarity), got {square[i, j]} at [{i}, {j}]"
        )
    diagonal = np.diagonal(square)
    if diagonal.any() and (diagonal <= 1e-12 * square[np.isfinite(square)].max(initial=0.0)).all():
        square = square * (1.0 - np.eye(len(square)))  # rounding, as in 1 - correlation
    elif diagonal.any():
        i = int(np.flatnonzero(diagonal)[0])
        raise ValueError(f"{name} must have a diagonal of zeros, got {square[i, i]} at [{i}, {i}]")
    symmetric = bool((square == square.T).all())
    first = group = np.arange(len(square))
    if np.count_nonzero(square) < square.size - len(square):
        first, group = _distinct_rows(square if symmetric else np.hstack([square, square.T]))
    if len(first) < len(square):
        square = square[np.ix_(first, first)]
    return Space(
        metric="precomputed",
        power=2.0,
        unit=1.0,
        n=len(group),
        points=None,
        distances=np.ascontiguousarray(square),
        first=first,
        group=group,
        symmetric=symmetric,
    )


def _square(array: Array, name: str) -> Array:
    if array.ndim == 1 and len(array):
        n = int(np.sqrt(2 * len(array))) + 1
        if n * (n - 1) // 2 != len(array):
            raise ValueError(f"{name} is condensed but {len(array)} is no n (n - 1) / 2")
        square = np.zeros((n, n))
        upper = np.triu_indices(n, 1)
        square[upper] = array
        square.T[upper] = array
        return square
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not len(array):
        raise ValueError(
            f"{name} must be a square matrix or a condensed vector of distances, got shape {array.shape}"
        )
    return array


def check_scale(scale: object) -> float:
    """A positive number; the named scales are the business of `find_scale`."""
    return check_positive(scale, "scale")
