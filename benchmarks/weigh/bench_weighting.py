"""One weighting: steelyard against SciPy's dense solve (in place), magnipy's method and the reference.

The residual ||1 - Zw|| / sqrt(n) stands beside time and, where Z is not stored, beside the rise of peak
memory. Slow rows (20,000 points and more) run once.
"""

from __future__ import annotations

import resource

import numpy as np
import pytest
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.spatial.distance import cdist
from spaces import points, scale_of

from steelyard import weigh
from steelyard.reference import weigh as reference


def steelyard(x, t, tol=1e-8):
    return weigh.weighting(x, scale=t, tol=tol)


def scipy_in_place(x, t):
    """cdist, exp and dpotrf in one array."""
    Z = cdist(x, x)
    Z *= -t
    np.exp(Z, out=Z)
    factor, info = lapack.dpotrf(Z.T, lower=0, overwrite_a=1, clean=0)
    assert info == 0
    return lapack.dpotrs(factor, np.ones(len(x)))[0]


def scipy_plain(x, t):
    return cho_solve(cho_factor(np.exp(-t * cdist(x, x))), np.ones(len(x)))


def magnipy_method(x, t):
    """Z = exp(-D) once, then its power t, as magnipy 1.0.0 does it (here in NumPy)."""
    Z = np.exp(-cdist(x, x)) ** t
    return cho_solve(cho_factor(Z), np.ones(len(x)))


CONTENDERS = {
    "steelyard": lambda x, t: steelyard(x, t).weights,
    "SciPy in place": scipy_in_place,
    "SciPy cho_factor": scipy_plain,
    "magnipy's method": magnipy_method,
    "reference": lambda x, t: reference.weighting(x, t),
}


def residual(x, t, w):
    strips = [np.exp(-t * cdist(x[k : k + 500], x)) @ w for k in range(0, len(x), 500)]
    return float(np.linalg.norm(1 - np.concatenate(strips)) / np.sqrt(len(x)))


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize("times_median", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", ["uniform", "clusters", "near-duplicates"])
def test_five_thousand_points(benchmark, kind, times_median, name):
    x, t = points(kind, 5000, 10), scale_of(kind, 5000, 10, times_median)
    benchmark.group = f"weighting n=5000 d=10 {kind} scale*median={times_median:g}"
    rounds = 3 if name in ("steelyard", "SciPy in place") else 1
    w = benchmark.pedantic(CONTENDERS[name], (x, t), rounds=rounds, warmup_rounds=rounds // 3)
    benchmark.extra_info["residual"] = f"{residual(x, t, w):.1e}"


def solve_large(benchmark, kind, n, d, times_median, tol):
    x, t = points(kind, n, d), scale_of(kind, n, d, times_median)
    benchmark.group = f"weighting n={n} d={d}"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = benchmark.pedantic(steelyard, (x, t, tol), rounds=1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info |= {
        "residual": f"{found.info.residual:.1e}",
        "iterations": found.info.iterations,
        "MB more than before": round((after - before) / 1024),
        "magnitude": f"{found.magnitude:.8g} within {found.info.error_bound:.0e} ({found.info.error_kind})",
        "solver": found.info.solver.split(" (")[0],
    }


@pytest.mark.parametrize("d", [2, 10, 64])
@pytest.mark.parametrize("kind", ["uniform", "clusters"])
@pytest.mark.parametrize("times_median", [0.1, 1.0, 10.0])
def test_twenty_thousand_points(benchmark, kind, d, times_median):
    solve_large(benchmark, kind, 20_000, d, times_median, 1e-8)


@pytest.mark.parametrize("d", [2, 10])
@pytest.mark.parametrize("kind", ["uniform", "clusters"])
@pytest.mark.parametrize("times_median", [1.0, 10.0])
def test_a_hundred_thousand_points(benchmark, kind, d, times_median):
    solve_large(benchmark, kind, 100_000, d, times_median, 1e-6)


def test_a_million_points_by_neighbourhoods(benchmark):
    """With the error on a part of 20,000 points of the same density, where the exact weights can be had."""
    x = points("uniform", 1_000_000, 3)
    t = weigh.find_scale(x, fraction=0.3)
    found = benchmark.pedantic(lambda: weigh.weighting(x, scale=t, method="local"), rounds=1)
    part = x[(x < 0.02 ** (1 / 3)).all(axis=1)]
    exact, local = (weigh.weighting(part, scale=t, method=m).weights for m in ("auto", "local"))
    error = np.linalg.norm(local - exact) / np.linalg.norm(exact)
    benchmark.group = "weighting n=1000000 d=3, local"
    benchmark.extra_info |= {
        "sampled residual": f"{found.info.residual:.1e}",
        "magnitude / n": f"{found.magnitude / 1e6:.3f}",
        f"relative error of w on {len(part)} points": f"{error:.4f}",
    }
