"""Project and Forget (Sonthalia and Gilbert, 2022) in plain Python, for quadratic objectives."""

from __future__ import annotations

from typing import Any

import numpy as np


def project_and_forget(x0: Any, oracle: Any, weights: Any = None, *, rounds: int = 500) -> Any:
    """The x nearest to x0 with a'x <= b for all rows of ``oracle(x) -> (A, b)``, A dense."""
    x = np.array(x0, dtype=float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    held: dict[tuple[Any, ...], float] = {}  # (row, b) -> dual
    for _ in range(rounds):
        for a, b in zip(*oracle(x), strict=True):
            held.setdefault((*a, b), 0.0)
        for key, dual in list(held.items()):
            a, b = np.array(key[:-1]), key[-1]
            theta = (b - a @ x) / (a @ (a / w))
            step = min(dual, theta)
            x += step * a / w
            held[key] = dual - step
        held = {key: dual for key, dual in held.items() if dual > 0}
    return x
