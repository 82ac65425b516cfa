"""Correlation clustering against all partitions, a linear program, and what users pass."""

from __future__ import annotations

import warnings
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog
from scipy.spatial.distance import squareform

import steelyard
from steelyard import metric
from steelyard.reference import clustering as reference
from support import hostile, threads
from support.examples import examples

pytestmark = pytest.mark.kernel


def signed(seed, n, kind):
    """Symmetric weights: normal, integers with ties and zeros, or sparse."""
    rng = np.random.default_rng(seed)
    m = n * (n - 1) // 2
    c = [rng.normal(size=m), rng.integers(-2, 3, m).astype(float), rng.normal(size=m) * (rng.random(m) < 0.4)]
    values = c[kind]
    values[0] = -abs(values[0]) - 0.5  # 'auto' must see a negative entry
    return squareform(values)


def relaxation(c):
    """Least value of the linear relaxation, by HiGHS."""
    n = len(c)
    place = squareform(np.arange(n * (n - 1) // 2))
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            for k in set(range(n)) - {i, j}:
                row = np.zeros(n * (n - 1) // 2)
                row[place[i, j]], row[[place[i, k], place[j, k]]] = 1.0, -1.0
                rows.append(row)
    flat = squareform(c)
    program = linprog(flat, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=(0, 1))
    assert program.status == 0
    return program.fun + np.maximum(-flat, 0).sum()


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("n", [3, 5, 8])
def test_it_finds_the_best_of_all_partitions(n, kind):
    for seed in range(8 if n < 8 else 3):  # 4,140 partitions each
        c = signed(seed, n, kind)
        found = metric.correlation_clustering(c, rng=seed, tol=1e-6, max_iter=2000)
        best, _ = reference.best_partition(c)
        assert found.cost == pytest.approx(best, abs=1e-9), seed
        assert reference.cost(c, found.labels) == pytest.approx(found.cost, abs=1e-9)
        assert found.lower_bound <= best + 1e-9
        assert found.ratio == pytest.approx(found.cost / found.lower_bound if found.lower_bound else 1.0)


@pytest.mark.parametrize("kind", range(3))
def test_the_bound_is_that_of_a_linear_program(kind):
    for seed in range(6):
        c = signed(seed, 9, kind)
        found = metric.correlation_clustering(c, rng=seed, tol=1e-6, max_iter=2000, relax=True)
        exact = relaxation(c)
        assert found.lower_bound == pytest.approx(exact, rel=2e-6, abs=1e-7)
        assert 1 <= found.lp_ratio <= 1 + 1e-6
        x = squareform(found.relaxation)
        assert x.min() >= 0
        assert x.max() <= 1
        assert metric.violations(x, tol=1e-9).is_pseudometric
        flat = squareform(c)
        spent = np.where(flat > 0, flat * found.relaxation, -flat * (1 - found.relaxation)).sum()
        assert spent == pytest.approx(found.lp_ratio * found.lower_bound, rel=1e-5, abs=1e-7)


def test_known_bounds_of_known_graphs():
    karate = nx.Graph(nx.karate_club_graph().edges)
    found = metric.correlation_clustering(karate, tol=1e-6, rng=0, relax=True)
    assert found.formulation == "graph"
    assert found.lower_bound == pytest.approx(38.5, abs=1e-4)
    assert found.cost == reference.cost(2.0 * nx.to_numpy_array(karate) - 1.0, found.labels)
    # Two cliques without an edge between them: nothing is paid.
    apart = metric.correlation_clustering(nx.disjoint_union(nx.complete_graph(4), nx.complete_graph(3)))
    assert (apart.cost, apart.lower_bound, apart.ratio, apart.n_clusters) == (0.0, 0.0, 1.0, 2)
    # A star of k leaves: any two leaves and the centre are a bad triangle; x = 1/2 on all edges is optimal.
    star = metric.correlation_clustering(nx.star_graph(6), tol=1e-6, relax=True)
    assert star.cost == 5.0
    assert star.lower_bound == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize(("graph", "cost"), [(nx.karate_club_graph(), 50), (nx.les_miserables_graph(), 103)])
def test_stars_prove_the_optimum_where_the_relaxation_is_far_below(graph, cost):
    G = nx.Graph(graph.edges)
    found = metric.correlation_clustering(G, rng=0)
    assert (found.cost, found.lower_bound, found.ratio) == (cost, cost, 1.0)
    place = {name: k for k, name in enumerate(G)}
    weights = dict.fromkeys(combinations(range(len(G)), 2), -1)
    weights |= {tuple(sorted((place[a], place[b]))): 1 for a, b in G.edges}
    assert cost - 1 < reference.cycle_bound(weights, found.cycles) <= cost
    kinds = found.cycles.to_frame()["kind"].tolist()
    assert {"star", "cycle"} == set(kinds)
    assert f"{kinds.count('star')} stars that prove" in repr(found.cycles)
    assert metric.correlation_clustering(G, rng=0, relax=True).ratio > 1.1


@pytest.mark.parametrize("resolution", [0.2, 0.5, 0.8])
def test_a_graph_with_a_resolution_is_its_signed_problem(resolution):
    G = nx.gnp_random_graph(9, 0.5, seed=4)
    a = nx.to_numpy_array(G)
    c = 2 * (a - resolution) * (1 - np.eye(9))
    found = metric.correlation_clustering(G, resolution=resolution, rng=0, tol=1e-6)
    assert found.cost == pytest.approx(reference.best_partition(c)[0])
    same = metric.correlation_clustering(c, formulation="signed", rng=0, tol=1e-6)
    assert same.cost == pytest.approx(found.cost)
    assert same.lower_bound == pytest.approx(found.lower_bound, rel=1e-5)


def test_weights_of_common_neighbours_are_those_of_the_definition():
    G = nx.gnp_random_graph(9, 0.4, seed=2)
    c = reference.wang_weights(nx.to_numpy_array(G) > 0)
    found = metric.correlation_clustering(G, formulation="wang", rng=0, tol=1e-6)
    assert found.formulation == "wang"
    assert found.cost == pytest.approx(reference.best_partition(c)[0])
    assert reference.cost(c, found.labels) == pytest.approx(found.cost)
    same = metric.correlation_clustering(c, formulation="signed", rng=0, tol=1e-6)
    assert same.lower_bound == pytest.approx(found.lower_bound, rel=1e-5)


def forced(c, must, cannot):
    """The best partition that keeps the links."""
    return min(
        reference.cost(c, labels)
        for labels in reference.partitions(len(c))
        if all(labels[a] == labels[b] for a, b in must) and all(labels[a] != labels[b] for a, b in cannot)
    )


@examples(20)
@given(st.integers(0, 10**6), st.integers(0, 2))
def test_links_are_kept_at_the_least_cost(seed, kind):
    rng = np.random.default_rng(seed)
    c = signed(seed, 7, kind)
    truth = rng.integers(0, 3, 7)
    pairs = [tuple(rng.choice(7, 2, replace=False).tolist()) for _ in range(6)]
    must = [p for p in pairs if truth[p[0]] == truth[p[1]]]
    cannot = [p for p in pairs if truth[p[0]] != truth[p[1]]]
    found = metric.correlation_clustering(
        c, must_link=must, cannot_link=cannot, rng=seed, tol=1e-4, max_iter=2000
    )
    assert all(found.labels[a] == found.labels[b] for a, b in must)
    assert all(found.labels[a] != found.labels[b] for a, b in cannot)
    best = forced(c, must, cannot)
    assert found.cost == pytest.approx(best, abs=1e-9)
    assert reference.cost(c, found.labels) == pytest.approx(found.cost, abs=1e-9)
    assert found.lower_bound <= best + 1e-9
    x = squareform(found.relaxation)
    assert all(x[a, b] == 0 for a, b in must)
    assert all(x[a, b] == 1 for a, b in cannot)


@examples(20)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e6))
def test_scaling_and_relabelling_carry_over(seed, factor):
    c = signed(seed, 8, seed % 3)
    order = np.random.default_rng(seed).permutation(8)
    # The relaxation alone: stars beside it may prove more in one order of the items than in another.
    options = {"rng": 1, "tol": 1e-6, "max_iter": 20_000, "relax": True}
    found = metric.correlation_clustering(c, **options)
    scaled = metric.correlation_clustering(factor * c, **options)
    moved = metric.correlation_clustering(c[np.ix_(order, order)], **options)
    assert scaled.cost == pytest.approx(factor * found.cost, rel=1e-9, abs=1e-9 * factor)
    assert scaled.lower_bound == pytest.approx(factor * found.lower_bound, rel=1e-5, abs=1e-9 * factor)
    # Labels come from a heuristic that meets the items in another order; what they can cost does not change.
    assert moved.lower_bound == pytest.approx(found.lower_bound, rel=1e-5, abs=1e-9)
    assert max(moved.lower_bound, found.lower_bound) <= min(moved.cost, found.cost) + 1e-9


def planted(n=150):
    return nx.planted_partition_graph(6, n // 6, 0.6, 0.08, seed=3)


@pytest.mark.parametrize("rounding", ["best", "pivot"])
@pytest.mark.parametrize("local_search", [True, False])
def test_labels_cost_no_more_than_the_best_of_fifty_pivots(rounding, local_search):
    G = planted()
    c = 2 * nx.to_numpy_array(G) - 1
    rng = np.random.default_rng(0)
    pivots = [reference.cost(c, reference.pivot(c, rng)) for _ in range(50)]
    found = metric.correlation_clustering(G, rounding=rounding, local_search=local_search, rng=0)
    # The kernel's own fifty pivots are another draw: compare with the reference's mean where only they count.
    assert found.cost <= (min(pivots) if local_search else np.mean(pivots))
    assert found.lower_bound <= min(pivots)


def test_thresholds_alone_round_the_relaxation():
    found = metric.correlation_clustering(planted(), rounding="threshold", local_search=False, rng=0)
    c = 2 * nx.to_numpy_array(planted()) - 1
    assert reference.cost(c, found.labels) == pytest.approx(found.cost)


def test_threads_change_no_bit_and_a_seed_repeats():
    G = planted()

    def call(n_threads):
        found = metric.correlation_clustering(G, rng=5, n_threads=n_threads)
        return found.labels, found.relaxation, found.cost, found.lower_bound, found.lp_ratio

    _, _, cost, bound, _ = threads.equal_over_threads(call)
    assert bound <= cost


def test_every_form_of_input_is_the_same_problem():
    G = nx.relabel_nodes(nx.gnp_random_graph(12, 0.4, seed=1), lambda k: f"node {k}")
    full = nx.to_scipy_sparse_array(G, weight=None)
    looped = sparse.csr_array(full + sparse.eye_array(12))
    forms = [G, full, sparse.triu(full), full.toarray(), full.toarray().astype(bool), looped]
    results = [metric.correlation_clustering(form, rng=0) for form in forms]
    for other in results[1:]:
        assert other.cost == results[0].cost
        assert other.lower_bound == results[0].lower_bound
        np.testing.assert_array_equal(other.labels, results[0].labels)


def test_a_graph_carries_weights_and_names():
    G = nx.Graph()
    G.add_weighted_edges_from([("a", "b", 2.0), ("b", "c", -3.0), ("a", "c", 1.0), ("d", "d", 9.0)])
    found = metric.correlation_clustering(G, rng=0)
    assert found.formulation == "signed"
    assert found.labels.tolist() == [0, 0, 1, 2]
    assert found.cost == 1.0
    kept = metric.correlation_clustering(G, must_link=[("b", "c")], rng=0)
    assert kept.labels[1] == kept.labels[2]
    assert kept.cost == 3.0
    with pytest.raises(ValueError, match="must_link names 'x', which is no node of S"):
        metric.correlation_clustering(G, must_link=[("b", "x")])


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    def call(S):
        return metric.correlation_clustering(S, formulation="graph", rng=0).labels

    hostile.check_same(call, nx.to_numpy_array(nx.gnp_random_graph(9, 0.5, seed=4)), variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(metric.correlation_clustering, signed(1, 9, 0), variant, "S")


@pytest.mark.parametrize(
    ("S", "options", "message"),
    [
        ([[0, 2.0], [2.0, 0]], {}, "S has weights other than 0 and 1 and none below 0"),
        ([[0, 1.0], [0.5, 0]], {}, "S must be symmetric"),
        ([[0, 1.0], [0, 0]], {}, "S must be symmetric"),
        ([[0, -1.0], [-1.0, 0]], {"formulation": "graph"}, "S must have no entry below 0"),
        ([[0, 2.0], [2.0, 0]], {"formulation": "wang"}, "S must hold zeros and ones"),
        ([[0, -1.0], [-1.0, 0]], {"resolution": 0.3}, "resolution goes with formulation='graph'"),
        ([[0, 1], [1, 0]], {"resolution": 0.0}, "resolution must be positive"),
        ([[0, 1], [1, 0]], {"rounding": "round"}, "rounding must be one of"),
        ([[0, 1], [1, 0]], {"formulation": "lp"}, "formulation must be one of"),
        ([[0, 1], [1, 0]], {"rounding": "threshold", "relax": False}, "needs the relaxation"),
        ([[0, 1], [1, 0]], {"must_link": [(0, 2)]}, "must_link must lie in 0 .. 1"),
        ([[0, 1], [1, 0]], {"must_link": [(0, 1, 1)]}, "must_link must be pairs"),
        ([[0, 1], [1, 0]], {"cannot_link": [(1, 1)]}, "cannot_link must join different items"),
        ([[0, 1], [1, 0]], {"must_link": [(0, 1)], "cannot_link": [(1, 0)]}, "which must_link puts together"),
        (nx.DiGraph([(0, 1)]), {}, "S must be an undirected graph"),
        (nx.Graph(), {}, "S must have at least one node"),
    ],
)
def test_wrong_arguments_are_refused_by_name(S, options, message):
    with pytest.raises(ValueError, match=message):
        metric.correlation_clustering(S, **options)


def test_without_the_relaxation_packed_cycles_bound():
    G = planted()
    found = metric.correlation_clustering(G, relax=False, rng=0)
    whole = metric.correlation_clustering(G, rng=0)
    assert found.relaxation is None
    assert found.lp_ratio == np.inf
    assert whole.lower_bound < found.lower_bound <= min(found.cost, whole.cost)  # by stars
    assert found.info.solver == "cycle packing: relax=False"
    assert len(found.cycles) > 0


def test_a_missed_tolerance_is_said():
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol=1e-12"):
        found = metric.correlation_clustering(planted(60), tol=1e-12, max_iter=1, rng=0)
    assert not found.info.converged
    assert found.lower_bound <= found.cost


@pytest.mark.parametrize("n", [1, 2])
def test_one_and_two_items(n):
    found = metric.correlation_clustering(np.ones((n, n)))
    assert found.labels.tolist() == [0] * n
    assert found.cost == 0


def long_call():
    c = squareform(np.random.default_rng(0).normal(size=250 * 249 // 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric.correlation_clustering(c, tol=1e-14, max_iter=10**6, rng=0)


def test_ctrl_c_brings_the_best_so_far(ctrl_c):
    answer = ctrl_c(long_call, after=1.0)
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert len(answer.partial.labels) == 250
    assert answer.partial.lower_bound <= answer.partial.cost


def test_a_search_from_singletons_that_is_stuck_is_helped_from_above():
    S = np.zeros((7, 7))
    S[np.triu_indices(7, 1)] = [
        0.405, 0, 0.107, 2.006, 0.975, 2.639, 0, 0.223, 0, 0.475, 1.65,
        1.301, 0, 0.73, 0.459, 0, 2.959, 1.741, 2.336, 0, 0.543,
    ]  # fmt: skip
    for seed in range(5):
        found = metric.correlation_clustering(
            S + S.T, formulation="graph", resolution=0.644, relax=False, rng=seed
        )
        assert found.cost == pytest.approx(7.35)


def test_without_the_relaxation_few_items_are_clustered_as_well_as_can_be():
    partitions = [[0]]
    for _ in range(6):
        partitions = [[*labels, c] for labels in partitions for c in range(max(labels) + 2)]
    labels = np.array(partitions)
    i, j = np.triu_indices(7, 1)
    together = labels[:, i] == labels[:, j]
    rng = np.random.default_rng(0)
    for trial in range(60):
        c = (
            np.round(rng.normal(0.3, 1, 21), 3)
            if trial % 2
            else rng.choice([-1.0, 1.0], 21) * rng.random(21) ** 3
        )
        S = np.zeros((7, 7))
        S[i, j] = c
        best = np.where(together, np.maximum(-c, 0), np.maximum(c, 0)).sum(axis=1).min()
        found = metric.correlation_clustering(S + S.T, formulation="signed", relax=False, rng=trial)
        assert found.cost == pytest.approx(best)
        assert found.lower_bound <= best
