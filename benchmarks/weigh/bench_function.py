"""The magnitude at 20 scales: steelyard in lock-step against 20 dense solves, magnipy's method, and magnipy.

magnipy 1.0.0 pins SciPy 1.13.0: give a Python that has it in MAGNIPY_PYTHON. It runs as a process of its own,
in which it is given the points and scales and timed from there on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from bench_weighting import magnipy_method, scipy_in_place
from scipy.linalg import LinAlgError
from spaces import points, scale_of

from steelyard import weigh

PEER = os.environ.get("MAGNIPY_PYTHON", "")

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


MAGNIPY = """
import sys, time, numpy as np
from magnipy.magnipy import Magnipy
given = np.load(sys.argv[1])
start = time.perf_counter()
found = Magnipy(given["x"], ts=given["scales"]).get_magnitude()[0]
np.savez(sys.argv[2], magnitudes=found, seconds=time.perf_counter() - start)
"""


@pytest.mark.skipif(not PEER, reason="MAGNIPY_PYTHON names no Python with magnipy")
@pytest.mark.parametrize(("kind", "d"), [("uniform", 10), ("clusters", 10), ("uniform", 2)])
def test_magnipy_itself(benchmark, kind, d):
    x = points(kind, 5000, d)
    scales = np.geomspace(0.1, 100, 20) * scale_of(kind, 5000, d, 1.0)
    benchmark.group = f"magnitude at 20 scales n=5000 d={d} {kind}"
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "answer.npz"
        np.savez(given, x=x, scales=scales)
        run = [PEER, "-W", "ignore", "-c", MAGNIPY, str(given), str(answer)]
        benchmark.pedantic(subprocess.run, (run,), {"check": True, "stdout": sys.stderr}, rounds=1)
        found = dict(np.load(answer))
    exact = np.array([scipy_in_place(x, t).sum() for t in scales])
    benchmark.extra_info["seconds of its own clock"] = f"{found['seconds']:.1f}"
    benchmark.extra_info["largest relative error"] = f"{np.abs(found['magnitudes'] / exact - 1).max():.1e}"
