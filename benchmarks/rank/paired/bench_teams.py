"""Games between sides: 1,000,000 games of 2 x 5 players out of 20,000, with and without a prior.

The peer, scikit-learn's LogisticRegression (newton-cg and L-BFGS) on the same sparse differences, runs on a
tenth of the games by default. CPU seconds stand beside wall seconds: the latter depend on who else uses the
machine.
Run: python bench_teams.py [games]
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np

from steelyard.rank import team_strengths


def games(m, n=20_000, k=5, seed=0):
    rng = np.random.default_rng(seed)
    s = 0.5 * rng.normal(size=n)
    who = rng.integers(0, n, (m, 2 * k), dtype=np.int32)
    x = s[who[:, :k]].sum(axis=1) - s[who[:, k:]].sum(axis=1)
    return who[:, :k], who[:, k:], rng.random(m) < 1 / (1 + np.exp(-x)), s


def clocked(call):
    wall, cpu = time.perf_counter(), time.process_time()
    out = call()
    return out, f"{time.perf_counter() - wall:6.1f} s wall, {time.process_time() - cpu:6.1f} s CPU"


def main(m):
    left, right, won, s = games(m)
    for prior in (0.0, 1.0):
        fit, clock = clocked(lambda prior=prior: team_strengths(left, right, won, prior=prior, tol=1e-8))
        told = np.corrcoef(fit.strengths, s[fit.items])[0, 1]
        print(
            f"steelyard, prior {prior:g}, {m:,} games: {clock}; decrement {fit.info.error_bound:.1e}", end=""
        )
        print(f" ({fit.info.error_kind}), {fit.info.iterations} steps, r with the truth {told:.4f}")
    from sklearn.linear_model import LogisticRegression

    small = m // 10
    fit = team_strengths(left[:small], right[:small], won[:small], prior=1.0)
    problem, free = fit._problem, fit.strengths + fit.info.shift
    # A logistic prior of strength 1 has curvature 1/2 at 0: near enough a ridge of 1/2 for a clock.
    for solver in ("newton-cg", "lbfgs"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=2.0, fit_intercept=False, solver=solver, tol=1e-8, max_iter=500)
            _, clock = clocked(lambda model=model: model.fit(problem.games.matrix, problem.games.outcome))
        r = np.corrcoef(model.coef_[0], free)[0, 1]
        print(f"scikit-learn {solver}, {small:,} games: {clock}; r with steelyard's {r:.4f}")
    _, clock = clocked(lambda: team_strengths(left[:small], right[:small], won[:small], prior=1.0))
    print(f"steelyard, prior 1, {small:,} games: {clock}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
