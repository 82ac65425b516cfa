"""Balancing programs: weights of points whose energy distance to a shifted target is least.

`imbalance` before is the squared energy distance at equal weights; gaps are told as shares of it. OSQP gets
the matrix (as much as it takes) plus what makes it definite on the feasible set. Its weights are cut at zero
and scaled to one before their gap is taken.
"""

from __future__ import annotations

import numpy as np
import osqp
import pytest
from scipy import sparse

from steelyard.weigh._kernel_qp import kernel_matrix, kernel_product, minimise_kernel_qp


def shifted(n, d, kernel="energy", scale=2.0, seed=0):
    rng = np.random.default_rng(seed)
    X, T = rng.normal(size=(n, d)), 0.8 * rng.normal(size=(n // 2, d)) + 0.5 / np.sqrt(d)
    linear = -kernel_product(X, T, kernel, scale, np.full(len(T), 1 / len(T)), n_threads=2)
    even, part, other = np.full(n, 1 / n), X[:: max(1, n // 4000)], T[:: max(1, n // 8000)]
    own = kernel_product(part, part, kernel, scale, np.full(len(part), 1 / len(part))).mean()
    target = kernel_product(other, other, kernel, scale, np.full(len(other), 1 / len(other))).mean()
    return X, linear, float(own + 2 * linear @ even + target)


def report(benchmark, found, imbalance):
    benchmark.extra_info["gap"] = f"{2 * found.gap / imbalance:.1e}"
    benchmark.extra_info["positive"] = int((found.weights > 0).sum())
    benchmark.extra_info["solver"] = f"{found.info.iterations} x {found.info.solver}"


@pytest.mark.parametrize("who", ["steelyard", "osqp 1e-4", "osqp 1e-8"])
def test_energy_balancing(benchmark, who):
    benchmark.group = "energy, n = 1,000, d = 4"
    X, linear, imbalance = shifted(1000, 4)
    if who == "steelyard":
        run = lambda: minimise_kernel_qp(X, "energy", 1.0, linear, tol=5e-13 * imbalance)  # noqa: E731
        report(benchmark, benchmark(run), imbalance)
        return
    K = kernel_matrix(X, X, "energy", 1.0)
    P = sparse.csc_matrix(np.triu(K + 2 * np.abs(K).max()))
    A = sparse.vstack([np.ones((1, 1000)), sparse.eye(1000)]).tocsc()
    eps = float(who.split()[1])

    def solve():
        solver = osqp.OSQP()
        solver.setup(
            P, linear, A, np.r_[1.0, np.zeros(1000)], np.r_[1.0, np.full(1000, np.inf)],
            eps_abs=eps, eps_rel=eps, max_iter=100_000, verbose=False,
        )  # fmt: skip
        return solver.solve().x

    w = np.maximum(benchmark.pedantic(solve, rounds=3), 0)
    w /= w.sum()
    g = K @ w + linear
    benchmark.extra_info["gap"] = f"{2 * (g @ w - g.min()) / imbalance:.1e}"


@pytest.mark.parametrize(("n", "share"), [(10_000, 1e-6), (100_000, 1e-3), (100_000, 1e-6)])
def test_large_support(benchmark, n, share):
    benchmark.group = f"energy, n = {n:,}, d = 4"
    X, linear, imbalance = shifted(n, 4)
    how = {"tol": share * imbalance / 2, "n_threads": 2}
    found = benchmark.pedantic(
        lambda: minimise_kernel_qp(X, "energy", 1.0, linear, **how), rounds=1, iterations=1
    )
    report(benchmark, found, imbalance)


def test_kernel_mean_matching(benchmark):
    benchmark.group = "kernel mean matching, n = 20,000"
    n = 20_000
    X, linear, imbalance = shifted(n, 4, "gaussian")
    how = {"upper": np.full(n, 1000 / n), "tol": 1e-6 * imbalance / 2, "n_threads": 2}
    found = benchmark.pedantic(
        lambda: minimise_kernel_qp(X, "gaussian", 2.0, linear, **how), rounds=1, iterations=1
    )
    report(benchmark, found, imbalance)
