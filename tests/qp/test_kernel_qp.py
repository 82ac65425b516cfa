"""Programs with sums of groups, and kernels of points beyond what is held: closed forms, blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from steelyard import _core
from steelyard.reference import balance as reference
from steelyard.weigh import solve_simplex_qp
from steelyard.weigh._kernel_qp import KERNELS, kernel_matrix, kernel_product, minimise_kernel_qp

pytestmark = pytest.mark.kernel


def shifted_target(n, d=3, kernel="energy", seed=0, scale=1.5):
    """Points, and what balancing against others adds: minus the mean kernel to them."""
    rng = np.random.default_rng([seed, n, d])
    X, T = rng.normal(size=(n, d)), 0.8 * rng.normal(size=(n // 2, d)) + 0.3
    return X, -kernel_product(X, T, kernel, scale, np.full(len(T), 1 / len(T)))


def value(K, linear, w):
    return w @ K @ w / 2 + linear @ w


def test_weights_of_a_group_are_in_proportion_to_the_inverse_diagonal():
    d = np.array([1.0, 3.0, 2.0, 2.0, 6.0])
    groups = ["a", "a", "b", "b", "b"]
    found = solve_simplex_qp(np.diag(d), np.zeros(5), groups=groups, total=[1.0, 7.0])
    np.testing.assert_allclose(found.x, [0.75, 0.25, 3.0, 3.0, 1.0], rtol=1e-12)
    assert found.info.converged


def test_each_group_has_its_sum_and_one_group_is_no_group():
    X, linear = shifted_target(90)
    K = kernel_matrix(X, X, "energy", 1.0)
    groups = np.arange(90) % 3
    found = solve_simplex_qp(K, -linear, groups=groups, total=[0.2, 0.5, 0.3], upper=0.03)
    np.testing.assert_allclose(np.bincount(groups, found.x), [0.2, 0.5, 0.3], rtol=1e-14)
    assert found.info.converged
    alone = solve_simplex_qp(K, -linear, groups=np.zeros(90))
    np.testing.assert_array_equal(alone.x, solve_simplex_qp(K, -linear).x)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("grouped", [False, True])
def test_points_give_what_their_matrix_gives_and_what_the_reference_finds(kernel, grouped):
    X, linear = shifted_target(50, kernel=kernel)
    groups = np.arange(50) % 2 if grouped else np.zeros(50, int)
    totals, upper = np.array([0.4, 0.6] if grouped else [1.0]), np.full(50, 0.08)
    K = kernel_matrix(X, X, kernel, 1.5) + 0.01 * np.eye(50)
    how = {"groups": groups, "total": totals, "upper": upper, "ridge": 0.01}
    found = solve_simplex_qp(X, -linear, kernel=kernel, scale=1.5, **how)
    held = solve_simplex_qp(kernel_matrix(X, X, kernel, 1.5), -linear, **how)
    assert found.info.converged
    np.testing.assert_allclose(found.x, held.x, atol=1e-6)
    assert found.objective == pytest.approx(value(K, linear, found.x), abs=1e-12)
    slow = reference.kernel_program(K, linear, groups, totals, upper)
    np.testing.assert_allclose(np.bincount(groups, slow), totals, rtol=1e-12)
    least = value(K, linear, slow)
    assert found.objective - found.gap <= least + 1e-13
    assert found.objective <= least + 1e-10


def blocks(X, kernel, linear, *, upper=None, ridge=None, totals=(1.0,), groups=None, init=None, **how):
    n = len(X)
    high = np.full(n, np.inf) if upper is None else upper
    options = {"direct": 1, "block": 40, "finish": 0, "gap_tol": 1e-7, **how}
    return _core.linalg._kernel_qp(
        X, kernel, 1.5, linear, high, ridge, np.array(totals), groups, init, **options
    )


@pytest.mark.parametrize("kernel", ["energy", "laplacian", "matern32"])
def test_blocks_descend_to_the_least_objective(kernel):
    X, linear = shifted_target(400, kernel=kernel)
    found = blocks(X, kernel, linear)
    exact = minimise_kernel_qp(X, kernel, 1.5, linear, tol=1e-12)
    assert found["info"]["converged"]
    assert exact.lower_bound <= found["objective"] <= exact.objective + 1e-7
    assert found["objective"] - found["gap"] <= exact.objective
    fell = np.diff(found["info"]["trace_values"][:, 1])
    assert (fell <= 1e-7).all()
    assert found["w"].min() >= 0
    assert found["w"].sum() == pytest.approx(1.0, abs=1e-14)


def test_blocks_keep_bounds_ridge_and_the_sums_of_groups():
    n = 400
    X, linear = shifted_target(n)
    groups = (np.arange(n) % 2).astype(np.int32)
    upper, ridge, totals = np.full(n, 0.006), np.full(n, 0.05), (0.5, 1.5)
    upper[::7] = np.inf
    found = blocks(X, "energy", linear, upper=upper, ridge=ridge, totals=totals, groups=groups)
    exact = minimise_kernel_qp(
        X, "energy", 1.0, linear, groups=groups, totals=np.array(totals), upper=upper, ridge=0.05, tol=1e-12
    )
    assert found["info"]["converged"]
    assert (found["w"] >= 0).all()
    assert (found["w"] <= upper).all()
    np.testing.assert_allclose(np.bincount(groups, found["w"]), totals, rtol=1e-14)
    assert exact.lower_bound <= found["objective"] <= exact.objective + 1e-7


@pytest.mark.parametrize("kernel", ["gaussian", "matern52"])
def test_blocks_hand_over_to_the_active_set_once_few_are_free(kernel):
    X, linear = shifted_target(500, kernel=kernel)
    found = blocks(X, kernel, linear, finish=300, gap_tol=1e-13)
    assert found["info"]["solver"] == "kd blocks + active set"
    assert found["info"]["converged"]
    assert found["gap"] < 1e-12


@pytest.mark.parametrize(("kernel", "scale"), [("gaussian", 2.0), ("gaussian", 5.0)])
def test_smooth_kernels_need_few_points_of_many(kernel, scale):
    X, linear = shifted_target(1500, kernel=kernel, scale=scale)
    found = minimise_kernel_qp(X, kernel, scale, linear, tol=1e-8)
    slope = kernel_matrix(X, X, kernel, scale) @ found.weights + linear
    assert found.info.converged
    assert found.info.solver == "programs over few points"
    assert found.weights @ slope - slope.min() == pytest.approx(found.gap, abs=1e-12)
    assert found.gap <= 1e-8 + 1e-12
    assert found.weights.sum() == pytest.approx(1, abs=1e-14)


def test_few_points_keep_the_sums_of_groups_and_their_bounds():
    n, totals = 1500, np.array([0.5, 1.5])
    X, linear = shifted_target(n, kernel="gaussian")
    groups, upper = np.arange(n) % 2, np.full(n, 0.02)
    how = {"groups": groups, "totals": totals, "upper": upper, "tol": 1e-8}
    found = minimise_kernel_qp(X, "gaussian", 1.5, linear, **how)
    K = kernel_matrix(X, X, "gaussian", 1.5)
    exact = solve_simplex_qp(K, -linear, groups=groups, total=totals, upper=upper, tol=1e-11)
    assert found.info.converged
    assert (found.weights <= upper).all()
    np.testing.assert_allclose(np.bincount(groups, found.weights), totals, rtol=1e-14)
    assert exact.objective - exact.gap <= found.objective <= exact.objective + 1e-8


def test_the_gap_holds_for_any_number_of_sweeps():
    X, linear = shifted_target(300)
    exact = minimise_kernel_qp(X, "energy", 1.0, linear, tol=1e-13)
    for sweeps in (1, 2, 4):
        found = blocks(X, "energy", linear, max_sweeps=sweeps, gap_tol=1e-15)
        assert not found["info"]["converged"]
        assert found["gap"] >= found["objective"] - exact.objective > 0
        assert found["info"]["error_bound"] == found["gap"]


def test_a_sweep_is_judged_after_the_points_that_stand_out():
    """Right after the blocks, whose edges it is, gaps are tenfold."""
    X, linear = shifted_target(6000, d=4)
    found = blocks(X, "energy", linear, block=400, gap_tol=1e-6, max_sweeps=10)
    assert found["info"]["converged"]
    assert found["info"]["trace_values"][3, 2] < 1e-3


def test_gaps_fall_as_fast_with_many_blocks():
    """Blocks that are solved at once from the same slopes undo each other: two at once, of however many."""
    X, linear = shifted_target(4000, d=4)
    few = blocks(X, "energy", linear, block=400, gap_tol=1e-6)
    many = blocks(X, "energy", linear, block=50, gap_tol=1e-6)
    assert few["info"]["converged"]
    assert many["info"]["converged"]
    assert many["info"]["iterations"] <= 2 * few["info"]["iterations"]


def test_a_start_with_one_weight_spreads():
    X, linear = shifted_target(600)
    start = np.zeros(600)
    start[3] = 1.0
    found, even = (blocks(X, "energy", linear, init=init) for init in (start, None))
    assert found["info"]["converged"]
    assert found["objective"] == pytest.approx(even["objective"], abs=1e-7)
    assert found["info"]["iterations"] <= even["info"]["iterations"] + 5


def test_copies_share_a_weight():
    X, linear = shifted_target(60)
    twice, both = np.concatenate([X, X[:20]]), np.concatenate([linear, linear[:20]])
    found = minimise_kernel_qp(twice, "energy", 1.0, both, ridge=1e-3, tol=1e-13)
    np.testing.assert_array_equal(found.weights[:20], found.weights[60:])
    K = kernel_matrix(twice, twice, "energy", 1.0)
    held = solve_simplex_qp(K, -both, ridge=1e-3)
    assert found.objective == pytest.approx(held.objective, abs=1e-12)
    assert "20 of 80 rows are copies" in found.info.message


def test_a_start_at_the_optimum_is_the_end():
    X, linear = shifted_target(200)
    K = kernel_matrix(X, X, "energy", 1.0)
    found = solve_simplex_qp(K, -linear)
    again = solve_simplex_qp(K, -linear, init=found.x)
    assert again.info.iterations < 5 < found.info.iterations
    np.testing.assert_allclose(again.x, found.x, atol=1e-12)
    far = solve_simplex_qp(K, -linear, init=np.arange(200.0))
    np.testing.assert_allclose(far.x, found.x, atol=1e-8)
    assert blocks(X, "energy", linear, init=found.x, gap_tol=1e-6)["info"]["iterations"] == 0


def test_the_bits_do_not_depend_on_threads(equal_over_threads):
    X, linear = shifted_target(300)
    equal_over_threads(lambda threads: blocks(X, "energy", linear, max_sweeps=3, n_threads=threads))


@pytest.mark.parametrize("kernel", KERNELS)
def test_products_agree_with_scipys_distances(kernel):
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 4))
    v = np.linspace(-1, 1, 30)
    r = cdist(X, Y)
    truth = {
        "energy": -r,
        "laplacian": np.exp(-r / 2),
        "gaussian": np.exp(-(r**2) / 8),
        "matern32": (1 + np.sqrt(3) * r / 2) * np.exp(-np.sqrt(3) * r / 2),
        "matern52": (1 + np.sqrt(5) * r / 2 + 5 * r**2 / 12) * np.exp(-np.sqrt(5) * r / 2),
        "linear": X @ Y.T,
    }[kernel]
    np.testing.assert_allclose(kernel_product(X, Y, kernel, 2.0, v), truth @ v, atol=1e-13)


def endless_blocks():
    X, linear = shifted_target(6000)
    while True:
        solve_simplex_qp(X, -linear, kernel="energy", tol=1e-15)


@pytest.mark.parametrize("after", [0.3, 1.0])
def test_ctrl_c_leaves_feasible_weights(ctrl_c, after):
    outcome = ctrl_c(endless_blocks, after=after, within="linalg._kernel_qp")
    assert outcome.raised
    assert outcome.has_partial
    assert outcome.partial.info.interrupted
    assert outcome.partial.x.sum() == pytest.approx(1.0)
    assert (outcome.partial.x >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [0, 1]}, r"groups must have shape \(3,\)"),
        ({"groups": [0, 0, 1], "total": [1.0]}, "total must have length 2"),
        ({"groups": [0, 0, 1], "total": None}, "total must be given with groups"),
        ({"groups": [0, 0, 1], "total": [1.0, 5.0], "upper": 2}, "total of group 1 must be at most the sum"),
        ({"total": [0.5, 0.5]}, "total"),
        ({"ridge": -1.0}, "ridge must be at least 0"),
        ({"init": [1.0, np.nan, 0.0]}, "init"),
        ({"kernel": "cosine"}, "kernel must be one of"),
        ({"kernel": "energy", "lower": 0.1}, "lower must be 0 with a kernel"),
        ({"kernel": "energy", "total": None}, "total must be given with a kernel"),
        ({"kernel": "gaussian", "scale": 0.0}, "scale must be"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        solve_simplex_qp(np.eye(3), np.zeros(3), **options)


def test_points_that_are_none_are_refused():
    with pytest.raises(ValueError, match="K has 1 rows with NaN"):
        solve_simplex_qp([[0.0], [np.nan]], [0.0, 0.0], kernel="energy")
    with pytest.raises(ValueError, match="K must hold points"):
        solve_simplex_qp([0.0, 1.0], [0.0, 0.0], kernel="energy")
