"""Rows with covariates in arms: what arrives as X and treatment, and what each arm is to be like."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._labels import positions
from .._points import read_in_range, read_weights
from .._spelling import argument, shown
from .._validate import check_choice, check_nonnegative, check_positive, refuse_masked
from ._scales import median_distance
from ._spaces import check_space

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

ESTIMANDS = ("att", "atc", "ate", "population")
KERNELS = {
    "energy": "energy",
    "laplacian": "laplacian",
    "gaussian": "gaussian",
    "matern": "matern32",
}
_SHOWN = 8  # labels in a message
_LENGTHS = 1e-300, 1e300
_MOST = 1000  # arms: labels beyond that are numbers that nobody meant as arms


@dataclass(frozen=True, eq=False)
class Kernel:
    """Similarity of points in their standardised places.

    `length` is 1 / scale in the unit of the places, `scale` in that of the points that a caller speaks of.
    """

    name: str
    length: float
    ridge: float
    scale: float


@dataclass(frozen=True, eq=False)
class Arms:
    """Points in arms, each row's share of its arm, and what weights are to achieve."""

    points: Floats
    codes: Codes
    base: Floats  # sample weights; zero: takes no part
    count: int  # arms
    estimand: str
    treated: int
    kernel: Kernel

    def target(self) -> Floats:
        """What weighted arms are to be like, as weights of all rows that sum to 1."""
        if self.estimand in ("ate", "population"):
            return np.asarray(self.base / self.base.sum())
        return self.shares(self.treated if self.estimand == "att" else 1 - self.treated)

    def weighted(self) -> list[int]:
        """The arms that get weights of their own."""
        if self.estimand == "population":
            return [self.treated]
        if self.estimand == "ate":
            return list(range(self.count))
        model = self.treated if self.estimand == "att" else 1 - self.treated
        return [arm for arm in range(self.count) if arm != model]

    def shares(self, arm: int) -> Floats:
        """Each row's share of its arm before balancing, zero elsewhere."""
        own = np.where(self.codes == arm, self.base, 0.0)
        return np.asarray(own / own.sum())

    def rows(self, arm: int) -> npt.NDArray[np.intp]:
        """Those of an arm that take part."""
        return np.flatnonzero((self.codes == arm) & (self.base > 0))

    def subset(self, rows: npt.NDArray[np.intp]) -> Arms:
        """Some of the rows."""
        return replace(self, points=self.points[rows], codes=self.codes[rows], base=self.base[rows])


@dataclass(frozen=True, eq=False)
class Covariates:
    """Points as they came, in float64, and the names of their columns."""

    values: Floats
    names: tuple[str, ...]
    shift: int  # values are 2^-shift of what came, where squares would overflow


def read_covariates(X: Any, name: str) -> Covariates:
    """Finite rows of at least one column."""
    points, shift = read_in_range(X, name, "euclidean")
    values = np.ascontiguousarray(points, dtype=np.float64)
    return Covariates(values, _names(X, values.shape[1]), shift)


def _names(X: Any, d: int) -> tuple[str, ...]:
    columns = getattr(X, "columns", None)
    if columns is None or callable(columns) or len(columns) != d:
        return tuple(f"x{k}" for k in range(d))
    return tuple(str(column) for column in columns)


def standardised(covariates: Covariates, name: str, wanted: bool, use: npt.NDArray[np.bool_]) -> Floats:
    """Each column with mean 0 and standard deviation 1 over the rows in use, or as it came."""
    values = covariates.values
    if not wanted:
        return values
    used = values[use]
    flat = np.flatnonzero((used == used[0]).all(axis=0))
    if len(flat):
        names = ", ".join(covariates.names[k] for k in flat[:_SHOWN])
        raise ValueError(
            f"{argument(name)} must have columns that vary, got {len(flat)} constant: {names}; leave them out"
        )
    largest = np.abs(used - used[0]).max(axis=0)
    centred = (values - used[0]) / largest
    centred -= centred[use].mean(axis=0)
    return np.ascontiguousarray(centred / centred[use].std(axis=0))


def read_kernel(
    points: Floats, kernel: Any, scale: Any, ridge: Any, shift: int, kernels: dict[str, str]
) -> Kernel:
    """Which kernel, with its scale as a number; `points` are 2^-shift of those it is meant for."""
    word = check_choice(kernel, "kernel", kernels)
    if isinstance(scale, str):
        check_choice(scale, "scale", ("median",))
        space = check_space(points, "euclidean")
        length = 1.0 if word == "energy" or space.n_unique < 2 else median_distance(space)
        own = float(np.ldexp(1.0 / length, -shift))
    else:
        own = check_positive(scale, "scale")
        length = 1.0 / own
        if not math.isfinite(length):
            raise ValueError(f"scale must have a finite reciprocal, got {scale!r}")
        # Beyond these ends the kernel is 1, or 0 but for copies, at all distances that points in range have.
        with np.errstate(over="ignore", under="ignore"):
            length = float(np.clip(np.ldexp(length, -shift), *_LENGTHS))
    return Kernel(kernels[word], length, check_nonnegative(ridge, "ridge"), own)


def read_arms(treatment: Any, n: int) -> tuple[npt.NDArray[Any], Codes]:
    """Labels, sorted, and each row's place among them."""
    values = refuse_masked(treatment, "treatment")
    if values.ndim != 1 or len(values) != n:
        raise ValueError(
            f"{argument('treatment')} must have one label for each of the {n} rows, got shape {values.shape}"
        )
    if values.dtype.kind not in "OUSTbiufM":
        raise TypeError(f"{argument('treatment')} must hold labels, got dtype {values.dtype}")
    missing = np.array([x is None or x != x for x in values.tolist()], dtype=bool)
    if missing.any():
        raise ValueError(
            f"{argument('treatment')} has {missing.sum()} rows without a label "
            f"(first: row {np.argmax(missing)}); leave them out"
        )
    try:
        labels, codes = np.unique(values, return_inverse=True)
    except TypeError:
        raise TypeError(
            f"{argument('treatment')} must hold labels of one kind, got {shown(values[0])} beside others"
        ) from None
    if len(labels) < 2:
        raise ValueError(f"{argument('treatment')} must have at least two values, got {_listed(labels)}")
    if len(labels) > min(_MOST, max(2, n // 2)):
        raise ValueError(
            f"{argument('treatment')} must name arms, got {len(labels)} different values in {n} rows"
        )
    return labels, codes.astype(np.int64).reshape(-1)


def treated_arm(treated: Any, labels: npt.NDArray[Any]) -> int:
    """The place of the label that is meant; of two numbers the larger if none is named."""
    if treated is None:
        if len(labels) == 2 and labels.dtype.kind in "biuf":
            return 1
        raise ValueError(
            f"{argument('treated')} must name one of the values of {argument('treatment')}: {_listed(labels)}"
        )
    return label_place(treated, labels, "treated")


def label_place(label: Any, labels: npt.NDArray[Any], name: str) -> int:
    """Where a label stands; ValueError with those that there are."""
    places = {value: k for k, value in enumerate(labels.tolist())}
    try:
        return int(positions(places, [label])[0])
    except KeyError:
        raise ValueError(f"{argument(name)} must be one of {_listed(labels)}, got {shown(label)}") from None


def _listed(labels: npt.NDArray[Any]) -> str:
    words = ", ".join(shown(label) for label in labels[:_SHOWN].tolist())
    return f"{words} and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else words


def read_estimand(estimand: Any, labels: npt.NDArray[Any]) -> str:
    """One of ESTIMANDS; 'atc' asks for two arms."""
    word = check_choice(estimand, "estimand", ESTIMANDS)
    if word == "atc" and len(labels) > 2:
        raise ValueError(
            f"{argument('estimand', 'atc')} needs two arms, got {len(labels)}: name the arm that the others "
            f"are to be like by {argument('treated')}, with {argument('estimand', 'att')}"
        )
    return word


def read_base(sample_weight: Any, codes: Codes, labels: npt.NDArray[Any]) -> Floats:
    """Sample weights with sum 1, each arm with some."""
    weights = read_weights(sample_weight, len(codes))
    if weights is None:
        return np.full(len(codes), 1.0 / len(codes))
    largest = weights.max()
    scaled = weights / largest
    sums = np.bincount(codes, scaled, minlength=len(labels))
    if (sums == 0).any():
        empty = labels.tolist()[int(np.argmin(sums))]
        raise ValueError(
            f"{argument('sample_weight')} must be positive somewhere in each arm, but is zero in all of "
            f"{shown(empty)}"
        )
    return np.asarray(scaled / scaled.sum())
