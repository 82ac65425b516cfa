"""How far weighted points are from a target, and the weights that make it least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._info import Info
from .._validate import Progress
from ._arms import Arms, Kernel
from ._kernel_qp import kernel_product, minimise_kernel_qp

Floats = npt.NDArray[np.float64]


_ROUNDING = 64 * float(np.finfo(float).eps)  # discrepancy, as a share of its terms, that is none


@dataclass(frozen=True, eq=False)
class Matched:
    """Weights of some points against a target, in the unit of the discrepancy.

    `before` and `after` are discrepancies, `gap` is how far `after` (with the ridge) can be above the least.
    """

    weights: Floats
    before: float
    after: float
    gap: float
    info: Info


def matched(
    points: Floats,
    base: Floats,
    target: Floats,
    target_weights: Floats,
    kernel: Kernel,
    *,
    tol: float,
    upper: float | None = None,
    n_threads: int,
    progress: Progress | None,
) -> Matched:
    """Weights of `points` with sum 1, none above `upper`, that come nearest to the target.

    The discrepancy is |sum w phi(x) - sum t phi(y)|^2: w'Kw - 2 w'Kt + t'Kt. Equal points count as one, and
    share their weight by `base`: where there is no ridge, that changes nothing but the work.
    """
    distinct, place, share = _merged(points, base, kernel.ridge == 0)
    pull = kernel_product(distinct, target, kernel.name, kernel.length, target_weights, n_threads=n_threads)
    own = kernel_product(target, target, kernel.name, kernel.length, target_weights, n_threads=n_threads)
    constant = float(target_weights @ own)
    start: Floats = np.bincount(place, base, minlength=len(distinct)).astype(np.float64)
    before = _discrepancy(distinct, start, pull, constant, kernel, n_threads)
    if before <= _ROUNDING * (abs(float(start @ pull)) + abs(constant)):
        return Matched(base.copy(), 0.0, 0.0, 0.0, _nothing_to_do(tol))
    hidden = 2.0 * _pull_rounding(pull, len(target), points.shape[1], kernel)
    asked = max(tol * before / 2 - hidden, tol * before / 4, np.finfo(float).tiny)
    found = minimise_kernel_qp(
        distinct,
        kernel.name,
        kernel.length,
        -pull,
        upper=None if upper is None else upper * np.bincount(place).astype(np.float64),
        ridge=kernel.ridge,
        init=start,
        tol=asked,
        n_threads=n_threads,
        progress=progress,
    )
    after = _discrepancy(distinct, found.weights, pull, constant, kernel, n_threads)
    gap = 2.0 * (found.gap + hidden)
    return Matched(found.weights[place] * share, before, after, gap, found.info)


def _pull_rounding(pull: Floats, count: int, d: int, kernel: Kernel) -> float:
    """How far an entry of `pull` can be from the mean kernel: to the program it is exact."""
    steps = min(count, 64) / 4 + min(count, 4096) / 64 + count / 4096 + d + 24  # csrc/distances/kernels.hpp
    size = float(np.abs(pull).max()) + (0.0 if kernel.name == "energy" else 1.0)
    return steps * 2.0**-53 * size


def _nothing_to_do(tol: float) -> Info:
    """The account of weights that are equal since the samples are."""
    return Info(
        converged=True,
        iterations=0,
        solver="none: alike to rounding",
        seconds=0.0,
        tol=tol,
        error_bound=0.0,
        error_kind="rigorous",
    )


def _merged(points: Floats, base: Floats, merge: bool) -> tuple[Floats, npt.NDArray[np.intp], Floats]:
    """Points that differ, the place of each row among them, and its share of that place."""
    n = len(points)
    if not merge:
        return points, np.arange(n), np.ones(n)
    distinct, place = np.unique(points, axis=0, return_inverse=True)
    place = place.reshape(-1)
    if len(distinct) == n:
        return points, np.arange(n), np.ones(n)
    return np.ascontiguousarray(distinct), place, base / np.bincount(place, base)[place]


def _discrepancy(
    points: Floats, weights: Floats, pull: Floats, constant: float, kernel: Kernel, n_threads: int
) -> float:
    held = np.flatnonzero(weights)
    some, w = np.ascontiguousarray(points[held]), np.ascontiguousarray(weights[held])
    own = kernel_product(some, some, kernel.name, kernel.length, w, n_threads=n_threads)
    return max(0.0, float(w @ (own - 2.0 * pull[held])) + constant)


@dataclass(frozen=True, eq=False)
class Balanced:
    """Weights of all rows, sum 1 an arm that has any, and the sums of their arms' discrepancies."""

    weights: Floats
    before: float
    after: float
    gap: float
    infos: tuple[Info, ...]


def balanced(arms: Arms, *, tol: float, n_threads: int, progress: Progress | None) -> Balanced:
    """Each arm that is to be weighted, against the target; the others as they are."""
    target = arms.target()
    rows = np.flatnonzero(target)
    points, weights_of_target = np.ascontiguousarray(arms.points[rows]), target[rows]
    weighted = arms.weighted()
    weights = np.zeros(len(arms.codes))
    if arms.estimand != "population":
        for arm in set(range(arms.count)) - set(weighted):
            weights += arms.shares(arm)
    parts: list[Matched] = []
    for arm in weighted:
        own = arms.rows(arm)
        part = matched(
            np.ascontiguousarray(arms.points[own]),
            arms.shares(arm)[own],
            points,
            weights_of_target,
            arms.kernel,
            tol=tol,
            n_threads=n_threads,
            progress=progress,
        )
        weights[own] = part.weights
        parts.append(part)
        if part.info.interrupted:
            weights = _filled(arms, weights)
            break
    return Balanced(
        weights,
        sum(part.before for part in parts),
        sum(part.after for part in parts),
        sum(part.gap for part in parts),
        tuple(part.info for part in parts),
    )


def _filled(arms: Arms, weights: Floats) -> Floats:
    """Arms that Ctrl-C kept from being weighted, as they were."""
    for arm in arms.weighted():
        if not weights[arms.codes == arm].any():
            weights = weights + arms.shares(arm)
    return weights


def joint_info(infos: tuple[Info, ...], unit: float, tol: float, gap: float, solver: str = "") -> Info:
    """One account of all arms; `gap` relative to `unit`."""
    relative = gap / unit if unit > 0 else 0.0
    converged = all(info.converged for info in infos)
    missed = [info.message for info in infos if info.message]
    parts: list[str] = list(dict.fromkeys(missed))
    if not converged:
        parts.insert(0, f"relative gap {relative:.2g} > tol={tol:.2g}")
    fields: dict[str, Any] = {
        "converged": converged,
        "iterations": sum(info.iterations for info in infos),
        "solver": solver or "; ".join(dict.fromkeys(info.solver for info in infos)),
        "seconds": sum(info.seconds for info in infos),
        "tol": tol,
        "error_bound": relative,
        "error_kind": "rigorous",
        "message": "; ".join(parts),
        "interrupted": any(info.interrupted for info in infos),
    }
    return Info(**fields)
