"""The magnitude at 20 scales: steelyard in lock-step against 20 dense solves, and magnipy's method."""

from __future__ import annotations

import numpy as np
import pytest
from bench_weighting import magnipy_method, scipy_in_place
from scipy.linalg import LinAlgError
from spaces import points, scale_of

from steelyard import weigh

CONTENDERS = {
    "steelyard": lambda x, scales: weigh.magnitude_function(x, scales).magnitudes,
    "20 SciPy solves in place": lambda x, scales: np.array([scipy_in_place(x, t).sum() for t in scales]),
    "20 of magnipy's method": lambda x, scales: np.array([magnipy_method(x, t).sum() for t in scales]),
}


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize(("kind", "d"), [("uniform", 10), ("clusters", 10), ("uniform", 2)])
def test_twenty_scales(benchmark, kind, d, name):
    x = points(kind, 5000, d)
    scales = np.geomspace(0.1, 100, 20) * scale_of(kind, 5000, d, 1.0)
    benchmark.group = f"magnitude at 20 scales n=5000 d={d} {kind}"
    rounds = 3 if name == "steelyard" else 1
    try:
        found = benchmark.pedantic(CONTENDERS[name], (x, scales), rounds=rounds, warmup_rounds=rounds // 3)
    except LinAlgError as error:
        pytest.fail(f"{name} gave up: {error}")
    exact = np.array([scipy_in_place(x, t).sum() for t in scales])
    benchmark.extra_info["largest relative error"] = f"{np.abs(found / exact - 1).max():.1e}"
