"""Signed graphs: steelyard beside the solvers of multicut in bioimage-cpp and beside Leiden, in one run.

Costs are counted alike for all, by `cost` of bench_graphs.py. Only steelyard gives a bound. `pip install
--group bench` brings the peers; STEELYARD_SECONDS (default 60) limits steelyard, STEELYARD_LARGE=1 adds the
largest instances.
`python bench_peers.py NAME` prints one instance as a table.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from bench_graphs import SECONDS, cost, instance
from graphs import INSTANCES

from steelyard import metric

# At tol=0 most ends are short of it.
pytestmark = pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")


def by_multicut(name):
    """A solver of bioimage-cpp, started as its documentation does: others from greedy contraction."""
    graph = pytest.importorskip("bioimage_cpp.graph")
    multicut = graph.multicut
    greedy = multicut.GreedyAdditiveMulticut()
    later = {
        "GAEC": [],
        "Kernighan-Lin": [multicut.KernighanLinMulticut()],
        "fusion moves": [
            multicut.FusionMoveMulticut(proposal_generator=multicut.GreedyAdditiveProposalGenerator())
        ],
    }[name]

    def solve(n, u, v, w):
        ends = np.stack([u, v], axis=1).astype(np.uint64)
        made = graph.UndirectedGraph.from_edges(n, ends)
        objective = multicut.MulticutObjective(made, np.asarray(w, np.float64))
        for solver in [greedy, *later]:
            objective.set_labels(solver.optimize(objective))
        return np.asarray(objective.labels)

    return solve


def by_leiden(n, u, v, w):
    """CPM at resolution 0 on signed weights: agreement within clusters, the same objective."""
    igraph, leidenalg = pytest.importorskip("igraph"), pytest.importorskip("leidenalg")
    made = igraph.Graph(n=n, edges=np.stack([u, v], axis=1).tolist())
    kind = leidenalg.CPMVertexPartition
    found = leidenalg.find_partition(made, kind, weights=np.asarray(w), resolution_parameter=0.0, seed=0)
    return np.array(found.membership)


PEERS = {
    "bioimage-cpp GAEC": lambda: by_multicut("GAEC"),
    "bioimage-cpp GAEC, Kernighan-Lin": lambda: by_multicut("Kernighan-Lin"),
    "bioimage-cpp GAEC, fusion moves": lambda: by_multicut("fusion moves"),
    "leidenalg CPM": lambda: by_leiden,
}


@pytest.mark.parametrize("name", INSTANCES)
@pytest.mark.parametrize("who", ["steelyard", *PEERS])
def test_peers(benchmark, name, who):
    n, u, v, w = edges = instance(name)
    benchmark.group = f"signed {name}"
    before = time.process_time()
    if who == "steelyard":
        options = {"tol": 0.0, "max_seconds": SECONDS, "rng": 0}
        found = benchmark.pedantic(metric.cluster_edges, (u, v, w, n), options, rounds=1)
        benchmark.extra_info |= {"bound": f"{found.lower_bound:.8g}", "ratio": f"{found.ratio:.6f}"}
        labels = found.labels
    else:
        labels = benchmark.pedantic(PEERS[who](), (n, u, v, w), rounds=1)
    assert len(labels) == n
    benchmark.extra_info |= {
        "cost": f"{cost(edges, labels):.8g}",
        "cpu seconds": f"{time.process_time() - before:.1f}",
    }


def main(name, *whom):
    n, u, v, w = edges = INSTANCES[name]()
    for who, make in PEERS.items():
        if whom and not any(word in who for word in whom):
            continue
        solve = make()
        before = time.process_time()
        labels = solve(n, u, v, w)
        print(
            f"{who:34s} cost {cost(edges, labels):.8g}  {time.process_time() - before:.1f} s cpu", flush=True
        )
    before = time.process_time()
    found = metric.cluster_edges(u, v, w, n, tol=0.0, max_seconds=SECONDS, rng=0)
    print(
        f"{'steelyard':34s} cost {found.cost:.8g}  {time.process_time() - before:.1f} s cpu"
        f"  bound {found.lower_bound:.8g}  ratio {found.ratio:.6f}"
    )
    for row in found.info.trace:
        print("  {:8.1f} s  cost {:.8g}  bound {:.8g}  ratio {:.5f}  {:.0f} cycles".format(*row))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
