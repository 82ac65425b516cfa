"""Votes until rank sets are as narrow: informed pairs beside uniform ones, and how often the sets hold.

Settings of `schedule` were chosen on 20 and 100 items of normal strengths of spread 1. Here: other spreads
and seeds. `goal="ranks"` is judged by the sets of all items, `goal="top"` by those of the truly best tenth
(of 20 items the best 3).
`python benchmarks/rank/studies/bench_schedule.py [ARENAS OF 20 [ARENAS OF 100]]` prints a table; the sets are
simultaneous, at 95 %. Saved stands with its standard error (jackknife over arenas), and held is a share of
all rounds but the first quarter.
"""

from __future__ import annotations

import sys

import numpy as np

from steelyard.rank import simulate_schedule

ARENAS = [(20, 3, 0.8, 50, 40), (20, 3, 1.5, 50, 40), (100, 10, 0.8, 1000, 20), (100, 10, 1.5, 1000, 20)]


def played(kind, goal, seeds, n, top, spread, size, rounds):
    """Of each arena and round: width of all sets, of those of the best, and whether all hold."""
    found = [
        simulate_schedule(
            n,
            kind,
            n_rounds=rounds,
            spread=spread,
            n_repeats=1,
            size=size,
            goal=goal,
            top=top,
            level=0.95,
            rng=seed,
        )
        for seed in seeds
    ]
    return np.array([[one.width, one.top_width, one.coverage] for one in found]), found[0].matches


def saved(uniform, informed, matches, k):
    """Share of votes saved where the mean width falls to the uniform one's of round k."""
    curve = np.minimum.accumulate(informed.mean(axis=0))
    return 1 - float(np.interp(-uniform[:, k].mean(), -curve, matches)) / matches[k]


def jackknife(uniform, informed, matches, k):
    n = len(uniform)
    if n < 2:
        return np.nan
    left = [saved(np.delete(uniform, j, 0), np.delete(informed, j, 0), matches, k) for j in range(n)]
    return np.sqrt((n - 1) * np.var(left))


def main(few: int = 20, many: int = 4) -> None:
    print(
        "items  spread  goal   judged by    votes  width  informed width      saved  held (uniform, informed)"
    )
    for n, top, spread, size, rounds in ARENAS:
        seeds = range(7, 7 + (few if n < 50 else many))
        uniform, matches = played("random", "ranks", seeds, n, top, spread, size, rounds)
        for goal, what, which in (("ranks", "all sets", 0), ("top", f"best {top}", 1)):
            informed, _ = played("information", goal, seeds, n, top, spread, size, rounds)
            held = ", ".join(f"{x[:, 2, rounds // 4 :].mean():.3f}" for x in (uniform, informed))
            for k in (rounds // 2 - 1, rounds - 1):
                pair = uniform[:, which], informed[:, which], matches, k
                print(
                    f"{n:5d} {spread:7.1f}  {goal:6s} {what:9s} {matches[k]:8,d} {pair[0][:, k].mean():6.2f} "
                    f"{pair[1][:, k].mean():15.2f} {saved(*pair):6.0%} +- {jackknife(*pair):2.0%}  {held}",
                    flush=True,
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
