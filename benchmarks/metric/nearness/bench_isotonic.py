"""The engine for any constraints on isotonic regression, beside pooling of adjacent violators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import isotonic_regression as by_scipy
from sklearn.isotonic import isotonic_regression as by_sklearn

from steelyard import metric


class Increasing:
    def __call__(self, x):
        k = np.flatnonzero(x[:-1] > x[1:])
        entries = np.tile([1.0, -1.0], len(k)), np.c_[k, k + 1].ravel(), np.arange(0, 2 * len(k) + 1, 2)
        return sparse.csr_array(entries, shape=(len(k), len(x))), np.zeros(len(k))

    def feasible(self, x):
        return np.maximum.accumulate(x)


def by_steelyard(y):
    return metric.project_and_forget(y, Increasing(), tol=1e-6).x


SOLVERS = {"steelyard": by_steelyard, "scipy": lambda y: by_scipy(y).x, "sklearn": by_sklearn}


def sequence(kind, n):
    noise = np.random.default_rng(0).normal(size=n)
    return {"noise": noise, "falling": np.arange(n, 0.0, -1), "walk": noise.cumsum()}[kind]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["noise", "falling", "walk"])
@pytest.mark.parametrize("n", [100, 1000])
def test_isotonic(benchmark, n, kind, solver):
    y = sequence(kind, n)
    benchmark.group = f"isotonic n={n} {kind}"
    x = benchmark.pedantic(SOLVERS[solver], (y,), rounds=3)
    best = by_scipy(y).x
    benchmark.extra_info["error"] = f"{np.abs(x - best).max() / np.abs(y).max():.1e}"
