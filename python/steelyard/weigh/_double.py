"""Double weighting: box programs in the multiplier of the ball about the target's weights."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._errors import report
from .._info import Info
from .._validate import Progress
from ._arms import Kernel
from ._kernel_qp import kernel_matrix
from ._simplex_qp import SimplexQPResult, solve

Floats = npt.NDArray[np.float64]

MOST = 8000  # rows of both samples: 512 MB of matrix
BALL = 1e-6  # how near to the ball's surface the search goes, as a share of its radius
_STEPS = 40  # programs
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class Doubled:
    """Weights of both samples; `ball_residual` is 1 - (distance from ones) / radius."""

    source: Floats
    target: Floats
    before: float
    after: float
    ball_residual: float
    n_programs: int
    info: Info


@dataclass(frozen=True, eq=False)
class _Programs:
    """min x'Hx + rho |a - 1|^2 over a box, for any rho: x holds b of n sources, then a of the targets.

    `K` is 2 H but for its diagonal, which is written for each rho.
    """

    H: Floats
    K: Floats
    upper: Floats
    n: int
    radius: float
    enough: float
    n_threads: int
    progress: Progress | None

    def solve(self, rho: float, init: Floats, near: bool) -> SimplexQPResult:
        K = self.K
        np.fill_diagonal(K, 2.0 * (self.H.diagonal() + np.where(np.arange(len(K)) < self.n, 0.0, rho)))
        q = np.where(np.arange(len(K)) < self.n, 0.0, 2.0 * rho)
        return solve(
            K,
            q,
            np.zeros(len(K)),
            self.upper,
            None,
            init=init,
            tol=float(np.clip(0.1 * self.enough / max(rho * (len(K) - self.n), _TINY), 1e-12, 1e-4)),
            max_iter=0,
            n_threads=self.n_threads,
            progress=self.progress,
            near=near,
        )

    def away(self, x: Floats) -> float:
        """Distance of the target's weights from ones, as a share of the radius."""
        return float(np.linalg.norm(x[self.n :] - 1.0)) / self.radius

    def gap(self, rho: float, found: SimplexQPResult) -> float:
        """How far the value can be above the least within the ball, by the bound of the multiplier rho."""
        return abs(rho * self.radius**2 * (1.0 - self.away(found.x) ** 2)) + found.gap


def double_weights(
    source: Floats,
    target: Floats,
    kernel: Kernel,
    *,
    upper: float,
    double: float,
    tol: float,
    n_threads: int,
    progress: Progress | None,
) -> Doubled:
    """Least |mean b phi(x) - mean a phi(y)|^2 over 0 <= b <= upper / sqrt D, 0 <= a <= 1, a in its ball.

    For a multiplier rho the box program's value less rho (radius^2 - |a - 1|^2) bounds the least from below,
    and what lies in the ball bounds it from above.
    """
    begin, n, t = time.perf_counter(), len(source), len(target)
    both = np.concatenate([source, target])
    side = np.concatenate([np.full(n, 1.0 / n), np.full(t, -1.0 / t)])
    K = kernel_matrix(both, both, kernel.name, kernel.length)
    H = (K + K.T) / 2 * side[:, None] * side
    before = max(0.0, float(H.sum()))
    high = np.concatenate([np.full(n, upper / math.sqrt(double)), np.ones(t)])
    radius = (1.0 - 1.0 / math.sqrt(double)) * math.sqrt(t)
    programs = _Programs(H, 2.0 * H, high, n, radius, tol * before, n_threads, progress)
    rho, found, count = _root(programs, progress)
    x = found.x
    after = max(0.0, float(x @ (H @ x)))
    away = programs.away(x)
    gap = programs.gap(rho, found)
    unit = before if before > 0 else 1.0
    message = _remarks(x, n, away, found, gap / unit, tol)
    info = Info(
        converged=not message,
        iterations=count,
        solver=f"{count} box programs in the ball's multiplier; {found.info.solver}",
        seconds=time.perf_counter() - begin,
        tol=tol,
        error_bound=gap / unit,
        error_kind="rigorous" if found.info.convex and away <= 1 else "estimate",
        message=message,
        interrupted=found.info.interrupted,
    )
    return Doubled(x[:n].copy(), x[n:].copy(), before, after, 1.0 - away, count, info)


def _remarks(x: Floats, n: int, away: float, found: SimplexQPResult, gap: float, tol: float) -> str:
    parts = []
    if away > 1.0:
        parts.append(f"the target's weights lie at {away:.8g} of the radius of their ball")
    if gap > tol:
        parts.append(f"relative gap {gap:.2g} > tol={tol:.2g}")
    if not found.info.convex:
        parts.append(found.info.message)
    apart = abs(float(x[:n].mean()) - float(x[n:].mean()))
    if apart > 1.0 - 1.0 / math.sqrt(n) + 1e-12:
        parts.append(f"the means of the weights differ by {apart:.3g}, more than 1 - 1 / sqrt(n)")
    return "; ".join(parts)


def _root(programs: _Programs, progress: Progress | None) -> tuple[float, SimplexQPResult, int]:
    """The multiplier at which the ball is just met, from inside: bracketing, then the Illinois rule in logs.

    It ends early where what lies in the ball is proven to be near enough to the least.
    """
    rho = max(float(np.trace(programs.H)) / len(programs.H), _TINY)
    inside: tuple[float, float] | None = None  # log rho and height of the last in the ball, and out of it
    outside: tuple[float, float] | None = None
    best: tuple[float, SimplexQPResult] | None = None
    kept, x = 0, math.log(rho)
    start = np.minimum(1.0, programs.upper)
    for count in range(1, _STEPS + 1):
        report(progress, count, 0)
        found = programs.solve(math.exp(x), start, near=count > 1)
        start = found.x  # of the next: its multiplier is near
        away = programs.away(found.x)
        room = 0.2 * programs.enough / max(math.exp(x) * programs.radius**2, _TINY)
        aim = math.log1p(-min(max(room, 1e-13), BALL / 2))
        y = math.log(away) - aim if away > 0 else -40.0
        if away <= 1.0 and (best is None or x < best[0]):
            best = x, found
        done = away <= 1.0 and programs.gap(math.exp(x), found) <= programs.enough
        if found.info.interrupted or done:
            return math.exp(x), found, count
        if away <= 1.0:
            outside = None if outside is None else (outside[0], outside[1] * (0.5 if kept == 1 else 1.0))
            inside, kept = (x, y), 1
        else:
            inside = None if inside is None else (inside[0], inside[1] * (0.5 if kept == -1 else 1.0))
            outside, kept = (x, y), -1
        if inside is None or outside is None:
            x += math.log(8.0) if inside is None else -math.log(8.0)
            if not -690.0 < x < 690.0:
                break
        else:
            x = (inside[0] * outside[1] - outside[0] * inside[1]) / (outside[1] - inside[1])
            if abs(inside[0] - outside[0]) <= 1e-15 * abs(x):
                break
    if best is None:
        return math.exp(min(x, 690.0)), found, count
    return math.exp(best[0]), best[1], count
