"""(f) 1,000,000 items and 20,000,000 games, prior 1: to be reached are 60 s and 6 GB on two cores."""

from __future__ import annotations

import resource

import pytest
from contenders import to_comparisons
from generators import scale

from steelyard.rank import bradley_terry


def peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@pytest.mark.filterwarnings("ignore::steelyard.DisconnectedWarning")
def test_scale(benchmark):
    games = scale()
    before = peak_gigabytes()
    benchmark.group = "scale"
    fit = benchmark.pedantic(lambda: bradley_terry(to_comparisons(games), prior=1.0), rounds=1, iterations=1)
    benchmark.extra_info["solver"] = fit.info.solver
    benchmark.extra_info["decrement"] = f"{fit.info.newton_decrement:.0e}"
    benchmark.extra_info["peak memory"] = f"{peak_gigabytes():.1f} GB"
    benchmark.extra_info["before the fit"] = f"{before:.1f} GB"
