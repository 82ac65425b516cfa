"""`weighting` against closed forms, LAPACK, the reference and itself by another method."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import linalg

from steelyard import ConvergenceWarning, weigh
from steelyard.reference import weigh as reference
from support import hostile
from support.examples import examples

SIZES = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97]
POINT_METRICS = ["euclidean", "cityblock", "chebyshev", "minkowski(1.5)", "minkowski(3)", "cosine", "angular"]


def cloud(n, d, seed=0):
    return np.random.default_rng([n, d, seed]).normal(size=(n, d))


def name_and_power(metric):
    name, _, power = metric.partition("(")
    return name, float(power[:-1]) if power else 2.0


# ---- closed forms


@given(st.floats(0, 50), st.floats(1e-3, 20))
def test_two_points(d, t):
    found = weigh.weighting([[0.0, 0.0], [d, 0.0]], scale=t)
    assert found.magnitude == pytest.approx(1 + np.tanh(t * d / 2), rel=1e-10)


@given(
    arrays.arrays(float, st.integers(1, 60), elements=st.floats(-100, 100, allow_subnormal=False)),
    st.floats(0.01, 10),
)
def test_points_on_a_line(x, t):
    found = weigh.weighting(x[:, None], scale=t)
    np.testing.assert_allclose(found.weights, reference.line_weighting(x, t), rtol=1e-10, atol=1e-12)
    assert "closed form" in found.info.solver


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
def test_a_line_in_the_plane_is_solved_as_the_closed_form_says(metric):
    x = np.sort(cloud(50, 1)[:, 0])
    flat = np.column_stack([x, np.zeros(50)])
    found = weigh.weighting(flat, scale=2.0, metric=metric)
    np.testing.assert_allclose(found.weights, reference.line_weighting(x, 2.0), atol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 10, 65])
@pytest.mark.parametrize("t", [0.1, 1.0, 5.0])
def test_points_at_equal_distance(n, t):
    found = weigh.weighting(np.ones((n, n)) - np.eye(n), scale=t, metric="precomputed")
    assert found.magnitude == pytest.approx(n / (1 + (n - 1) * np.exp(-t)), rel=1e-10)


def test_a_homogeneous_space():
    angles = 2 * np.pi * np.arange(24) / 24
    x = np.column_stack([np.cos(angles), np.sin(angles)])
    found = weigh.weighting(x, scale=1.7, metric="angular")
    row = np.exp(-1.7 * np.minimum(angles, 2 * np.pi - angles))
    assert found.magnitude == pytest.approx(24 / row.sum(), rel=1e-10)


def test_magnitudes_of_l1_products_multiply():
    x, y = cloud(9, 1)[:, 0], cloud(7, 1, 1)[:, 0]
    grid = np.array([(a, b) for a in x for b in y])
    both = [weigh.magnitude(side[:, None], scale=0.8) for side in (x, y)]
    assert weigh.magnitude(grid, scale=0.8, metric="cityblock") == pytest.approx(both[0] * both[1], rel=1e-10)


def k32():
    D = np.full((5, 5), 2.0)
    D[:3, 3:] = D[3:, :3] = 1.0
    np.fill_diagonal(D, 0.0)
    return D


@pytest.mark.parametrize("away", [-0.2, -1e-2, -1e-3, 1e-3, 1e-2, 0.5])
def test_a_graph_that_is_indefinite_near_ln_sqrt_2(away):
    t = np.log(np.sqrt(2)) + away
    q = np.exp(-t)
    found = weigh.weighting(k32(), scale=t, metric="precomputed")
    assert found.magnitude == pytest.approx((5 - 7 * q) / ((1 + q) * (1 - 2 * q * q)), rel=1e-10)
    assert (found.info.positive_definite is None) == (away < 0)


def test_a_space_without_a_weighting_is_refused():
    with pytest.raises(ValueError, match="no weighting exists at scale"):
        weigh.weighting(k32(), scale=np.log(np.sqrt(2)), metric="precomputed")


def test_nearer_the_singular_scale_the_backward_error_is_small():
    t = np.log(np.sqrt(2)) + 1e-6
    found = weigh.weighting(k32(), scale=t, metric="precomputed")
    Z = np.exp(-t * k32())
    assert np.abs(Z @ found.weights - 1).max() <= 1e-14 * np.abs(found.weights).sum()


# ---- against LAPACK and the reference


@pytest.mark.parametrize("metric", POINT_METRICS)
@pytest.mark.parametrize("n", SIZES)
def test_every_size_and_metric_agrees_with_lapack(n, metric):
    x = cloud(n, 3)
    name, power = name_and_power(metric)
    Z = reference.similarity(x, 3.0, name, power)
    found = weigh.weighting(x, scale=3.0, metric=metric)
    expected = linalg.solve(Z, np.ones(n))
    condition = np.linalg.cond(Z)
    np.testing.assert_allclose(
        found.weights, expected, atol=1e-14 * condition * max(1, np.abs(expected).max()) + 1e-12
    )
    np.testing.assert_allclose(Z @ found.weights, 1, atol=1e-7)
    assert found.info.residual <= 1e-8


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_metrics_of_categories_agree_with_the_reference(metric):
    x = np.random.default_rng(3).integers(0, 2 if metric == "jaccard" else 4, size=(80, 12))
    found = weigh.weighting(x, scale=4.0, metric=metric)
    np.testing.assert_allclose(found.weights, reference.weighting(x, 4.0, metric), atol=1e-10)
    assert found.info.positive_definite == "theory"


@pytest.mark.parametrize("method", ["cholesky", "mixed", "cg", "direct"])
@pytest.mark.parametrize("d", [2, 3, 8])
@pytest.mark.parametrize("t", [0.3, 3.0, 30.0])
def test_every_method_gives_the_same_weights(method, d, t):
    x = cloud(500, d)
    found = weigh.weighting(x, scale=t, method=method, tol=1e-11)
    expected = linalg.solve(reference.similarity(x, t), np.ones(500), assume_a="pos")
    np.testing.assert_allclose(found.weights, expected, rtol=0, atol=1e-6 * np.linalg.norm(expected))
    assert found.info.residual <= 1e-11
    assert found.magnitude == pytest.approx(expected.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("kind", "d"),
    [
        ("uniform", 10),
        ("clusters", 2),
        ("near-duplicates", 10),
        ("heavy tails", 2),
        pytest.param("uniform", 2, marks=pytest.mark.slow),
        pytest.param("clusters", 10, marks=pytest.mark.slow),
        pytest.param("near-duplicates", 2, marks=pytest.mark.slow),
        pytest.param("heavy tails", 10, marks=pytest.mark.slow),
    ],
)
def test_conjugate_gradients_reach_the_residual_on_hard_data(kind, d):
    rng = np.random.default_rng(d)
    n = 3100
    x = rng.random((n, d))
    if kind == "clusters":
        x = rng.random((20, d))[rng.integers(0, 20, n)] + 0.02 * rng.normal(size=(n, d))
    elif kind == "near-duplicates":
        x[:310] = x[310:620] + 1e-9 * rng.normal(size=(310, d))
    elif kind == "heavy tails":
        x = rng.standard_cauchy((n, d))
    found = weigh.weighting(x, scale="median", method="auto")
    assert found.info.residual <= 1e-8
    assert found.info.converged
    rows = rng.choice(n, 20)
    Z = np.exp(-found.scale * reference.distances(x[rows], Y=x))
    np.testing.assert_allclose(Z @ found.weights, 1, atol=1e-5)


def test_a_matrix_of_distances_gives_the_weights_of_its_points():
    x = cloud(120, 4)
    D = reference.distances(x)
    expected = weigh.weighting(x, scale=0.9).weights
    upper = np.triu_indices(120, 1)
    for given_ in (D, D[upper]):
        np.testing.assert_allclose(
            weigh.weighting(given_, scale=0.9, metric="precomputed").weights, expected, atol=1e-10
        )
    by_iteration = weigh.weighting(D, scale=0.9, metric="precomputed", method="cg", tol=1e-12)
    np.testing.assert_allclose(by_iteration.weights, expected, atol=1e-8)


def test_asymmetric_distances_give_both_weightings():
    D = reference.distances(cloud(30, 2)) * (1 + 0.1 * np.random.default_rng(0).random((30, 30)))
    np.fill_diagonal(D, 0)
    found = weigh.weighting(D, metric="precomputed")
    Z = np.exp(-D)
    np.testing.assert_allclose(Z @ found.weights, 1, atol=1e-10)
    np.testing.assert_allclose(found.coweights @ Z, 1, atol=1e-10)
    assert found.weights.sum() == pytest.approx(found.coweights.sum(), rel=1e-9)
    with pytest.raises(ValueError, match="method must be 'auto' or 'direct'"):
        weigh.weighting(D, metric="precomputed", method="cholesky")


def test_infinitely_far_parts_add_up():
    D = reference.distances(cloud(20, 2))
    both = np.full((40, 40), np.inf)
    both[:20, :20] = both[20:, 20:] = D
    one = weigh.magnitude(D, metric="precomputed")
    assert weigh.magnitude(both, metric="precomputed") == pytest.approx(2 * one, rel=1e-10)


def test_an_indefinite_space_is_solved_and_flagged():
    # Chebyshev distances in several dimensions are not of negative type.
    x = np.random.default_rng(1).integers(-1, 2, size=(300, 6)).astype(float)
    found = weigh.weighting(x, scale=0.05, metric="chebyshev")
    Z = reference.similarity(np.unique(x, axis=0), 0.05, "chebyshev")
    assert np.linalg.eigvalsh(Z)[0] < 0
    assert found.info.positive_definite is None
    assert found.info.lower_bound is None
    assert "not positive definite" in found.info.message
    assert found.info.residual <= 1e-8
    with pytest.raises(ValueError, match="needs a positive definite Z"):
        weigh.weighting(x, scale=0.05, metric="chebyshev", method="cholesky")


# ---- copies


@examples(20)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 1000))
def test_copies_share_the_weight_and_leave_the_magnitude(n, copies, seed):
    x = cloud(n, 2, seed)
    single = weigh.weighting(x, scale=1.3)
    found = weigh.weighting(np.repeat(x, copies, axis=0), scale=1.3)
    np.testing.assert_allclose(found.weights, np.repeat(single.weights / copies, copies), atol=1e-10)
    assert found.magnitude == pytest.approx(single.magnitude, rel=1e-12)
    assert found.info.merged == n * (copies - 1)


def test_copies_are_found_across_signs_of_zero_and_lengths_of_vectors():
    assert weigh.weighting([[0.0, 1.0], [-0.0, 1.0]]).info.merged == 1
    assert weigh.weighting([[1.0, 3.0], [2.0, 6.0]], metric="cosine").info.merged == 1


def test_what_single_precision_cannot_tell_apart_is_iterated_in_double_down_to_single_weights():
    rng = np.random.default_rng(0)
    x = rng.random((3200, 10))
    x[:300] = x[300:600] + 1e-9 * rng.standard_normal((300, 10))
    found, factored = weigh.weighting(x), weigh.weighting(x, method="cholesky")
    assert found.info.solver.startswith("conjugate gradients, AFN preconditioner, double precision (near-dup")
    assert found.info.iterations < 60  # near-copies of landmarks among the rest took 100
    assert found.info.residual <= 1e-8
    error = np.linalg.norm(found.weights - factored.weights)
    assert error <= found.info.weight_error + factored.info.weight_error
    assert error <= 1e-3 * np.linalg.norm(factored.weights)
    closer = x.copy()
    closer[:300] = closer[300:600] + 1e-15
    assert weigh.weighting(closer).info.solver.startswith("Cholesky (near-duplicates")
    assert not weigh.weighting(x, scale=20.0).info.solver.startswith("Cholesky")  # spread out: no need
    assert weigh.weighting(x[300:]).info.solver.startswith("Cholesky (at most 3000")
    asked = weigh.weighting(x, method="cg")
    assert asked.info.solver.startswith("conjugate gradients")
    assert asked.magnitude == pytest.approx(found.magnitude, rel=1e-6)


def test_the_remark_is_the_message_but_for_the_copies():
    X = np.array([[0.0, 0], [0, 0], [1e-14, 0], [3, 1]])
    info = weigh.weighting(X, jitter=1e-16).info
    assert info.message == f"1 row repeats another and shares its weight; {info.remark}"
    assert "single weights are open" in info.remark
    assert weigh.weighting(X[1:]).info.remark == weigh.weighting(X[1:]).info.message
    assert weigh.weighting(X[[0, 1, 3]]).info.remark == ""


def test_near_copies_are_solved_in_106_bits_and_their_sum_is_right():
    x = cloud(200, 3)
    near = np.vstack([x, x[:20] + 1e-13])
    found = weigh.weighting(near)
    clean = weigh.weighting(x)
    assert "106 bits" in found.info.solver
    assert found.info.message == clean.info.message == ""
    assert found.info.weight_error < 1e-9
    assert found.magnitude == pytest.approx(clean.magnitude, rel=1e-8)
    together = found.weights[:200].copy()
    together[:20] += found.weights[200:]
    np.testing.assert_allclose(together, clean.weights, atol=1e-5)


@pytest.mark.parametrize("method", ["auto", "line", "cholesky", "mixed", "cg", "local", "direct"])
def test_one_point_counts_one_by_every_method(method):
    assert weigh.weighting([[5.0]], method=method).weights.tolist() == [1.0]


@pytest.mark.parametrize("method", ["auto", "cholesky", "cg", "local", "direct"])
@pytest.mark.parametrize("t", [1e9, 1e300])
def test_at_a_huge_scale_every_point_counts_one(method, t):
    found = weigh.weighting(cloud(50, 3), scale=t, method=method)
    np.testing.assert_array_equal(found.weights, 1.0)
    assert found.magnitude == 50


@pytest.mark.parametrize("t", [1e-9, 1e-300])
def test_at_a_tiny_scale_all_points_count_as_one(t):
    assert weigh.magnitude(cloud(50, 3), scale=t) == pytest.approx(1, rel=1e-7)


def test_a_scale_that_overflows_is_refused():
    with pytest.raises(ValueError, match="scale must be smaller"):
        weigh.weighting(1e10 * cloud(5, 2), scale=1e305)


def test_a_loose_proven_bound_is_shown_beside_the_estimate():
    found = weigh.weighting(cloud(300, 2), method="cg", tol=1e-6)
    assert found.info.error_kind == "rigorous"
    info = dataclasses.replace(found.info, error_bound=1e-3, error_estimate=1e-9)
    assert "estimate; proven: 1.0e-03" in repr(dataclasses.replace(found, info=info))


def test_one_point_and_many_copies_of_one():
    assert weigh.weighting([[3.0, 4.0]]).weights.tolist() == [1.0]
    assert weigh.weighting(np.ones((4, 2))).weights.tolist() == [0.25] * 4


# ---- invariances and the certificate


@examples(20)
@given(st.integers(1, 40), st.integers(1, 5), st.floats(0.05, 20), st.integers(0, 10**6))
def test_rows_may_be_permuted_and_space_moved(n, d, t, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    base = weigh.weighting(x, scale=t)
    order = rng.permutation(n)
    moved = weigh.weighting(4.0 * x[order] + 64.0, scale=t / 4.0)
    np.testing.assert_allclose(moved.weights, base.weights[order], atol=1e-8)
    assert 1 - 1e-9 <= base.magnitude <= n + 1e-9


@pytest.mark.parametrize("factor", [1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_units_do_not_matter(factor):
    x = cloud(60, 3)
    expected = weigh.weighting(x, scale=1.5).weights
    found = weigh.weighting(factor * x, scale=1.5 / factor)
    np.testing.assert_allclose(found.weights, expected, atol=1e-10)


def test_data_far_from_the_origin_keeps_its_digits():
    x = np.round(cloud(100, 2) * 2**20) / 2**20
    np.testing.assert_array_equal(weigh.weighting(x + 2.0**20).weights, weigh.weighting(x).weights)


@pytest.mark.parametrize("tol", [1e-3, 1e-4, 1e-8])
@pytest.mark.parametrize("d", [2, 6])
def test_the_magnitude_lies_within_its_proven_bound(tol, d):
    x = cloud(800, d)
    exact = linalg.solve(reference.similarity(x, 2.0), np.ones(800), assume_a="pos").sum()
    found = weigh.weighting(x, scale=2.0, method="cg", tol=tol)
    info = found.info
    if tol <= 1e-4:  # else the proof is looser than the magnitude itself, and an estimate is stated
        assert info.error_kind == "rigorous"
    slack = 1e-10 * exact
    assert info.lower_bound <= exact + slack
    assert exact <= info.lower_bound + info.error_bound + slack
    assert exact <= info.lower_bound + info.error_estimate + slack


@examples(30)
@given(st.integers(2, 40), st.integers(1, 6), st.floats(0.05, 50), st.integers(0, 10**6))
def test_the_proven_eigenvalue_is_below_the_smallest(n, d, t, seed):
    x = cloud(n, d + 1, seed)
    proven = weigh.weighting(x, scale=t).info.smallest_eigenvalue
    smallest = np.linalg.eigvalsh(reference.similarity(x, t))[0]
    assert proven is not None
    assert 0 < proven <= smallest + 1e-14


def test_a_small_scale_has_a_proven_bound_too():
    x = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), -1).reshape(-1, 2)
    for t in (1e-3, 1e-1, 10.0):
        info = weigh.weighting(x, scale=t).info
        assert 0 < info.smallest_eigenvalue <= np.linalg.eigvalsh(reference.similarity(x, t))[0] + 1e-15


def test_jitter_is_what_was_asked_for():
    x = cloud(50, 2)
    Z = reference.similarity(x, 1.0) + 0.1 * np.eye(50)
    for method in ("cholesky", "mixed", "cg", "direct"):
        found = weigh.weighting(x, jitter=0.1, method=method, tol=1e-11)
        np.testing.assert_allclose(Z @ found.weights, 1, atol=1e-9)
        assert found.info.jitter == 0.1


def test_a_missed_tolerance_is_said():
    with pytest.warns(ConvergenceWarning, match=r"residual of .* > tol"):
        found = weigh.weighting(cloud(100, 2), tol=1e-30)
    assert not found.info.converged


# ---- threads, instruction sets, fork, Ctrl-C


def big_cg(n_threads=1):
    return weigh.weighting(cloud(4000, 3), scale=1.0, method="cg", n_threads=n_threads)


def test_conjugate_gradients_carry_the_same_bits_for_any_number_of_threads(equal_over_threads):
    assert np.isfinite(equal_over_threads(lambda k: big_cg(k).weights)).all()


def small_weights():
    return [
        weigh.weighting(cloud(n, 5), scale=2.0, method=m).weights
        for n in (7, 97, 700)
        for m in ("cholesky", "cg")
    ]


def test_every_instruction_set_agrees(isa_level, on_isa):
    for found, expected in zip(on_isa(isa_level, small_weights), small_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_forked_child_solves(in_fork):
    np.testing.assert_array_equal(in_fork(big_cg, 2).weights, big_cg(2).weights)


def endless():
    weigh.weighting(cloud(20_000, 12), scale=0.02, method="cg", tol=1e-14)


def test_ctrl_c_is_answered(ctrl_c):
    answer = ctrl_c(endless, after=0.3, within="weigh._weights_by_gradients")
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0  # loaded machines; the kernels poll every few milliseconds


def test_progress_is_reported():
    seen = []
    weigh.weighting(cloud(3500, 3), method="cg", progress=lambda done, total: seen.append(done))
    assert seen


# ---- input


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    x = np.arange(24.0).reshape(12, 2) % 7
    hostile.check_same(lambda a: weigh.weighting(a, scale=0.5).weights, x, variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(weigh.weighting, np.arange(24.0).reshape(12, 2), variant, "X")


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"inf"}))
def test_nonsense_distances_are_refused_by_name(variant):
    D = reference.distances(np.arange(6.0)[:, None])
    hostile.check_refused(lambda a: weigh.weighting(a, metric="precomputed"), D, variant, "X")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scale": 0.0}, "scale must be positive"),
        ({"scale": -1.0}, "scale must be positive"),
        ({"scale": np.nan}, "scale must be finite"),
        ({"scale": "big"}, "scale must be one of"),
        ({"scale": True}, "scale must be a number"),
        ({"metric": "mahalanobis"}, "metric must be one of"),
        ({"metric": "minkowski(0.5)"}, "p >= 1"),
        ({"metric": "minkowski(x)"}, "p >= 1"),
        ({"metric": "jaccard"}, "X must hold booleans"),
        ({"method": "magic"}, "method must be one of"),
        ({"method": "line"}, "one feature"),
        ({"tol": 0}, "tol must be positive"),
        ({"jitter": -1}, "jitter must be zero or positive"),
        ({"fraction": 1.5, "scale": "fraction"}, "fraction must lie"),
        ({"n_threads": 0}, "n_threads must be at least 1"),
        ({"progress": 3}, "progress must be callable"),
    ],
)
def test_wrong_arguments_are_named(arguments, match):
    with pytest.raises((ValueError, TypeError), match=match):
        weigh.weighting(cloud(5, 2), **arguments)


@pytest.mark.parametrize(
    ("D", "match"),
    [
        (np.ones((3, 3)), "diagonal of zeros"),
        (-np.ones((3, 3)) + np.eye(3), "distances >= 0"),
        (np.zeros((2, 3)), "square matrix"),
        (np.ones(4), "no n"),
    ],
)
def test_what_is_no_distance_is_refused(D, match):
    with pytest.raises(ValueError, match=match):
        weigh.weighting(D, metric="precomputed")


def test_rows_without_an_angle_are_refused():
    with pytest.raises(ValueError, match="rows of zeros"):
        weigh.weighting([[0.0, 0.0], [1.0, 0.0]], metric="cosine")


def test_the_result_reads_well():
    found = weigh.weighting(cloud(10, 2))
    assert "magnitude" in repr(found)
    assert "converged" in repr(found)
    table = found.to_frame()
    assert (np.diff(table["weight"]) <= 0).all()
    assert found.weights[table["row"][0]] == table["weight"][0]
    with pytest.raises(ValueError, match="read-only"):
        found.weights[0] = 1.0


def test_a_diagonal_of_rounding_is_no_distance():
    D = np.abs(np.subtract.outer([0.0, 1, 3], [0.0, 1, 3]))
    rough = D + 1.1e-16 * np.eye(3)
    same = weigh.weighting(rough, metric="precomputed").weights
    np.testing.assert_array_equal(same, weigh.weighting(D, metric="precomputed").weights)
    with pytest.raises(ValueError, match="diagonal of zeros"):
        weigh.weighting(D + 1e-6 * np.eye(3), metric="precomputed")
