"""Boards of 10,000 groups of 100 items, the width estimated.

`python benchmarks/rank/studies/bench_groups.py [GROUPS [ITEMS [GAMES]]]`: items of each group, and games that
it plays. Prints processor seconds, since a machine is seldom idle, the peak of memory, and how wide errors
are beside what is stated.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from steelyard.rank import Comparisons, fit_groups

WIDTH = 0.4


def drawn(groups: int, items: int, games: int) -> tuple[Comparisons, np.ndarray]:
    """Games of equally many a group between items whose strengths differ by WIDTH, and these strengths."""
    rng = np.random.default_rng(0)
    strengths = rng.normal(size=items) + WIDTH * rng.normal(size=(groups, items))
    group = np.repeat(np.arange(groups), games)
    a = rng.integers(0, items, len(group))
    b = (a + rng.integers(1, items, len(group))) % items
    won = rng.random(len(group)) < 1 / (1 + np.exp(strengths[group, b] - strengths[group, a]))
    table = Comparisons.from_pairs(np.where(won, a, b), np.where(won, b, a), group=group, items=range(items))
    return table, strengths - strengths.mean(axis=1, keepdims=True)


def main(groups: int = 10_000, items: int = 100, games: int = 200) -> None:
    table, strengths = drawn(groups, items, games)
    begin, clock = time.process_time(), time.perf_counter()
    fit = fit_groups(table)
    cpu, clock = time.process_time() - begin, time.perf_counter() - clock
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    spread = ((fit.strengths - strengths) / fit.standard_errors).std()
    print(fit)
    print(f"{table.n_rows:,} rows: {cpu:.1f} s of processors, {clock:.1f} s on the clock, {held:.2f} GB")
    print(f"errors over what is stated: {spread:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
