"""Weights of predictions: EM, HiGHS, SLSQP and greedy selection beside `weigh.ensemble_weights`.

Timed on as many threads as STEELYARD_NUM_THREADS and the BLAS may use: set both alike. What each contender's
answer lacks of the best, relative to the loss, stands beside its time.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog, minimize
from scipy.spatial.distance import cdist

from steelyard import weigh


def mixture(n, k):
    rng = np.random.default_rng(0)
    z = 0.8 * rng.normal(size=n) - 3
    noise = rng.normal(size=(n, k)) * rng.uniform(0.3, 1.2, k)
    return np.minimum(np.exp(z[:, None] * rng.uniform(0.8, 1.2, k) + noise), 1)


def regression(n, k):
    rng = np.random.default_rng(0)
    f = rng.normal(size=n)
    y = f + rng.normal(size=n)
    P = f[:, None] * rng.uniform(0.7, 1.1, k) + rng.normal(size=(n, k)) * rng.uniform(0.05, 0.8, k)
    return P + 0.2 * rng.normal(size=(n, 1)), y


def quantiles(n, k):
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    y = x + rng.standard_t(4, size=n) * (0.5 + 0.3 * np.abs(x))
    b = x + 1.4 * (0.5 + 0.3 * np.abs(x))
    noise = rng.normal(size=(n, k)) * rng.uniform(0.1, 0.6, k)
    return b[:, None] * rng.uniform(0.8, 1.2, k) + noise + 0.2 * rng.normal(size=k), y


def em(P, tol):
    w = np.full(P.shape[1], 1 / P.shape[1])
    while True:
        G = P.T @ (1 / (P @ w)) / len(P)
        if G.max() - 1 <= tol:
            return w
        w = w * G


LOG = {
    "steelyard, gap 1e-10": lambda P: weigh.ensemble_weights(P, loss="log").weights,
    "EM with BLAS, gap 1e-4": lambda P: em(P, 1e-4),
}


@pytest.mark.parametrize("who", LOG)
def test_log_mixture(benchmark, who):
    P = mixture(100_000, 20)
    benchmark.group = "log, 100,000 x 20"
    w = benchmark.pedantic(LOG[who], args=(P,), rounds=3)
    benchmark.extra_info["gap"] = f"{(P / (P @ w)[:, None]).mean(axis=0).max() - 1:.1e}"


def bumps(top, bottom, centres, width):
    """Gaussian bumps, each with mean 1 over `bottom`: KLIEP is the mixture that is likeliest on `top`."""
    at_top, at_bottom = (np.exp(-cdist(x, centres, "sqeuclidean") / (2 * width**2)) for x in (top, bottom))
    return at_top / at_bottom.mean(axis=0)


def test_kliep(benchmark):
    """Mean log ratio at the width and the centres of the package densratio."""
    densratio = pytest.importorskip("densratio").densratio
    rng = np.random.default_rng(0)
    top, bottom = rng.normal(size=(1000, 2)), 1.5 * rng.normal(size=(1000, 2)) + 0.5
    begin = time.process_time()
    peer = densratio(top, bottom, method="KLIEP", sigma=0.5, kernel_num=100, verbose=False)
    took = time.process_time() - begin
    centres = np.asarray(peer.kernel_info.centers)
    P = bumps(top, bottom, centres, 0.5)
    found = benchmark(lambda: weigh.ensemble_weights(P, loss="log"))
    benchmark.extra_info["objective"] = f"{-found.loss:.5f}, gap {found.gap:.0e}"
    theirs = np.log(np.asarray(peer.compute_density_ratio(top))).mean()
    benchmark.extra_info["densratio"] = f"{theirs:.5f} in {took:.3f} s"
    assert -found.loss >= theirs


def slsqp(P, y):
    k = P.shape[1]
    total = {"type": "eq", "fun": lambda w: w.sum() - 1}
    start = np.full(k, 1 / k)
    loss = lambda w: ((P @ w - y) ** 2).mean()  # noqa: E731
    return minimize(loss, start, bounds=[(0, 1)] * k, constraints=total, method="SLSQP").x


def greedy(P, y, steps=20):
    total, counts = np.zeros(len(y)), np.zeros(P.shape[1])
    for k in range(1, steps + 1):
        best = (((total[:, None] + P) / k - y[:, None]) ** 2).mean(axis=0).argmin()
        total += P[:, best]
        counts[best] += 1
    return counts / steps


SQUARED = {
    "steelyard": lambda P, y: weigh.ensemble_weights(P, y).weights,
    "P.T @ P alone": lambda P, y: (P.T @ P, None)[1],
    "SLSQP": slsqp,
    "greedy, 20 steps": greedy,
}


@pytest.mark.parametrize("who", SQUARED)
def test_squared(benchmark, who):
    P, y = regression(200_000, 30)
    benchmark.group = "squared, 200,000 x 30"
    w = benchmark.pedantic(SQUARED[who], args=(P, y), rounds=1 if who in ("SLSQP", "greedy, 20 steps") else 5)
    if w is not None:
        g = P.T @ (P @ w - y)
        benchmark.extra_info["gap of the loss"] = f"{2 * (g @ w - g.min()) / ((P @ w - y) ** 2).sum():.1e}"


def highs(Q, y, level):
    n, k = Q.shape
    cost = np.concatenate([np.zeros(k), np.full(n, level / n), np.full(n, (1 - level) / n)])
    rows = sp.hstack([sp.csr_matrix(Q), sp.eye(n), -sp.eye(n)])
    total = sp.csr_matrix(np.concatenate([np.ones(k), np.zeros(2 * n)]))
    found = linprog(cost, A_eq=sp.vstack([rows, total]).tocsr(), b_eq=np.append(y, 1.0), method="highs")
    return found.x[:k]


def ours(Q, y, level):
    return weigh.ensemble_weights(Q[:, :, None], y, loss="pinball", levels=[level], tol=1e-9).weights


@pytest.mark.parametrize(("who", "n"), [("steelyard", 4000), ("HiGHS", 4000), ("steelyard", 1_000_000)])
def test_pinball(benchmark, who, n):
    Q, y = quantiles(n, 10)
    benchmark.group = f"pinball, {n:,} x 10"
    w = benchmark.pedantic(
        {"steelyard": ours, "HiGHS": highs}[who], args=(Q, y, 0.9), rounds=3 if n < 1e5 else 1
    )
    u = y - Q @ w
    benchmark.extra_info["loss"] = f"{np.maximum(0.9 * u, -0.1 * u).mean():.12f}"


def auc_with_self_pairs(p):
    """NannyML's formula: thresholds in the order of the scores, a row with itself left in."""
    p = p[np.argsort(p)[::-1]]
    positive, negative = np.cumsum(p), np.cumsum(1 - p)
    return np.trapezoid(np.append(0, positive / positive[-1]), np.append(0, negative / negative[-1]))


AUC = {
    "steelyard": lambda p: weigh.expected_performance(p, metrics="auc")["auc"],
    "formula with self pairs": auc_with_self_pairs,
}


@pytest.mark.parametrize("who", AUC)
@pytest.mark.parametrize("n", [12, 1_000_000])
def test_area_without_labels(benchmark, who, n):
    p = np.random.default_rng(0).beta(0.4, 2, n)
    benchmark.group = f"area without labels, {n:,} rows"
    benchmark.extra_info["area"] = f"{benchmark.pedantic(AUC[who], args=(p,), rounds=3):.6f}"
