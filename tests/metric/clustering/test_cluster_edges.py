"""Clusters of edge lists: all partitions in exact arithmetic, proofs, links, threads, and what users pass."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import steelyard
from steelyard import metric
from steelyard.reference import clustering as reference
from support import threads
from support.examples import examples

pytestmark = pytest.mark.kernel


def sparse_signed(seed, n, m, kind):
    """Edges with parallel ones: whole, real, or over twelve decades."""
    rng = np.random.default_rng(seed)
    u, v = rng.integers(0, n, (2, m))
    u, v = u[u != v], v[u != v]
    w = [
        rng.integers(-3, 4, len(u)).astype(float),
        rng.normal(size=len(u)),
        rng.choice([-1.0, 1.0, 1.0], len(u)) * 10.0 ** rng.uniform(-6, 6, len(u)),
    ][kind]
    return u, v, w


def summed(u, v, w):
    """Weight of each unordered pair, in float64 as the library sums, then exact."""
    total = {}
    for i, j, c in zip(u.tolist(), v.tolist(), np.asarray(w, float).tolist(), strict=True):
        pair = (min(i, j), max(i, j))
        total[pair] = total.get(pair, 0.0) + c
    return {pair: Fraction(c) for pair, c in total.items() if c}


def exact_cost(pairs, labels):
    return sum((abs(c) for (i, j), c in pairs.items() if (labels[i] == labels[j]) == (c < 0)), Fraction(0))


def best_of_all(pairs, n, keeps=lambda labels: True):
    return min(exact_cost(pairs, labels) for labels in reference.partitions(n) if keeps(labels))


def near(value, exact):
    return abs(Fraction(value) - exact) <= Fraction(1, 10**12) * max(exact, Fraction(1, 10**9))


@examples(30)
@given(st.integers(0, 10**6), st.integers(0, 2))
def test_cost_and_bound_enclose_the_best_of_all_partitions_in_exact_arithmetic(seed, kind):
    n = 4 + seed % 4
    u, v, w = sparse_signed(seed, n, 3 * n, kind)
    found = metric.cluster_edges(u, v, w, n, rng=seed, tol=0.1)
    pairs = summed(u, v, w)
    best = best_of_all(pairs, n)
    paid = exact_cost(pairs, found.labels)
    assert near(found.cost, paid)
    assert Fraction(found.lower_bound) <= best <= paid
    proven = reference.cycle_bound(pairs, found.cycles)
    assert proven <= best
    assert Fraction(found.lower_bound) <= max(proven, best if kind == 0 else proven)


def test_most_small_graphs_are_solved_to_their_optimum():
    solved = 0
    for seed in range(20):
        u, v, w = sparse_signed(seed, 7, 16, seed % 3)
        found = metric.cluster_edges(u, v, w, 7, rng=0, max_iter=5)
        assert near(found.cost, best_of_all(summed(u, v, w), 7)), seed
        solved += found.ratio <= 1 + 1e-3
    assert solved >= 17


@examples(20)
@given(st.integers(0, 10**6), st.integers(0, 1))
def test_links_are_kept_and_their_price_is_part_of_the_bound(seed, kind):
    n = 6
    u, v, w = sparse_signed(seed, n, 14, kind)
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    chosen = [tuple(rng.choice(n, 2, replace=False).tolist()) for _ in range(5)]
    must = [p for p in chosen if truth[p[0]] == truth[p[1]]]
    cannot = [p for p in chosen if truth[p[0]] != truth[p[1]]]
    found = metric.cluster_edges(u, v, w, n, must_link=must, cannot_link=cannot, rng=0, tol=0.1)

    def keeps(labels):
        together = all(labels[a] == labels[b] for a, b in must)
        return together and all(labels[a] != labels[b] for a, b in cannot)

    pairs = summed(u, v, w)
    best = best_of_all(pairs, n, keeps)
    assert keeps(found.labels)
    assert near(found.cost, exact_cost(pairs, found.labels))
    assert Fraction(found.lower_bound) <= best <= exact_cost(pairs, found.labels)


def test_the_checker_refuses_what_proves_nothing():
    weights = {(0, 1): 2, (1, 2): 2, (0, 2): -1, (2, 3): 1}
    assert reference.cycle_bound(weights, [(Fraction(1, 2), [0, 1, 2])] * 2) == 1
    for cycles in ([(1.5, [0, 1, 2])], [(-1, [0, 1, 2])], [(1, [0, 2, 1])], [(0.6, [0, 1, 2])] * 2):
        with pytest.raises(ValueError, match="multiplier"):
            reference.cycle_bound(weights, cycles)
    with pytest.raises(KeyError):
        reference.cycle_bound(weights, [(1, [0, 1, 3, 2])])


@pytest.mark.parametrize("leaves", [4, 9])
def test_a_star_is_solved_and_its_proof_is_one_row(leaves):
    u, v = np.triu_indices(leaves + 1, 1)
    w = np.where(u == 0, 1.0, -1.0)
    found = metric.cluster_edges(u, v, w, tol=0.0, rng=0)
    assert (found.cost, found.lower_bound) == (leaves - 1, leaves - 1)
    assert leaves - 2 < reference.cycle_bound(summed(u, v, w), found.cycles) <= leaves - 1
    assert found.cycles.right_sides.max() == leaves - 1
    assert found.info.message == "optimal: no clustering costs less"


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_stars_of_unequal_weights_are_proven_too():
    rng = np.random.default_rng(5)
    u, v = np.triu_indices(7, 1)
    stars = 0
    for _ in range(4):
        w = np.where(u == 0, 1.0, -1.0) * rng.uniform(0.3, 2.0, len(u))
        found = metric.cluster_edges(u, v, w, rng=0, tol=1e-6, max_iter=10)
        pairs = summed(u, v, w)
        best = best_of_all(pairs, 7)
        proven = reference.cycle_bound(pairs, found.cycles)
        assert Fraction(found.lower_bound) <= proven <= best
        stars += (found.cycles.right_sides > 1).any()
    assert stars > 2


def power_law(n=1500, m=7000, seed=0):
    """Edges between popular nodes of two camps, with some noise."""
    rng = np.random.default_rng(seed)
    share = (1.0 + np.arange(n)) ** -0.62
    u, v = rng.choice(n, (2, m), p=share / share.sum())
    u, v = u[u != v], v[u != v]
    camp = np.where(rng.random(n) < 0.8, 0, rng.integers(1, 40, n))
    return u, v, np.where(rng.random(len(u)) < np.where(camp[u] == camp[v], 0.02, 0.45), -1.0, 1.0)


def grid(side=14, seed=0):
    """Noisy weights between neighbours of a square, two tiles in four colours."""
    rng = np.random.default_rng(seed)
    at = np.arange(side * side).reshape(side, side)
    u = np.r_[at[:, :-1].ravel(), at[:-1].ravel()]
    v = np.r_[at[:, 1:].ravel(), at[1:].ravel()]
    tile = (at // side // 7) * 4 + at % side // 7
    inside = tile.ravel()[u] == tile.ravel()[v]
    return u, v, np.where(inside, 1.5, -1.0) + rng.normal(size=len(u))


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("edges", [power_law, grid])
def test_threads_change_no_bit_and_a_seed_repeats(edges):
    u, v, w = edges()

    def call(n_threads):
        found = metric.cluster_edges(u, v, w, rng=3, tol=0.0, max_iter=4, n_threads=n_threads)
        cycles = found.cycles
        return found.labels, cycles.multipliers, cycles.nodes, found.cost, found.lower_bound

    labels, *_ = threads.equal_over_threads(call)
    assert len(labels) == max(u.max(), v.max()) + 1


@pytest.mark.parametrize("edges", [power_law, grid])
def test_the_proof_of_a_larger_graph_holds_in_exact_arithmetic(edges):
    u, v, w = edges()
    found = metric.cluster_edges(u, v, w, rng=0, max_iter=4)
    proven = reference.cycle_bound(summed(u, v, w), found.cycles)
    assert Fraction(found.lower_bound) <= (proven if edges is grid else np.ceil(float(proven)))
    assert found.lower_bound > 0.95 * found.cost
    assert len(found.cycles) == len(found.cycles.to_frame()["left"])


def test_an_optimum_of_whole_weights_is_said_to_be_one():
    u, v, w = power_law(400, 1200)
    found = metric.cluster_edges(u, v, w, rng=0, tol=0)
    assert found.ratio == 1.0
    assert found.cost == found.lower_bound == float(exact_cost(summed(u, v, w), found.labels))
    assert "optimal" in repr(found)
    assert found.info.converged
    assert found.info.error_bound == 0.0
    assert found.info.error_kind == "rigorous"


def test_labels_to_start_from_are_never_made_worse():
    u, v, w = power_law()
    best = metric.cluster_edges(u, v, w, rng=0, max_iter=6)
    again = metric.cluster_edges(u, v, w, labels=best.labels, rng=7, max_iter=1)
    assert again.cost <= best.cost


def test_disagreements_add_up_to_the_cost_and_come_worst_first():
    u, v, w = power_law(300, 900)
    w = w * np.linspace(1, 2, len(w))
    found = metric.cluster_edges(u, v, w, rng=0)
    table = found.disagreements()
    assert table["cost"].sum() == pytest.approx(found.cost)
    assert (np.diff(table["cost"]) <= 0).all()
    np.testing.assert_array_equal(
        found.labels[table["left"]] == found.labels[table["right"]], table["together"]
    )
    karate = metric.correlation_clustering(nx.Graph(nx.karate_club_graph().edges), rng=0)
    assert karate.disagreements()["cost"].sum() == karate.cost


def test_absent_pairs_disagree_in_a_graph_and_the_cost_counts_them_all():
    G = nx.planted_partition_graph(12, 15, 0.5, 0.01, seed=1)
    S = nx.to_scipy_sparse_array(G, nodelist=range(180))
    found = metric.correlation_clustering(S, rng=0, relax=False)
    assert found.info.solver == "cycle packing: relax=False"
    assert reference.cost(2.0 * S.toarray() - 1.0, found.labels) == found.cost
    relaxed = metric.correlation_clustering(S, rng=0)
    assert relaxed.relaxation is not None
    assert found.cost <= 1.01 * relaxed.cost
    assert 0.98 * relaxed.lower_bound <= found.lower_bound <= relaxed.cost
    edges = np.array(G.edges).T
    listed = metric.cluster_edges(*edges, formulation="graph", n=180, rng=0)
    assert (listed.cost, listed.lower_bound) == (found.cost, found.lower_bound)
    np.testing.assert_array_equal(listed.labels, found.labels)
    np.testing.assert_array_equal(listed.cycles.multipliers, found.cycles.multipliers)


@pytest.mark.parametrize("options", [{"formulation": "wang"}, {"resolution": 0.2}, {"resolution": 0.8}])
def test_the_bound_of_cycles_holds_under_every_formulation(options):
    G = nx.gnp_random_graph(9, 0.4, seed=2)
    whole = metric.correlation_clustering(G, rng=0, tol=1e-6, relax=True, **options)
    found = metric.correlation_clustering(G, rng=0, relax=False, **options)
    assert found.cost == pytest.approx(whole.cost)
    assert 0 < found.lower_bound <= whole.cost * (1 + 1e-12)


def test_a_hub_lists_a_sample_of_its_pairs_and_says_so():
    found = metric.correlation_clustering(nx.star_graph(3000), rng=0, max_iter=3)
    assert "a sample of the pairs" in found.info.message
    assert found.cost == 2999
    assert 0 < found.lower_bound <= 1500


def test_probabilities_are_log_odds_from_the_prior_they_were_trained_on():
    p = np.array([0.9, 0.8, 0.3, 1.0, 0.0])
    u, v = np.array([0, 1, 0, 2, 0]), np.array([1, 2, 2, 3, 3])
    plain = metric.cluster_edges(u, v, p, formulation="probability", rng=0, tol=1e-9)
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    same = metric.cluster_edges(u, v, np.log(clipped / (1 - clipped)), rng=0, tol=1e-9)
    assert plain.cost == pytest.approx(same.cost)
    rare = metric.cluster_edges(
        u, v, p, formulation="probability", prior=0.001, trained_prior=0.5, rng=0, tol=1e-9
    )
    assert rare.n_clusters > plain.n_clusters


def test_names_come_back_and_every_form_of_edges_is_the_same_problem():
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    u, v, w = np.array(list("aabc")), np.array(list("bccd")), np.array([2.0, 1.0, 2.0, -1.0])
    one = metric.cluster_edges(u, v, w, rng=0)
    table = {"one": u, "other": v, "score": w}
    for data in (table, pd.DataFrame(table), pl.DataFrame(table)):
        other = metric.cluster_edges("one", "other", "score", data=data, rng=0)
        assert other.items.tolist() == list("abcd")
        np.testing.assert_array_equal(other.labels, one.labels)
    linked = metric.cluster_edges(u, v, w, must_link=[("c", "d")], rng=0)
    assert linked.labels[2] == linked.labels[3]
    assert linked.to_frame()["item"].tolist() == list("abcd")


def test_graphs_of_igraph_are_read():
    igraph = pytest.importorskip("igraph")
    G = igraph.Graph.Famous("Zachary")
    found = metric.correlation_clustering(G, rng=0)
    assert found.cost == metric.correlation_clustering(nx.Graph(nx.karate_club_graph().edges), rng=0).cost


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (1, 1)])
def test_neighbours_on_a_grid_differ_by_one_step_along_one_axis(shape):
    u, v = metric.grid_edges(shape)
    steps = np.abs(np.array(np.unravel_index(v, shape)) - np.array(np.unravel_index(u, shape)))
    assert (steps.sum(axis=0) == 1).all()
    assert len({*zip(u.tolist(), v.tolist(), strict=True)}) == len(u)
    assert len(u) == sum(np.prod(shape) // length * (length - 1) for length in shape)
    with pytest.raises(ValueError, match="shape must"):
        metric.grid_edges((0, 3))


def test_a_large_grid_whose_couples_join_at_once_is_solved_to_a_thousandth():
    u, v = metric.grid_edges((150, 150))  # more nodes than are joined one by one
    row, column = np.divmod(np.arange(150 * 150), 150)
    cell = row // 12 * 1000 + column // 12
    weight = np.where(cell[u] == cell[v], 1.5, -1.0) + np.random.default_rng(0).normal(size=len(u))
    found = metric.cluster_edges(u, v, weight, tol=1e-3, max_iter=5, rng=0)
    assert found.info.converged
    together = found.labels[u] == found.labels[v]
    paid = np.where(together, np.maximum(-weight, 0), np.maximum(weight, 0)).sum()
    assert found.cost == pytest.approx(paid, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (([0, 1], [0, 2]), "1 edges join an item to itself"),
        (([0, -1], [1, 2]), "u and v must lie in 0 .. 2, got -1 to 2"),
        (([0, 1], [1]), "u and v must be equally long"),
        (([0], [1], [np.nan]), "weight has 1 entries that are NaN"),
        (([0], [1], [1.0, 2.0]), "weight must have one number for each of 1 edges"),
        (([0], [5], None, 3), "u and v must lie in 0 .. 2, got 0 to 5"),
        (([[0]], [[1]]), "u must be 1-dimensional"),
    ],
)
def test_wrong_edges_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        metric.cluster_edges(*call)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formulation": "graph", "prior": 0.1}, "prior goes with formulation='probability'"),
        ({"resolution": 0.3}, "resolution goes with formulation='graph'"),
        ({"formulation": "probability"}, "weight must lie in 0 .. 1"),
        ({"formulation": "probability", "prior": 1.0}, "prior must lie strictly between"),
        ({"labels": [0]}, "labels must have one label for each of 2 items"),
        ({"tol": -1.0}, "tol must be zero or positive"),
        ({"data": {"a": [1]}}, "data has no column"),
    ],
)
def test_wrong_options_are_refused_by_name(options, message):
    u, v, w = ("x", "y", None) if "data" in options else ([0], [1], [3.0])
    with pytest.raises(ValueError, match=message):
        metric.cluster_edges(u, v, w, **options)


def test_a_graph_without_edges_costs_nothing():
    found = metric.cluster_edges([], [], [], 3)
    assert (found.cost, found.lower_bound, found.n_clusters, len(found.cycles)) == (0.0, 0.0, 3, 0)
    assert metric.correlation_clustering(sparse.csr_array((500, 500)), formulation="signed").cost == 0


def test_a_tolerance_asked_for_and_missed_is_said():
    u, v, w = power_law()
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol=1e-06"):
        found = metric.cluster_edges(u, v, w, tol=1e-6, max_iter=2, rng=0)
    assert "more stages" in found.info.message


def test_time_ends_the_stages_and_progress_counts_seconds():
    heard = []
    u, v, w = power_law(5_000, 30_000)
    found = metric.cluster_edges(
        u, v, w, max_seconds=0.01, progress=lambda done, total: heard.append((done, total)), rng=0
    )
    assert heard
    assert all(total == 0.01 and done <= total for done, total in heard)
    assert 0 < found.lower_bound <= found.cost
    assert list(found.info.trace.dtype.names) == ["seconds", "cost", "lower_bound", "ratio", "cycles"]


def long_call():
    u, v, w = power_law(30_000, 200_000)
    metric.cluster_edges(u, v, w, tol=0, max_iter=1000, rng=0)


def test_ctrl_c_brings_the_best_so_far(ctrl_c):
    answer = ctrl_c(long_call, after=0.5, within="metric._SignedGraph")
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert len(answer.partial.labels) == 30_000
    assert answer.partial.lower_bound <= answer.partial.cost


def test_a_bound_comes_when_the_labels_have_taken_all_the_time():
    rng = np.random.default_rng(0)
    u, v = rng.integers(0, 2000, (2, 12_000))
    keep = u != v
    w = np.where(rng.random(keep.sum()) < 0.3, -1.0, 1.0)
    hurried = metric.cluster_edges(u[keep], v[keep], w, 2000, max_seconds=1e-6, rng=0)
    calm = metric.cluster_edges(u[keep], v[keep], w, 2000, max_iter=2, rng=0)
    assert 0.5 * calm.lower_bound < hurried.lower_bound <= hurried.cost
