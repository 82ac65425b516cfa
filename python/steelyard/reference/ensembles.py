"""Weights of predictions, and what probabilities say without labels, in plain NumPy and SciPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

Array = npt.NDArray[np.float64]


def squared_weights(P: Any, y: Any) -> Array:
    """argmin |y - P w|^2 over the simplex: the best over all choices of who has weight."""
    P, y = np.asarray(P, dtype=float), np.asarray(y, dtype=float)
    k, best, least = P.shape[1], np.zeros(P.shape[1]), np.inf
    for size in range(1, k + 1):
        for part in itertools.combinations(range(k), size):
            last = P[:, part[-1]]  # w_last = 1 - the others
            others = P[:, part[:-1]] - last[:, None]
            free = np.linalg.lstsq(others, y - last, rcond=None)[0] if size > 1 else np.zeros(0)
            own = np.append(free, 1 - free.sum())
            loss = float(np.sum((y - P[:, part] @ own) ** 2))
            if own.min() >= -1e-12 and loss < least:
                least, best = loss, np.zeros(k)
                best[list(part)] = own
    return best


def log_weights(P: Any, steps: int = 20_000) -> Array:
    """argmax mean log(P w) over the simplex, by expectation and maximisation."""
    P = np.asarray(P, dtype=float)
    w = np.full(P.shape[1], 1 / P.shape[1])
    for _ in range(steps):
        w = w * (P / (P @ w)[:, None]).mean(axis=0)
    return np.asarray(w)


def pinball(u: Any, level: Any) -> Array:
    """max(level u, (level - 1) u)."""
    return np.asarray(np.maximum(level * u, (level - 1) * u))


def pinball_weights(Q: Any, y: Any, levels: Any) -> tuple[Array, float]:
    """argmin of the mean pinball loss over the simplex, and that loss: a linear program. A level each row."""
    Q, y = np.asarray(Q, dtype=float), np.asarray(y, dtype=float)
    n, k = Q.shape
    tau = np.broadcast_to(levels, n)
    cost = np.concatenate([np.zeros(k), tau / n, (1 - tau) / n])
    rows = np.hstack([Q, np.eye(n), -np.eye(n)])
    total = np.concatenate([np.ones(k), np.zeros(2 * n)])
    found = linprog(cost, A_eq=np.vstack([rows, total]), b_eq=np.append(y, 1.0), method="highs")
    return np.asarray(found.x[:k]), float(found.fun)


def count_law(p: Any) -> Array:
    """Chances that 0, 1, ... n of independent events of probabilities p come true."""
    law = np.ones(1)
    for x in np.asarray(p, dtype=float):
        law = np.convolve(law, [1 - x, x])
    return law


def auc(labels: Any, scores: Any) -> float:
    """Share of pairs of a positive and a negative that the scores put in order; ties half."""
    labels, scores = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=float)
    apart = scores[labels][:, None] - scores[~labels]
    return float((np.sign(apart).mean() + 1) / 2)


def expected_auc(p: Any, scores: Any) -> tuple[float, float]:
    """Mean and variance of the area over all labels in which both classes occur; n <= 16."""
    p = np.asarray(p, dtype=float)
    chances, values = [], []
    for labels in itertools.product((0, 1), repeat=len(p)):
        y = np.array(labels)
        if 0 < y.sum() < len(y):
            chances.append(np.prod(np.where(y == 1, p, 1 - p)))
            values.append(auc(y, scores))
    weights, areas = np.array(chances) / np.sum(chances), np.array(values)
    mean = float(weights @ areas)
    return mean, float(weights @ (areas - mean) ** 2)


def f1(labels: Any, predicted: Any) -> float:
    """2 TP / (2 TP + FP + FN), and 0 where nothing is positive."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    found = int((labels & predicted).sum())
    both = int(labels.sum() + predicted.sum())
    return 2 * found / both if both else 0.0


def isotonic(values: Any, weights: Any = None) -> Array:
    """Nearest increasing sequence: max over i <= l of min over j >= l of the mean of i..j."""
    values = np.asarray(values, dtype=float)
    c = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    n = len(values)
    means = [
        [np.average(values[i : j + 1], weights=c[i : j + 1]) if i <= j else np.nan for j in range(n)]
        for i in range(n)
    ]
    return np.array([max(min(means[i][j] for j in range(l, n)) for i in range(l + 1)) for l in range(n)])  # noqa: E741
