"""Correlation clustering of sparse graphs: cost, bound and ratio beside time and memory.

The signed networks (SNAP, no licence stated) do not ship: give their folder in STEELYARD_GRAPHS. The largest
instances run with STEELYARD_LARGE=1; STEELYARD_SECONDS limits each (default 60). `python bench_graphs.py NAME
SECONDS THREADS` prints one instance stage by stage.
"""

from __future__ import annotations

import os
import resource
import sys
import time

import numpy as np
import pytest
from graphs import INSTANCES

from steelyard import metric

# At tol=0 most ends are short of it.
pytestmark = pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")

LARGE = ("camps 1,000,000", "voxels 100^3")
SECONDS = float(os.environ.get("STEELYARD_SECONDS", "60"))


def cost(edges, labels):
    _, u, v, w = edges
    together = labels[u] == labels[v]
    return float(np.where(together, np.maximum(-w, 0), np.maximum(w, 0)).sum())


def instance(name):
    if name in LARGE and not os.environ.get("STEELYARD_LARGE"):
        pytest.skip("STEELYARD_LARGE=1 runs it")
    edges = INSTANCES[name]()
    if edges is None:
        pytest.skip("STEELYARD_GRAPHS names no folder with it")
    return edges


@pytest.mark.parametrize("name", INSTANCES)
def test_signed_graph(benchmark, name):
    n, u, v, w = edges = instance(name)
    benchmark.group = f"signed {name}"
    before = time.process_time()
    found = benchmark.pedantic(
        metric.cluster_edges, (u, v, w, n), {"tol": 0.0, "max_seconds": SECONDS, "rng": 0}, rounds=1
    )
    assert found.cost == pytest.approx(cost(edges, found.labels))
    benchmark.extra_info |= {
        "cost": f"{found.cost:.8g}",
        "bound": f"{found.lower_bound:.8g}",
        "ratio": f"{found.ratio:.6f}",
        "cpu seconds": f"{time.process_time() - before:.1f}",
        "peak": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB",
    }


@pytest.mark.parametrize("who", ["steelyard, first labels", "steelyard", "leidenalg"])
def test_beside_leiden(benchmark, who):
    """Planted groups, 20 of 50: pairs that disagree, those without an edge among them."""
    import networkx as nx

    G = nx.planted_partition_graph(20, 50, 0.3, 0.01, seed=0)
    u, v = np.array(G.edges).T
    benchmark.group = "planted 20 x 50, graph"
    if who == "leidenalg":
        igraph, leidenalg = pytest.importorskip("igraph"), pytest.importorskip("leidenalg")
        graph = igraph.Graph(n=1000, edges=np.stack([u, v], axis=1).tolist())
        kind = leidenalg.CPMVertexPartition
        labels = benchmark(
            lambda: leidenalg.find_partition(graph, kind, resolution_parameter=0.5, seed=0).membership
        )
    else:
        options = {"formulation": "graph", "tol": 0.0, "rng": 0, "max_iter": 20 if who == "steelyard" else 1}
        found = benchmark.pedantic(metric.cluster_edges, (u, v, None, 1000), options, rounds=1)
        labels = found.labels
        benchmark.extra_info["bound"] = found.lower_bound
    labels = np.asarray(labels)
    sizes, together = np.bincount(labels), (labels[u] == labels[v]).sum()
    benchmark.extra_info["cost"] = int(len(u) - 2 * together + (sizes * (sizes - 1) // 2).sum())


def main(name, seconds=SECONDS, threads=None):
    edges = INSTANCES[name]()
    n, u, v, w = edges
    started, before = time.perf_counter(), time.process_time()
    found = metric.cluster_edges(
        u, v, w, n, tol=0.0, max_seconds=float(seconds), rng=0, n_threads=threads and int(threads)
    )
    spent = f"{time.perf_counter() - started:.1f} s wall, {time.process_time() - before:.1f} s cpu"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {n:,} nodes, {len(u):,} edges, {spent}, {peak} MB")
    print(found)
    for row in found.info.trace:
        print("  {:8.1f} s  cost {:.8g}  bound {:.8g}  ratio {:.5f}  {:.0f} cycles".format(*row))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
