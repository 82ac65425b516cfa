"""How many votes a plan could save that is made beforehand by who knows the true strengths.

Rank sets are as wide as the number of pairs that simultaneous intervals leave open. With shares w of N votes
the information is N sum w_ij p_ij (1 - p_ij) (e_i - e_j)(e_i - e_j)', errors of differences follow, and the
expected number of open pairs is sum P(|d + error| < c sd). The oracle minimises it over w by L-BFGS, from
uniform shares and from shares of neighbours. It does not follow the answers: a rule that does can stop asking
where luck has settled a pair. `python benchmarks/rank/studies/bench_schedule_oracle.py [ITEMS]`.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import optimize, stats

ARENAS = [(20, 0.8, 2000), (20, 1.5, 2000), (100, 0.8, 20_000), (100, 1.5, 20_000)]


def open_pairs(share, s, votes, critical):
    """Their expected number, and its derivatives by the shares."""
    n = len(s)
    i, j = np.triu_indices(n, 1)
    d = np.abs(s[i] - s[j])
    p = 1 / (1 + np.exp(-d))
    tells = votes * p * (1 - p)
    laplacian = np.full((n, n), 1.0 / n)
    np.subtract.at(laplacian, (np.r_[i, j], np.r_[j, i]), np.r_[share * tells, share * tells])
    laplacian[range(n), range(n)] += np.bincount(np.r_[i, j], np.r_[share * tells, share * tells], n)
    v = np.linalg.inv(laplacian)
    variance = v[i, i] + v[j, j] - 2 * v[i, j]
    z = d / np.sqrt(variance)
    value = (stats.norm.cdf(critical - z) - stats.norm.cdf(-critical - z)).sum()
    by_z = stats.norm.pdf(critical + z) - stats.norm.pdf(critical - z)
    by_variance = by_z * -0.5 * z / variance
    weights = np.zeros((n, n))
    weights[i, j] = weights[j, i] = -by_variance
    pull = v @ (np.diag(weights.sum(axis=1)) - weights) @ v
    return value, (pull[i, i] + pull[j, j] - 2 * pull[i, j]) * tells


def planned(s, votes, critical):
    """The least expected number of open pairs, of two starts."""
    n = len(s)
    i, j = np.triu_indices(n, 1)
    uniform = np.zeros(len(i))

    def loss(x):
        part = np.exp(x - x.max()) + 1e-9  # so that the information stays regular
        share = part / part.sum()
        value, slope = open_pairs(share, s, votes, critical)
        return value, (part - 1e-9) / part.sum() * (slope - share @ slope)

    starts = [uniform, -2.0 * np.abs(s[i] - s[j])]
    found = [
        optimize.minimize(loss, x, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "maxfun": 2000})
        for x in starts
    ]
    return min(out.fun for out in found)


def main(items: int | None, repeats: int = 3) -> None:
    print(
        "items  spread   votes   width, uniform   width, oracle   oracle's votes for uniform's width   saved"
    )
    for n, spread, votes in ARENAS:
        if items not in (None, n):
            continue
        critical = float(stats.studentized_range.ppf(0.95, n, 1e6)) / np.sqrt(2)
        even = np.full(n * (n - 1) // 2, 2.0 / (n * (n - 1)))
        rows = []
        for seed in range(repeats if n < 50 else 1):
            s = spread * np.random.default_rng(seed).normal(size=n)
            target = open_pairs(even, s, votes, critical)[0]
            at = np.linspace(0.3, 1.0, 8 if n < 50 else 5)
            values = np.array([planned(s, votes * share, critical) for share in at])
            rows.append((2 * target / n, 2 * values[-1] / n, votes * np.interp(-target, -values, at)))
        wide, narrow, needed = np.mean(rows, axis=0)
        print(
            f"{n:5d} {spread:7.1f} {votes:7,d} {wide:16.2f} {narrow:15.2f} {needed:36,.0f} "
            f"{1 - needed / votes:7.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
