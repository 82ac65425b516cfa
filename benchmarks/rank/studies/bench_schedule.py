"""Votes until rank sets are as narrow: informed pairs beside uniform ones, and how often the sets hold.

Settings of `schedule` were chosen on 20 and 100 items of normal strengths of spread 1. Here: other spreads
and seeds. `python benchmarks/rank/studies/bench_schedule.py [REPEATS [ITEMS]]` prints a table; the sets are
simultaneous, at 95 %, and held is a share of all rounds but the first quarter.
"""

from __future__ import annotations

import sys

import numpy as np

from steelyard.rank import simulate_schedule

ARENAS = [(20, 0.8, 50, 40), (20, 1.5, 50, 40), (100, 0.8, 1000, 20), (100, 1.5, 1000, 20)]


def votes_at(found, width):
    """Votes where the mean width falls to one, on a line between rounds."""
    return float(np.interp(-width, -found.width, found.matches))


def main(repeats: int, items: int | None) -> None:
    print("items  spread  votes   width  informed votes  saved  sets held (uniform, informed)")
    for n, spread, size, rounds in ARENAS:
        if items not in (None, n):
            continue
        uniform, informed = (
            simulate_schedule(
                n, kind, n_rounds=rounds, spread=spread, n_repeats=repeats, size=size, level=0.95, rng=7
            )
            for kind in ("random", "information")
        )
        held = [f"{found.coverage[rounds // 4 :].mean():.3f}" for found in (uniform, informed)]
        for k in (rounds // 2 - 1, rounds - 1):
            width = uniform.width[k]
            votes = votes_at(informed, width)
            print(
                f"{n:5d} {spread:7.1f} {uniform.matches[k]:6,d} {width:7.2f} {votes:15,.0f} "
                f"{1 - votes / uniform.matches[k]:6.0%}  {', '.join(held)}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else None)
