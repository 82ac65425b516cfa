"""L2 nearness at the sizes of the paper; at small ones beside generic QP solvers and the reference."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from dissimilarities import dissimilarity
from scipy import sparse
from scipy.spatial.distance import squareform

from steelyard import metric
from steelyard.reference import metric as reference

LARGE = [
    *((kind, 1000, 1e-6) for kind in ("type 1", "type 2", "type 3", "|normal|", "80 % zeros", "20 % zeros")),
    ("near-metric", 1000, 1e-4),
    ("type 1", 2000, 1e-6),
    ("type 3", 2000, 1e-6),
]


@pytest.mark.parametrize(("kind", "n", "tol"), LARGE)
def test_large(benchmark, kind, n, tol):
    d = dissimilarity(kind, n)
    benchmark.group = f"nearness n={n} {kind}"
    found = benchmark.pedantic(metric.nearest_metric, (d,), {"tol": tol}, rounds=3 if n == 1000 else 1)
    code = (
        "import json; from dissimilarities import dissimilarity; from steelyard import metric\n"
        "def peak(): return int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "kind, n, tol = json.loads(sys.argv[1]); d = dissimilarity(kind, n); before = peak()\n"
        "metric.nearest_metric(d, tol=tol); print((peak() - before) // 1024)"
    )
    own = [
        sys.executable,
        "-c",
        f"import sys; sys.path[:0] = {sys.path!r}\n{code}",
        json.dumps([kind, n, tol]),
    ]
    memory = subprocess.run(own, check=True, capture_output=True, text=True).stdout.strip()
    benchmark.extra_info |= {
        "gap": f"{found.info.error_bound:.1e}",
        "violation": f"{found.info.violation:.1e}",
        "rounds": found.info.iterations,
        "memory": f"{memory} MB",
    }


def test_directed(benchmark):
    """Distances that differ by direction, from random numbers."""
    D = np.random.default_rng(1).random((500, 500))
    np.fill_diagonal(D, 0.0)
    found = benchmark.pedantic(
        metric.nearest_metric, (D,), {"symmetric": False, "tol": 1e-4, "max_iter": 1000}, rounds=1
    )
    benchmark.extra_info |= {
        "gap": f"{found.info.error_bound:.1e}",
        "rounds": found.info.iterations,
    }


def by_steelyard(d):
    return metric.nearest_metric(d).distances


def by_reference(d):
    x, _ = reference.project_and_forget(squareform(d))
    return squareform(x, checks=False)


def triangle_matrix(n):
    pair = np.zeros((n, n), dtype=int)
    pair[np.triu_indices(n, 1)] = np.arange(n * (n - 1) // 2)
    pair += pair.T
    i, j, k = np.array(reference.triangles(n)).T
    rows = np.arange(len(i))
    cols = np.stack([pair[i, j], pair[i, k], pair[j, k]], axis=1).ravel()
    return sparse.csc_matrix((np.tile([1.0, -1.0, -1.0], len(i)), (np.repeat(rows, 3), cols)))


def by_osqp(d):
    import osqp

    A = triangle_matrix(len(squareform(d)))
    solver = osqp.OSQP()
    infinite = np.full(A.shape[0], -np.inf)
    options = {"eps_abs": 1e-6, "eps_rel": 1e-6, "max_iter": 20_000, "time_limit": 120.0, "verbose": False}
    solver.setup(sparse.identity(len(d), format="csc"), -d, A, infinite, np.zeros(A.shape[0]), **options)
    return solver.solve(raise_error=False).x


def by_highs(d):
    import highspy

    A = triangle_matrix(len(squareform(d)))
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("time_limit", 120.0)
    model = highspy.HighsModel()
    lp, q = model.lp_, model.hessian_
    lp.num_col_, lp.num_row_ = A.shape[1], A.shape[0]
    lp.col_cost_ = -d
    lp.col_lower_, lp.col_upper_ = np.full(len(d), -1e30), np.full(len(d), 1e30)
    lp.row_lower_, lp.row_upper_ = np.full(A.shape[0], -1e30), np.zeros(A.shape[0])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = A.indptr, A.indices, A.data
    q.dim_ = len(d)
    q.format_ = highspy.HessianFormat.kTriangular
    q.start_, q.index_, q.value_ = np.arange(len(d) + 1), np.arange(len(d)), np.ones(len(d))
    h.passModel(model)
    h.run()
    return np.array(h.getSolution().col_value)


SMALL = {"steelyard": by_steelyard, "reference": by_reference, "OSQP": by_osqp, "HiGHS": by_highs}
NEEDS = {"OSQP": "osqp", "HiGHS": "highspy"}


@pytest.mark.parametrize("name", [k for k in SMALL if k not in NEEDS or importlib.util.find_spec(NEEDS[k])])
@pytest.mark.parametrize("n", [50, 100])
def test_beside_generic_solvers(benchmark, n, name):
    d = dissimilarity("type 1", n)
    benchmark.group = f"nearness n={n} type 1, all contenders"
    x = benchmark.pedantic(SMALL[name], (d,), rounds=3 if name == "steelyard" else 1)
    exact = metric.nearest_metric(d, tol=1e-10)
    broken = metric.violations(x, tol=1e-12).largest
    value = 0.5 * float(np.square(reference.closure(squareform(x)) - squareform(d)).sum()) / 2
    benchmark.extra_info |= {
        "violation": f"{broken:.1e}",
        "closure above the optimum": f"{value / exact.objective - 1:.1e}",
    }
