"""Balancing weights: what they cost, what they estimate, and whether the intervals cover.

`python benchmarks/weigh/bench_balance.py kang-schafer|coverage|lalonde|osqp|double` prints a table;
`pytest benchmarks/weigh/bench_balance.py` times two sizes beside the reference. The peer is OSQP, which
WeightIt uses, on the same kernel matrix.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from steelyard import datasets, weigh
from steelyard.reference import balance as reference

COVARIATES = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")


def study(n, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    treated = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.7 * X[:, 0] - 0.4 * X[:, 1]))
    return X, treated


def outcome(X, rng):
    return 1.5 * X[:, 0] + X[:, 1] * X[:, 0] * 0.5 + np.sin(2 * X[:, 2]) + rng.normal(size=len(X))


@pytest.mark.parametrize("n", [300, 1000])
def test_balance(benchmark, n):
    X, treated = study(n)
    found = benchmark(lambda: weigh.balance(X, treated, tol=1e-10, n_threads=1))
    benchmark.extra_info["gap"] = found.gap


def test_reference(benchmark):
    X, treated = study(100)
    Z = reference.standardised(X)
    goal = np.full(treated.sum(), 1 / treated.sum())
    benchmark.pedantic(lambda: reference.match(Z[~treated], Z[treated], goal), rounds=1)


# ---- tables


def kang_schafer(draws=200, n=1000):
    """Kang and Schafer's mean of Y that is missing for some, covariates misspecified: bias and RMSE."""
    from sklearn.linear_model import LogisticRegression

    rows, covered = [], []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(n, 4))
        chance = 1 / (1 + np.exp(Z @ [1, -0.5, 0.25, 0.1]))
        seen = rng.random(n) < chance
        y = 210 + Z @ [27.4, 13.7, 13.7, 13.7] + rng.normal(size=n)
        X = np.c_[
            np.exp(Z[:, 0] / 2),
            Z[:, 1] / (1 + np.exp(Z[:, 0])) + 10,
            (Z[:, 0] * Z[:, 2] / 25 + 0.6) ** 3,
            (Z[:, 1] + Z[:, 3] + 20) ** 2,
        ]
        S = (X - X.mean(axis=0)) / X.std(axis=0)
        p = LogisticRegression(C=1e6, max_iter=500).fit(S, seen).predict_proba(S)[seen, 1]
        energy = weigh.balance(X, seen, estimand="population")
        mmd = weigh.balance(X, seen, estimand="population", kernel="gaussian", scale=0.5)
        effect = energy.effect(y)
        covered.append(effect.lower <= 210 <= effect.upper)
        rows.append(
            [
                effect.estimate,
                mmd.effect(y).estimate,
                (y[seen] / p).sum() / (1 / p).sum(),
                (y[seen] / p).sum() / n,
                y[seen].mean(),
            ]
        )
    errors = np.array(rows) - 210
    print(f"Kang-Schafer, misspecified, n={n}, {draws} draws")
    for name, e in zip(
        ("energy", "gaussian MMD", "Hajek", "Horvitz-Thompson", "naive"), errors.T, strict=True
    ):
        print(f"{name:>18}  bias {e.mean():7.2f}  RMSE {np.sqrt((e**2).mean()):7.2f}")
    print(f"coverage of the 95 % intervals of energy, which do not know of the bias: {np.mean(covered):.3f}")


def coverage(draws=1000, n=300):
    """The true effect is zero: how often do the intervals hold it?"""
    rng, rows = np.random.default_rng(0), []
    for _ in range(draws):
        X = rng.normal(size=(n, 3))
        treated = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.7 * X[:, 0] - 0.4 * X[:, 1]))
        y = outcome(X, rng)
        found = weigh.balance(X, treated)
        row = []
        for errors in ("residual", "subsample"):
            effect = found.effect(y, errors, rng=rng)
            row += [effect.standard_error, effect.lower <= 0 <= effect.upper]
        rows.append([effect.estimate, *row])
    table = np.array(rows)
    spread = table[:, 0].std()
    print(f"n={n}, {draws} draws: bias {table[:, 0].mean():.3f}, standard deviation {spread:.3f}")
    for k, errors in ((1, "residual"), (3, "subsample")):
        ratio = table[:, k].mean() / spread
        held = table[:, k + 1].mean()
        print(f"{errors:>10}: mean error / deviation {ratio:.3f}, 95 % intervals cover {held:.3f}")


def lalonde(halves=False):
    """The trained men of the experiment (effect 1794) beside all of CPS-1."""
    data = datasets.load_lalonde().columns
    X = np.column_stack([data[name] for name in COVARIATES])
    wall, cpu = time.perf_counter(), time.process_time()
    found = weigh.balance(X, data["treat"], tol=1e-12)
    print(found, f"wall {time.perf_counter() - wall:.1f} s, CPU {time.process_time() - cpu:.1f} s", sep="\n")
    print(found.effect(data["re78"]))
    if halves:
        wall = time.perf_counter()
        print(found.effect(data["re78"], "subsample", rng=0), f"wall {time.perf_counter() - wall:.1f} s")


def best_of(rounds, work):
    """Least seconds on the clock, and the last answer."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - begin)
    return min(times), answer


def osqp(n=1000):
    """The same program by OSQP, at the accuracy that WeightIt asks for and at a high one."""
    import osqp as peer
    import scipy.sparse as sp

    X, treated = study(2 * n, d=4)
    Z = reference.standardised(X)
    A, B = Z[~treated][:n], Z[treated]
    D, pull = cdist(A, A), -cdist(A, B).mean(axis=1)
    both, arm = np.r_[A, B], np.r_[np.zeros(len(A)), np.ones(len(B))]
    base, ours = best_of(5, lambda: weigh.balance(both, arm, standardize=False, tol=1e-12, n_threads=1))
    print(f"{len(A)} rows; steelyard: {base:.3f} s, gap {ours.gap:.1e} of the imbalance before")

    def solve(eps):
        solver = peer.OSQP()
        solver.setup(
            P=sp.csc_matrix(np.triu(-D)),
            q=-pull,
            A=sp.vstack([np.ones((1, len(A))), sp.eye(len(A))]).tocsc(),
            l=np.r_[1, np.zeros(len(A))],
            u=np.r_[1, np.full(len(A), np.inf)],
            verbose=False,
            eps_abs=eps,
            eps_rel=eps,
            max_iter=20_000,
            polishing=True,
        )
        return solver.solve(raise_error=False).x

    for eps in (1e-4, 1e-9):
        took, x = best_of(5, lambda eps=eps: solve(eps))
        w = np.maximum(x, 0) / np.maximum(x, 0).sum()
        slope = -D @ w - pull
        gap = 2 * (slope @ w - slope.min()) / ours.imbalance_before
        cost = f"{took:.3f} s ({took / base:.1f}x)"
        print(f"OSQP at {eps:g}: {cost}, gap {gap:.1e}, least weight {x.min():.1e}")


def double(n=1000):
    """Double weighting of two samples a standard deviation apart."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) + 1
    for kernel in ("laplacian", "matern", "gaussian"):
        wall, cpu = time.perf_counter(), time.process_time()
        found = weigh.match_samples(source, target, kernel=kernel, double=4.0)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(found, f"ball met to {found.ball_residual:.1e}; wall {wall:.1f} s, CPU {cpu:.1f} s", sep="\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    tables = {
        "kang-schafer": kang_schafer,
        "coverage": coverage,
        "lalonde": lalonde,
        "osqp": osqp,
        "double": double,
    }
    for word in sys.argv[1:] or tables:
        tables[word]()
