"""The total loss of a classifier from few labels: sensitivity samples beside uniform ones, at equal labels.

Digits (1,797 x 64, pixels in 0 .. 1), log-loss of a logistic regression fitted to 100 random rows; 10 such
pilots, 300 samples each. Centre points and probes count as labels. Mean relative error, and its ratio to that
of uniform sampling without replacement.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from steelyard.select import kmeans, plan_sensitivity

K = 40


def pilots(count=10):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    for seed in range(count):
        rows = np.random.default_rng(seed).choice(len(X), 100, replace=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(max_iter=2000).fit(X[rows], y[rows])
        chances = model.predict_proba(X)[np.arange(len(X)), np.searchsorted(model.classes_, y)]
        yield seed, X, -np.log(np.maximum(chances, 1e-12))


def errors(budget, repeats=300):
    """Algorithm 1 and the control variate, with and without replacement, then uniform."""
    found = []
    for seed, X, loss in pilots():
        clusters = kmeans(X, K, rng=seed)
        for repeat in range(repeats):
            plan = plan_sensitivity(X, clusters=clusters, rng=1000 * repeat + seed)
            told = loss[plan.queries]
            row = []
            for replace in (True, False):
                sample = plan.sample(budget - len(plan.queries), losses=told, replace=replace)
                for control in (False, True):
                    total = sample.estimate(loss[sample.indices], control=control).total
                    row.append(abs(total / loss.sum() - 1))
            uniform = np.random.default_rng(1000 * repeat + seed).choice(len(X), budget, replace=False)
            found.append([*row, abs(loss[uniform].mean() / loss.mean() - 1)])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("budget", [240, 440])
def test_loss(benchmark, budget):
    benchmark.group = "total loss of a classifier of digits"
    found = benchmark.pedantic(errors, (budget,), rounds=1)
    names = ("algorithm 1", "control", "algorithm 1, no replacement", "control, no replacement")
    benchmark.extra_info["uniform"] = f"{found[-1]:.4f}"
    for name, error in zip(names, found, strict=False):
        benchmark.extra_info[name] = f"{error:.4f} ({error / found[-1]:.3f})"
