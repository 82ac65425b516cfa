"""(f) 1,000,000 items and 20,000,000 games, prior 1: at most 60 s and 6 GB on two cores.

Takes minutes (most of them to draw the games), so it runs only with STEELYARD_BENCH_SCALE=1.
"""

from __future__ import annotations

import os
import resource

import pytest
from contenders import to_comparisons
from generators import scale

from steelyard.rank import bradley_terry


@pytest.mark.parametrize("prior", [1.0] if os.environ.get("STEELYARD_BENCH_SCALE") else [])
def test_scale(benchmark, prior):
    games = scale()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.group = "scale"
    fit = benchmark.pedantic(
        lambda: bradley_terry(to_comparisons(games), prior=prior), rounds=1, iterations=1
    )
    benchmark.extra_info["solver"] = fit.info.solver
    benchmark.extra_info["decrement"] = f"{fit.info.newton_decrement:.0e}"
    benchmark.extra_info["peak memory"] = (
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB"
    )
    benchmark.extra_info["games alone"] = f"{before / 2**20:.1f} GB"
