"""Maximum diversity of many points in few dimensions: weightings of supports, by a far field."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import report
from .._validate import Progress
from ._choice import Request
from ._far import MARGIN, some_rows
from ._solvers import attempt
from ._spaces import Space

Floats = npt.NDArray[np.float64]

_ROUNDS = 60
_CHANCES = 3  # rounds that may leave more points on the wrong side than the best so far


@dataclass(frozen=True)
class Spread:
    """A distribution over the points that differ, and what it is worth."""

    x: Floats
    objective: float
    gap: float
    proven: bool
    rounds: int
    seconds: float
    solver: str
    message: str


def far_diversity(space: Space, scale: float, tol: float, threads: int, progress: Progress | None) -> Spread:
    """min p'Zp / 2 over distributions.

    By the first-order conditions p is the weighting of its support over the magnitude, nowhere negative, and
    every other point has (Zp)_i at least as large. Points that break this change sides together; one at a
    time, the last of them, where that has not helped for a while. Judice and Pires, Comput. Oper. Res. 21
    (1994). A round is a solve and two products.
    """
    start = time.perf_counter()
    rate, request = (
        scale * space.unit,
        Request(scale=scale, tol=tol / 40, threads=threads, who="max_diversity"),
    )
    inside = np.ones(space.n_unique, bool)
    guess = np.zeros(space.n_unique)
    best, chances, found = space.n_unique + 1, _CHANCES, None
    for step in range(_ROUNDS):
        report(progress, step, 0)
        index = np.flatnonzero(inside)
        part = space.subset(index)
        solved = attempt(part, replace(request, start=guess[index] if guess.any() else None))
        v = np.zeros(space.n_unique)
        v[index] = solved.weights
        lacking = ~inside & (_product(space, rate, v, tol, threads)[0] < 1.0 - tol / 4)
        wrong = (inside & (v < 0.0)) | lacking
        found = _judged(space, rate, np.maximum(v, 0.0), tol, threads)
        if not wrong.any() or found[2] <= tol * found[1]:
            break
        count = int(wrong.sum())
        best, chances = (count, _CHANCES) if count < best else (best, chances - 1)
        if chances < 0:
            wrong[: int(np.flatnonzero(wrong)[-1])] = False
        inside ^= wrong
        guess = v
    assert found is not None
    x, objective, gap, proven = found
    return Spread(
        x,
        objective,
        gap,
        proven,
        step + 1,
        time.perf_counter() - start,
        f"weightings of {step + 1} supports, products by a far field",
        "" if gap <= tol * objective else f"stopped at a relative gap of {gap / objective:.1e}; raise tol",
    )


def _product(
    space: Space, rate: float, v: Floats, tol: float, threads: int
) -> tuple[Floats, float, float, bool]:
    product, rms, weighted, proven = _core.weigh._careful_product(space.far, rate, v, 1e-2 * tol, threads)
    return np.asarray(product), float(rms), float(weighted), bool(proven)


def _judged(
    space: Space, rate: float, v: Floats, tol: float, threads: int
) -> tuple[Floats, float, float, bool]:
    """(p, p'Zp / 2, p'Zp - min_i (Zp)_i, whether what products are off by is proven)."""
    size = float(v.sum())
    product, rms, weighted, proven = _product(space, rate, v, tol, threads)
    most = rms * math.sqrt(space.n_unique)  # of one row
    if not proven:
        rows = some_rows(space.n_unique)
        exact = _core.weigh._chosen_products(space.core, rate, rows, v, threads)
        off = MARGIN * np.abs(exact - product[rows])
        most, weighted = float(off.max()), float(np.mean(v[rows] * off)) * space.n_unique
    energy = float(v @ product) / size**2
    gap = max(energy - float(product.min()) / size, 0.0) + weighted / size**2 + most / size
    return v / size, 0.5 * energy, gap, proven
