"""What float64 does not determine: bounds that hold, weights in 106 bits, notes on single weights."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from steelyard import ConvergenceWarning, _core, datasets, weigh

ARC = np.c_[np.cos(np.linspace(0, 0.5, 12)), np.sin(np.linspace(0, 0.5, 12))]


def exact(X, metric, scale, bits=600):
    """The magnitude and the weights as balls."""
    before, ctx.prec = ctx.prec, bits
    try:
        rows = [[arb(x) for x in row] for row in np.asarray(X, float).tolist()]
        if metric in ("cosine", "angular"):
            lengths = [sum((x * x for x in row), arb(0)).sqrt() for row in rows]
            rows = [[x / length for x in row] for row, length in zip(rows, lengths, strict=True)]

        def distance(a, b):
            gaps = [x - y for x, y in zip(a, b, strict=True)]
            if metric == "cityblock":
                return sum((abs(g) for g in gaps), arb(0))
            square = sum((g * g for g in gaps), arb(0))
            if metric == "cosine":
                return square / 2
            if metric == "euclidean":
                return square.sqrt()
            both = sum(((x + y) ** 2 for x, y in zip(a, b, strict=True)), arb(0))
            return 2 * arb.atan2(square.sqrt(), both.sqrt())

        Z = arb_mat([[(-arb(scale) * distance(a, b)).exp() if a is not b else 1 for b in rows] for a in rows])
        w = Z.solve(arb_mat([[1]] * len(rows)))
        weights = [w[i, 0] for i in range(len(rows))]
        return sum(weights, arb(0)), weights
    finally:
        ctx.prec = before


def magnitude(X, metric, scale):
    return float(exact(X, metric, scale)[0].mid())


def test_directions_on_a_short_arc_have_the_magnitude_that_90_digits_say():
    with pytest.warns(ConvergenceWarning, match="not determined in float64"):
        found = weigh.magnitude(ARC, metric="cosine", scale=1.0)
    assert magnitude(ARC, "cosine", 1.0) == pytest.approx(1.90592920248, rel=1e-10)
    assert found == pytest.approx(1.90592920248, rel=1e-8)


@pytest.mark.parametrize("method", ["auto", "cholesky", "mixed", "cg", "direct"])
def test_no_method_says_that_a_definite_kernel_has_no_weighting(method):
    X = datasets.load_iris().points()
    with pytest.warns(ConvergenceWarning, match="not determined in float64"):
        found = weigh.weighting(X, metric="cosine", method=method)
    assert found.info.positive_definite == "theory"
    assert 2.29 < found.info.lower_bound <= 2.2968805345425 <= found.info.lower_bound + found.info.error_bound
    assert found.magnitude == pytest.approx(2.2968805345, rel=1e-6)


def test_a_magnitude_function_of_narrow_cones_rises_and_says_what_float64_does_not_tell():
    X = datasets.load_iris().points()
    with pytest.warns(ConvergenceWarning, match="not determined in float64"):
        f = weigh.magnitude_function(X, [0.1, 1.0, 10.0], metric="cosine")
    assert f.magnitudes[1] == pytest.approx(2.2968805345, rel=1e-6)
    assert all(a < b for a, b in pairwise(f.magnitudes))


@pytest.mark.parametrize("scale", [0.3, 10.0])
def test_bounds_hold_where_weights_of_both_signs_cancel(scale):
    X = np.random.default_rng(3).normal(size=(28, 4)) * 0.1 + [1, 0, 0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = weigh.weighting(X, metric="cosine", scale=scale)
    w = [float(v.mid()) for v in exact(X, "cosine", scale)[1]]
    low = found.info.lower_bound
    assert low <= magnitude(X, "cosine", scale) <= low + found.info.error_bound
    np.testing.assert_allclose(found.weights, w, atol=max(found.info.weight_error, 1e-12 * np.abs(w).max()))


@pytest.mark.parametrize("metric", ["angular", "cosine"])
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12])
def test_a_common_offset_costs_directions_no_digits(metric, offset):
    rng = np.random.default_rng(0)
    X = offset + rng.normal(size=(9, 3))
    scale = (1.0 + offset) ** (1 if metric == "angular" else 2)
    info = weigh.weighting(X, metric=metric, scale=scale, method="cholesky").info
    true = magnitude(X, metric, scale)
    assert info.lower_bound <= true <= info.lower_bound + info.error_bound
    assert info.error_bound < 1e-9 * true


def test_angles_near_a_half_turn_keep_their_digits():
    for gap in (1e-3, 1e-7, 1e-9, 1e-12):
        rows = np.array([[1.0, 0.0], [-np.cos(gap), np.sin(gap)]])
        high, _ = _core.weigh._unit_rows(rows, np.zeros(2))
        for n_rows in (1, 5):
            found = _core.weigh._cross_distances(np.repeat(high[:1], n_rows, axis=0), high, "angular")
            np.testing.assert_allclose(found[:, 1], np.pi - gap, rtol=0, atol=1e-15)


def test_a_lattice_that_is_a_product_has_no_negative_weight():
    g = np.arange(10.0)
    X = np.stack(np.meshgrid(g, g, g), -1).reshape(-1, 3)
    one = weigh.weighting(g[:, None], scale=0.01).weights
    w = np.kron(np.kron(one, one), one)
    for method in ("auto", "cg"):
        found = weigh.weighting(X, metric="cityblock", scale=0.01, method=method)
        error = np.linalg.norm(found.weights - w)
        assert found.weights.min() > 0 or "single weights are open" in found.info.message
        assert error <= found.info.weight_error
        assert error < 1e-2 * np.linalg.norm(w)
        assert found.info.smallest_eigenvalue == pytest.approx(np.tanh(0.005) ** 3, rel=1e-6)


def test_hamming_weights_by_conjugate_gradients_are_right_or_said_to_be_open():
    for seed in range(5):
        X = np.random.default_rng(seed).integers(0, 3, size=(26, 4))
        for scale in (0.01, 1.0):
            exactly = weigh.weighting(X, metric="hamming", scale=scale, method="cholesky").weights
            found = weigh.weighting(X, metric="hamming", scale=scale, method="cg")
            error = np.linalg.norm(found.weights - exactly) / np.linalg.norm(exactly)
            assert error < 1e-2 or "single weights are open" in found.info.message


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "minkowski(1.5)", "angular", "hamming"])
def test_no_note_where_single_weights_are_right(metric):
    X = np.random.default_rng(1).normal(size=(300, 3)).round(1)
    X = X[np.abs(X).max(axis=1) > 0]
    found = weigh.weighting(X, metric=metric, scale=2.0, method="cg", tol=1e-10)
    exactly = weigh.weighting(X, metric=metric, scale=2.0, method="cholesky")
    assert np.linalg.norm(found.weights - exactly.weights) < 1e-6 * np.linalg.norm(exactly.weights)
    assert "open" not in found.info.message
    assert "open" not in exactly.info.message


def test_a_model_of_near_directions_does_not_say_that_they_are_not_definite():
    X = datasets.load_iris().points()
    with pytest.raises(ValueError, match="not determined in float64"):
        weigh.WeightingModel(X, metric="cosine", scale=1e-3)


def test_directions_that_float64_does_not_part_count_as_copies_and_that_is_said():
    X = np.array([[1.0, 3.0], [1.0 / 3.0, 1.0], [0.1, 0.3], [2.0, 1.0]])
    with pytest.warns(ConvergenceWarning, match="by less than float64 holds, as copies"):
        info = weigh.weighting(X, metric="cosine").info
    assert info.merged == 1
    assert info.error_bound is None
    assert weigh.weighting(X[[0, 3]], metric="cosine").info.error_bound is not None


def weights_on_a_line(n, scale):
    """Of 0, 1, ..., n - 1, in closed form."""
    half = np.tanh(scale / 2)
    return np.r_[(1 + half) / 2, np.full(n - 2, half), (1 + half) / 2]


@pytest.mark.parametrize("method", ["auto", "cholesky", "mixed", "cg"])
@pytest.mark.parametrize(("side", "d"), [(2, 2), (3, 2), (4, 2), (2, 3), (3, 3)])
def test_single_weights_of_lattices_are_as_near_as_they_say_though_symmetry_hides_errors(side, d, method):
    """Z w = 1 keeps to what the lattice's symmetries leave as it is; small eigenvalues lie elsewhere."""
    axis = np.arange(float(side))
    X = np.stack(np.meshgrid(*[axis] * d), axis=-1).reshape(-1, d)
    for scale in (1e-4, 1e-3, 0.0058, 0.063, 0.1, 1.0):
        line = weights_on_a_line(side, scale)
        exactly = line
        for _ in range(d - 1):
            exactly = np.kron(exactly, line)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = weigh.weighting(X, metric="cityblock", scale=scale, method=method)
        size = np.linalg.norm(exactly)
        assert np.linalg.norm(found.weights - exactly) <= found.info.weight_error + 1e-14 * size
        if found.info.weight_error > 1e-3 * size:
            assert "single weights are open" in found.info.message


@pytest.mark.parametrize("method", ["cg", "mixed"])
@pytest.mark.parametrize("scale", [1e-4, 1e-2, 0.1])
def test_single_weights_on_a_circle_are_as_near_as_they_say(method, scale):
    turn = np.linspace(0, 2 * np.pi, 13)[:-1]
    X = np.c_[np.cos(turn), np.sin(turn)]
    _, weights = exact(X, "euclidean", scale)
    found = weigh.weighting(X, scale=scale, method=method)
    away = np.linalg.norm([float(w.mid()) - v for w, v in zip(weights, found.weights, strict=True)])
    assert away <= found.info.weight_error + 1e-14 * np.linalg.norm(found.weights)


def test_a_magnitude_by_cosine_warns_where_directions_are_parted_by_rounding_alone():
    """Parallel but for rounding: a smooth kernel sees the direction, float64 does not. Exactly 1.4797..."""
    X = np.array([[3e30, 2.1e31], [2e30, 1.4e31], [1.3e31, 3e30]])
    with pytest.warns(ConvergenceWarning, match="the magnitude may be larger"):
        value = weigh.magnitude(X, metric="cosine", scale=1.0572402648446928)
    assert value < magnitude(X, "cosine", 1.0572402648446928)
    info = weigh.WeightingModel(X, metric="cosine", scale=1.0572402648446928).info
    assert not info.converged
    assert info.error_bound is None


@pytest.mark.parametrize("seed", range(12))
def test_grids_in_closed_form_are_within_what_they_state(seed):
    rng = np.random.default_rng(seed)
    unit, offset = rng.choice([1e-150, 1e-9, 1.0, 1e150]), rng.choice([0.0, 1e6, 1e12])
    axes = [np.unique(rng.normal(size=k) + offset) * unit for k in rng.integers(2, 5, size=2)]
    X = rng.permutation(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2))
    scale = 10 ** rng.uniform(-6, 3) / unit
    found = weigh.weighting(X, metric="cityblock", scale=scale)
    assert "on a grid" in found.info.solver
    size, weights = exact(X, "cityblock", scale)
    assert abs(float((size - found.magnitude).mid())) <= found.info.error_bound
    assert found.info.lower_bound <= float(size.mid())
    away = np.linalg.norm([float((w - v).mid()) for w, v in zip(weights, found.weights, strict=True)])
    assert away <= found.info.weight_error
