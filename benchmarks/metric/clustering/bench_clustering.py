"""Correlation clustering: cost and lower bound beside time, with pivots, Leiden and the reference.

CA-GrQc (SNAP, no licence stated) does not ship: give the folder of CA-GrQc.txt in STEELYARD_GRAPHS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from steelyard import metric
from steelyard.reference import clustering as reference

FOLDER = Path(os.environ.get("STEELYARD_GRAPHS", "nowhere"))
SMALL = ("karate", "les_miserables", "planted 8 x 25", "planted 20 x 50")


def graph(name):
    """Unweighted, as a symmetric sparse matrix; of a file the largest component."""
    import networkx as nx

    if name == "ca-GrQc":
        file = FOLDER / "CA-GrQc.txt"
        if not file.exists():
            pytest.skip("STEELYARD_GRAPHS names no folder with CA-GrQc.txt")
        rows, cols = np.loadtxt(file, dtype=np.int64).T
        rows, cols = rows[rows != cols], cols[rows != cols]  # six authors are listed with themselves
        nodes, ends = np.unique(np.r_[rows, cols], return_inverse=True)
        rows, cols = ends[: len(rows)], ends[len(rows) :]
        whole = sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(len(nodes), len(nodes)))
        _, part = connected_components(whole, directed=False)
        largest = part == np.bincount(part).argmax()
        return sparse.csr_array((whole[largest][:, largest] > 0).astype(float))
    made = {
        "karate": nx.karate_club_graph,
        "les_miserables": nx.les_miserables_graph,
        "planted 8 x 25": lambda: nx.planted_partition_graph(8, 25, 0.5, 0.05, seed=1),
        "planted 20 x 50": lambda: nx.planted_partition_graph(20, 50, 0.5, 0.02, seed=1),
    }[name]()
    return sparse.csr_array(nx.to_scipy_sparse_array(made, weight=None, dtype=float))


def disagreements(S, labels):
    """Cost with unit weights."""
    S = sparse.coo_array(S)
    inside = float((labels[S.coords[0]] == labels[S.coords[1]]).sum()) / 2
    together = (np.bincount(labels) * (np.bincount(labels) - 1) / 2).sum()
    return S.nnz / 2 - inside + together - inside


def by_leiden(S):
    import igraph
    import leidenalg

    edges = sparse.triu(S).tocoo()
    made = igraph.Graph(n=S.shape[0], edges=np.column_stack(edges.coords).tolist())
    found = leidenalg.find_partition(
        made, leidenalg.CPMVertexPartition, resolution_parameter=0.5, n_iterations=-1, seed=0
    )
    return np.array(found.membership)


def by_reference(S):
    c = 2 * S.toarray() - 1
    rng = np.random.default_rng(0)
    return min((reference.pivot(c, rng) for _ in range(50)), key=lambda labels: reference.cost(c, labels))


@pytest.mark.parametrize("name", [*SMALL, "ca-GrQc"])
@pytest.mark.parametrize("who", ["steelyard", "leidenalg CPM", "best of 50 pivots (reference)"])
def test_disagreements(benchmark, name, who):
    S = graph(name)
    benchmark.group = f"disagreements {name}"
    if who == "steelyard":
        found = benchmark.pedantic(metric.correlation_clustering, (S,), {"rng": 0}, rounds=3)
        assert found.cost == pytest.approx(disagreements(S, found.labels))
        benchmark.extra_info |= {
            "cost": f"{found.cost:.0f}",
            "bound": f"{found.lower_bound:.2f}",
            "lp ratio": f"{found.lp_ratio:.5f}",
        }
        return
    if who.startswith("best") and S.shape[0] > 1000:
        pytest.skip("the reference keeps n^2 numbers and loops in Python")
    if who.startswith("leiden"):
        pytest.importorskip("leidenalg")
    solve = by_leiden if who.startswith("leiden") else by_reference
    labels = benchmark.pedantic(solve, (S,), rounds=3)
    benchmark.extra_info |= {"cost": f"{disagreements(S, labels):.0f}"}


def test_weights_from_common_neighbours(benchmark):
    S = graph("ca-GrQc")
    benchmark.group = "ca-GrQc wang"
    found = benchmark.pedantic(
        metric.correlation_clustering, (S,), {"formulation": "wang", "rng": 0}, rounds=3
    )
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "import json, resource; from bench_clustering import graph, metric\n"
        "metric.correlation_clustering(graph('ca-GrQc'), formulation='wang', rng=0)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    own = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    benchmark.extra_info |= {
        "cost": f"{found.cost:.1f}",
        "bound": f"{found.lower_bound:.1f}",
        "ratio": f"{found.ratio:.4f}",
        "lp ratio": f"{found.lp_ratio:.4f}",
        "peak": f"{json.loads(own.stdout)} MB",
    }


@pytest.mark.parametrize("who", ["steelyard", "HiGHS"])
def test_relaxation(benchmark, who):
    S = graph("karate")
    benchmark.group = "relaxation of karate"
    if who == "steelyard":
        found = benchmark.pedantic(metric.correlation_clustering, (S,), {"tol": 1e-6, "rng": 0}, rounds=5)
        benchmark.extra_info |= {"bound": f"{found.lower_bound:.6f}"}
        return
    c = (2 * S.toarray() - 1)[np.triu_indices(S.shape[0], 1)]
    n, m = S.shape[0], len(c)
    place = np.zeros((n, n), dtype=int)
    place[np.triu_indices(n, 1)] = np.arange(m)
    place += place.T
    rows = [(place[i, j], place[i, k], place[j, k]) for i in range(n) for j in range(i + 1, n)
            for k in range(n) if k not in (i, j)]  # fmt: skip
    A = sparse.csr_array(
        (np.tile([1.0, -1.0, -1.0], len(rows)), (np.repeat(np.arange(len(rows)), 3), np.ravel(rows)))
    )
    found = benchmark.pedantic(
        linprog, (c,), {"A_ub": A, "b_ub": np.zeros(len(rows)), "bounds": (0, 1)}, rounds=1
    )
    benchmark.extra_info |= {"bound": f"{found.fun + np.maximum(-c, 0).sum():.6f}"}
