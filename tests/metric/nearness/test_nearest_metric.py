"""The nearest metric against an exact active-set solver, closed forms, an LP and its own properties."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize, nnls
from scipy.spatial.distance import pdist, squareform

import steelyard
from steelyard import _core, metric
from steelyard.reference import metric as reference
from support import hostile

pytestmark = pytest.mark.kernel


def triangle_rows(n):
    """Every inequality as a row of A x <= 0, over condensed pairs."""
    place = {pair: e for e, pair in enumerate(zip(*np.triu_indices(n, 1), strict=True))}
    rows = []
    for i, j, k in reference.triangles(n):
        row = np.zeros(len(place))
        row[place[i, j]] = 1.0
        row[place[min(i, k), max(i, k)]] -= 1.0
        row[place[min(j, k), max(j, k)]] -= 1.0
        rows.append(row)
    return np.array(rows)


def by_nnls(d, w):
    """min 1/2 ||x - d||_W^2, A x <= 0, by its dual: min ||W^-1/2 A' l - W^1/2 d||, l >= 0."""
    n = (1 + int(np.sqrt(1 + 8 * len(d)))) // 2
    A = triangle_rows(n)
    duals, _ = nnls(A.T / np.sqrt(w)[:, None], np.sqrt(w) * d, maxiter=100 * len(A))
    return d - (A.T @ duals) / w


def near_metric(n, seed):
    rng = np.random.default_rng(seed)
    d = pdist(rng.random((n, 5)))
    return d * np.maximum(0.0, 1 + 0.5 * rng.normal(size=len(d)))


def instance(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    m = n * (n - 1) // 2
    kind = seed % 4
    if kind == 0:
        d = rng.normal(size=m)
    elif kind == 1:
        d = rng.integers(0, 3, size=m).astype(float)  # ties and zeros
    elif kind == 2:
        d = near_metric(n, seed)
    else:
        d = np.ceil(1000 * rng.random(m) * rng.normal(size=m) ** 2)
    weights = rng.uniform(0.2, 5.0, size=m) if seed % 3 == 0 else np.ones(m)
    return d, weights


@pytest.mark.parametrize("block", range(10))
def test_it_is_the_answer_of_an_independent_solver(block):
    for seed in range(20 * block, 20 * block + 20):
        d, w = instance(seed)
        found = metric.nearest_metric(d, weights=w, tol=1e-9)
        scale = np.sqrt(np.mean(d**2)) or 1.0
        duals = dict(zip(map(tuple, found.triangles.tolist()), found.duals.tolist(), strict=True))
        high, low = reference.certificate(squareform(d), duals, squareform(w) + np.eye(len(squareform(d))))
        assert high - low <= 1e-8 * max(high, 1e-12 * (w @ d**2)) + 1e-15 * (w @ d**2)
        try:
            exact = by_nnls(d, w)
        except (RuntimeError, np.linalg.LinAlgError):
            # SciPy 1.13 gives up on some, or solves a singular system; the bounds above are proof enough.
            continue
        np.testing.assert_allclose(found.distances, exact, atol=1e-6 * scale, err_msg=f"seed {seed}")
        assert found.info.converged


def test_three_points_in_closed_form():
    # The long side loses a third of the excess, the short ones gain as much.
    found = metric.nearest_metric([1.0, 5.0, 1.0])
    np.testing.assert_allclose(found.distances, [2.0, 4.0, 2.0], atol=1e-6)
    assert found.objective == pytest.approx(1.5, abs=1e-6)
    assert found.triangles.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(found.duals, [1.0], atol=1e-6)


@pytest.mark.parametrize("n", [3, 5, 9, 17, 33, 63, 64, 65, 97, 129])
def test_it_is_feasible_and_certified_around_the_block_size(n):
    d = np.random.default_rng(n).normal(size=n * (n - 1) // 2)
    found = metric.nearest_metric(d)
    assert found.info.converged
    assert 0 <= found.info.error_bound <= 1e-6
    assert found.info.lower_bound <= found.objective * (1 + 1e-12)
    report = metric.violations(found.distances, tol=1e-12)
    assert report.is_pseudometric


@pytest.mark.parametrize("n", [20, 70])
def test_the_bounds_are_those_of_the_reference_from_the_same_duals(n):
    d = np.random.default_rng(n).normal(size=n * (n - 1) // 2)
    w = np.random.default_rng(1).uniform(0.5, 2, size=len(d))
    with pytest.warns(steelyard.ConvergenceWarning, match="raise max_iter or tol"):
        found = metric.nearest_metric(d, weights=w, tol=1e-12, max_iter=4)
    duals = {tuple(t): dual for t, dual in zip(found.triangles.tolist(), found.duals.tolist(), strict=True)}
    high, low = reference.certificate(squareform(d), duals, squareform(w))
    assert found.objective == pytest.approx(high, rel=1e-9)
    assert found.info.lower_bound == pytest.approx(low, rel=1e-9)
    assert not found.info.converged


def test_it_agrees_with_project_and_forget_and_triangle_fixing_in_python():
    d = squareform(np.random.default_rng(5).normal(size=66))
    found = metric.nearest_metric(d, tol=1e-8)
    np.testing.assert_allclose(found.distances, reference.project_and_forget(d, tol=1e-8)[0], atol=1e-6)
    np.testing.assert_allclose(found.distances, reference.triangle_fixing(d, sweeps=400)[0], atol=1e-4)


def test_face_steps_do_not_change_the_answer():
    d = near_metric(150, 0)
    found = metric.nearest_metric(d, tol=1e-9)
    late = found.info.trace["violation"][30:-1]
    assert late.size > 0
    assert late.min() < 1e-4  # face steps have been taken
    assert found.info.converged
    exact = metric.nearest_metric(d, tol=1e-10, init=found)
    np.testing.assert_allclose(found.distances, exact.distances, atol=1e-3)
    assert exact.info.lower_bound <= found.objective * (1 + 1e-12)
    assert found.info.lower_bound <= exact.objective * (1 + 1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_passes_with_momentum_end_at_the_optimum(weighted):
    d = near_metric(120, 3)
    w = np.random.default_rng(3).uniform(0.2, 5, size=len(d)) if weighted else np.ones(len(d))
    found = metric.nearest_metric(d, weights=w if weighted else None, tol=1e-7)
    assert found.info.iterations > 14  # passes with momentum have been made
    duals = {tuple(t): dual for t, dual in zip(found.triangles.tolist(), found.duals.tolist(), strict=True)}
    assert min(duals.values()) >= 0.0
    high, low = reference.certificate(squareform(d), duals, squareform(w))
    assert low <= high <= low * (1 + 2e-7)


def test_the_trace_falls_to_the_tolerance():
    found = metric.nearest_metric(np.random.default_rng(0).normal(size=1225), tol=1e-7)
    trace = found.info.trace
    assert trace.dtype.names == ("round", "gap", "violation", "active", "seconds")
    assert len(trace) == found.info.iterations
    assert trace["violation"][-1] <= 1e-7
    assert trace["gap"][-1] <= 1e-7
    assert np.isfinite(trace["gap"]).all()
    assert (np.diff(trace["seconds"]) >= 0).all()


def test_a_warm_start_ends_at_once():
    d = np.random.default_rng(3).normal(size=4950)
    first = metric.nearest_metric(d)
    assert metric.nearest_metric(d, init=first).info.iterations <= 2
    moved = metric.nearest_metric(d + 1e-6, init=first)
    assert moved.info.converged
    assert moved.info.iterations < first.info.iterations


@pytest.mark.parametrize("weighted", [False, True])
def test_any_number_of_threads_gives_the_same_bits(equal_over_threads, weighted):
    rng = np.random.default_rng(7)
    d = rng.normal(size=200 * 199 // 2)
    w = rng.uniform(0.5, 2, size=len(d)) if weighted else None

    def call(threads):
        found = metric.nearest_metric(d, weights=w, n_threads=threads)
        return found.distances, found.duals, found.triangles, found.info.lower_bound

    distances, duals, triangles, bound = equal_over_threads(call)
    assert len(duals) == len(triangles) > 1000
    assert bound > 0
    assert metric.violations(distances, tol=1e-12).is_pseudometric


@pytest.mark.slow
def test_passes_with_momentum_over_many_blocks_give_the_same_bits(equal_over_threads):
    d = near_metric(970, 0)  # 16 blocks: threads take squares of tiles

    def call(threads):
        with pytest.warns(steelyard.ConvergenceWarning):
            found = metric.nearest_metric(d, tol=1e-8, max_iter=14, n_threads=threads)
        return found.distances, found.duals, found.triangles, found.info.lower_bound

    *_, triangles, bound = equal_over_threads(call)
    assert len(triangles) > 100_000
    assert bound > 0


def answer():
    return metric.nearest_metric(np.random.default_rng(0).normal(size=4950), tol=1e-9).distances


def test_every_instruction_set_gives_the_answer(isa_level, on_isa):
    np.testing.assert_allclose(on_isa(isa_level, answer), answer(), atol=1e-7)


@given(st.integers(0, 10_000))
def test_relabelling_items_relabels_the_answer(seed):
    rng = np.random.default_rng(seed)
    d = squareform(rng.normal(size=45))
    order = rng.permutation(10)
    found = metric.nearest_metric(d, tol=1e-9).distances
    again = metric.nearest_metric(d[np.ix_(order, order)], tol=1e-9).distances
    np.testing.assert_allclose(again, found[np.ix_(order, order)], atol=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([1e-140, 1e-6, 3.0, 1e140]))
def test_the_unit_does_not_matter(seed, unit):
    d = np.random.default_rng(seed).normal(size=28)
    found = metric.nearest_metric(d, tol=1e-9).distances
    np.testing.assert_allclose(metric.nearest_metric(unit * d, tol=1e-9).distances / unit, found, atol=1e-6)


@given(st.integers(0, 10_000))
def test_a_metric_is_its_own_answer(seed):
    d = pdist(np.random.default_rng(seed).random((12, 2)))
    for norm in ("l2", "linf"):
        found = metric.nearest_metric(d, norm=norm)
        np.testing.assert_allclose(found.distances, d, rtol=1e-12)
        assert found.objective == pytest.approx(0.0, abs=1e-12)
        assert found.info.converged


def least_change_by_lp(d):
    n = (1 + int(np.sqrt(1 + 8 * len(d)))) // 2
    A, m, known = triangle_rows(n), len(d), ~np.isnan(d)
    eye = np.eye(m)[known]
    ones, d = np.ones((len(eye), 1)), d[known]
    rows = np.block([[A, np.zeros((len(A), 1))], [eye, -ones], [-eye, -ones]])
    right = np.concatenate([np.zeros(len(A)), d, -d])
    return linprog(np.append(np.zeros(m), 1.0), rows, right, bounds=[(0, None)] * (m + 1), method="highs").fun


@pytest.mark.parametrize("seed", range(12))
def test_the_least_largest_change_is_that_of_a_linear_programme(seed):
    d, _ = instance(seed)
    found = metric.nearest_metric(d, norm="linf", tol=1e-10)
    assert found.objective == pytest.approx(least_change_by_lp(d), abs=1e-8 * max(1.0, np.abs(d).max()))
    assert metric.violations(found.distances, tol=1e-9 * np.abs(d).max()).is_pseudometric
    assert found.objective == pytest.approx(
        np.abs(reference.nearest_linf(squareform(d)) - squareform(d)).max()
    )


def check_least_change(found, d, exact):
    """Proven, attained and a metric, each to the rounding of d."""
    known = ~np.isnan(d)
    rounding = 16 * np.finfo(float).eps * np.abs(d[known]).max()
    assert found.objective == np.abs(found.distances - d)[known].max()
    assert found.info.lower_bound <= found.objective
    assert found.objective == pytest.approx(exact, rel=1e-6, abs=rounding)
    assert found.info.lower_bound <= exact + 1e-12 * np.abs(d[known]).max()
    assert found.info.converged
    x = squareform(found.distances)
    assert metric.violations(x, tol=rounding).is_pseudometric


def test_an_excess_is_spread_over_the_three_sides():
    found = metric.nearest_metric([2.0, 3.2, 0.9], norm="linf")
    check_least_change(found, np.array([2.0, 3.2, 0.9]), 0.1)
    np.testing.assert_allclose(found.distances, [2.1, 3.1, 1.0])


@pytest.mark.parametrize("missing", ["error", "free"])
def test_three_points_with_one_decimal_have_the_least_largest_change_of_the_closed_form(missing):
    tenths = np.random.default_rng(0).integers(-10, 60, size=(1000, 3))
    for sides in tenths.tolist():
        a, b, c = sorted(sides)
        d = np.array(sides) / 10
        found = metric.nearest_metric(d, norm="linf", missing=missing)
        exact = max(Fraction(c - a - b, 30), Fraction(-a, 10), Fraction(0))
        check_least_change(found, d, float(exact))


@pytest.mark.parametrize("n", range(4, 13))
@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_distances_with_a_little_noise_have_the_least_largest_change_of_a_linear_programme(n, gaps):
    for seed in range(3):
        rng = np.random.default_rng((n, seed))
        d = pdist(rng.normal(size=(n, 2))) * (1 + 0.01 * rng.normal(size=n * (n - 1) // 2))
        d[: n - 1] *= 1 + 0.01 * rng.random(n - 1)  # the star keeps all joined
        d[n - 1 :][rng.random(len(d) - n + 1) < gaps] = np.nan
        found = metric.nearest_metric(d, norm="linf", missing="free" if gaps else "error")
        check_least_change(found, d, least_change_by_lp(d))


@pytest.mark.parametrize("n", [5, 30])
def test_a_lower_bound_on_the_largest_change_is_that_of_a_path_in_exact_arithmetic(n):
    for seed in range(5):
        d = near_metric(n, seed)
        found = metric.nearest_metric(d, norm="linf")
        assert found.objective <= found.info.lower_bound * (1 + 1e-6)
        if found.info.lower_bound == 0:  # a metric
            continue
        t = Fraction(np.nextafter(found.info.lower_bound, 0.0))
        lengths = [[Fraction(0) if i == j else Fraction(v) + t for j, v in enumerate(row)]
                   for i, row in enumerate(squareform(d).tolist())]  # fmt: skip
        for k, i, j in itertools.product(range(n), repeat=3):
            lengths[i][j] = min(lengths[i][j], lengths[i][k] + lengths[k][j])
        paths = np.array([lengths[i][j] for i, j in zip(*np.triu_indices(n, 1), strict=True)])
        # A smaller change is not enough.
        assert min(paths - [Fraction(v) - t for v in d.tolist()]) < 0


def test_a_tolerance_beyond_rounding_ends_and_is_met_to_rounding():
    d = np.random.default_rng(0).normal(size=45)
    found = metric.nearest_metric(d, norm="linf", tol=1e-300)
    check_least_change(found, d, least_change_by_lp(d))
    assert found.info.iterations < 50


def test_float32_distances_are_symmetric_to_their_digits():
    d = squareform(np.random.default_rng(0).random(45)).astype(np.float32)
    d[3, 5] = np.nextafter(d[3, 5], np.float32(2))
    assert metric.nearest_metric(d).info.converged
    with pytest.raises(ValueError, match="D must be symmetric"):
        metric.nearest_metric(d.astype(float))


@pytest.mark.parametrize("seed", range(6))
def test_an_upper_bound_and_a_moved_target_are_solved_too(seed):
    rng = np.random.default_rng(seed)
    n, m, upper = 5, 10, 0.8
    w, first, d = rng.uniform(0.5, 2, size=m), rng.normal(size=m), 1.5 * rng.normal(size=m)
    problem = _core.metric._Nearness(n, first, w, upper)
    problem.solve(1e-6)
    problem.set_target(n, d)  # the duals of the first one are the start
    assert problem.solve(1e-10)["converged"]
    exact = minimize(
        lambda x: 0.5 * w @ (x - d) ** 2,
        np.full(m, 0.5),
        jac=lambda x: w * (x - d),
        bounds=[(0, upper)] * m,
        constraints={"type": "ineq", "fun": lambda x: -triangle_rows(n) @ x},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    np.testing.assert_allclose(problem.feasible(), exact.x, atol=1e-5)
    assert problem.dual <= exact.fun + 1e-9
    # What x gives up beside the triangles is the dual of the bound: only where x meets it.
    above = w * (d - problem.solution()) - problem.pull()
    assert (above[problem.solution() < upper - 1e-6] <= 1e-6).all()


def test_decreasing_only_gives_shortest_paths():
    d = squareform(np.random.default_rng(0).random(4950))
    found = metric.nearest_metric(d, decrease_only=True)
    np.testing.assert_allclose(found.distances, reference.closure(d), rtol=1e-12)
    assert (found.distances <= d).all()
    with pytest.raises(ValueError, match="D has 1 negative entries"):
        metric.nearest_metric([1.0, -2.0, 1.0], decrease_only=True)


@pytest.mark.parametrize(("d", "expected"), [([3.0], [3.0]), ([-3.0], [0.0]), ([0.0], [0.0])])
def test_two_items_have_no_triangle(d, expected):
    for norm in ("l2", "linf"):
        assert metric.nearest_metric(d, norm=norm).distances.tolist() == expected


def test_one_item_and_zeros():
    assert metric.nearest_metric([[0.0]]).distances.tolist() == [[0.0]]
    found = metric.nearest_metric(np.zeros((5, 5)))
    assert found.info.converged
    assert not found.distances.any()


def test_all_negative_gives_zeros():
    found = metric.nearest_metric(-np.ones(10))
    np.testing.assert_allclose(found.distances, np.zeros(10), atol=1e-6)
    assert found.objective == pytest.approx(5.0, rel=1e-5)


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID, without={"float32"}))
def test_any_layout_gives_the_same_answer(variant):
    d = squareform(np.random.default_rng(0).random(45))
    hostile.check_same(lambda a: metric.nearest_metric(a).distances, d, variant)


@pytest.mark.parametrize("call", [metric.nearest_metric, metric.violations])
@pytest.mark.parametrize(
    ("D", "message"),
    [
        ([1.0, np.nan, 2.0], "D has 1 entries that are NaN or infinite"),
        ([1.0, 2.0], r"D must have n \(n - 1\) / 2 entries"),
        ([[0.0, 1.0], [2.0, 0.0]], "D must be symmetric, got 1.0 at"),
        ([[1.0, 1.0], [1.0, 0.0]], "D must have a zero diagonal, got 1.0 in row 0"),
        ([[0.0, 1.0]], "D must be square"),
        (np.zeros((0, 0)), "D must be square and not empty"),
        ([1e200, 1.0, 1.0], "rescale it"),
    ],
)
def test_nonsense_is_refused_by_name(call, D, message):
    with pytest.raises(ValueError, match=message):
        call(D)


def test_wrong_arguments_are_refused_by_name():
    d = [1.0, 5.0, 1.0]
    with pytest.raises(ValueError, match="norm must be one of 'l2', 'l1', 'linf'"):
        metric.nearest_metric(d, norm="l3")
    with pytest.raises(ValueError, match="weights must be positive"):
        metric.nearest_metric(d, weights=[1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="weights must be those of 3 items"):
        metric.nearest_metric(d, weights=[1.0])
    with pytest.raises(ValueError, match="weights go with norm='l2'"):
        metric.nearest_metric(d, weights=d, norm="linf")
    with pytest.raises(TypeError, match="init must be a NearestMetric"):
        metric.nearest_metric(d, init=3)
    with pytest.raises(ValueError, match="init must be of 3 items, got 2"):
        metric.nearest_metric(d, init=metric.nearest_metric([1.0]))
    with pytest.raises(TypeError, match="D must hold real numbers"):
        metric.nearest_metric(["a", "b", "c"])


def long_call():
    metric.nearest_metric(near_metric(700, 0), tol=1e-9)


def long_least_change():
    # One closure takes many seconds.
    metric.nearest_metric(np.abs(np.random.default_rng(0).normal(size=3999 * 2000)), norm="linf")


def test_ctrl_c_brings_a_metric_and_what_is_proven_of_its_largest_change(ctrl_c):
    answer = ctrl_c(long_least_change, after=0.3, within="metric._metric_closure")
    assert answer.raised
    assert answer.seconds < 2.0
    assert isinstance(answer.partial, metric.NearestMetric)
    assert answer.partial.info.lower_bound <= answer.partial.objective


def test_ctrl_c_between_two_closures_brings_the_better_metric(monkeypatch):
    closure, calls = _core.metric._metric_closure, []

    def once(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return closure(*arguments)

    monkeypatch.setattr(_core.metric, "_metric_closure", once)
    d = near_metric(30, 0)
    with pytest.raises(KeyboardInterrupt) as caught:
        metric.nearest_metric(d, norm="linf")
    found = caught.value.partial
    assert metric.violations(found.distances, tol=1e-12).is_pseudometric
    assert 0 < found.info.lower_bound <= found.objective == np.abs(found.distances - d).max()


def test_ctrl_c_brings_the_best_so_far(ctrl_c):
    answer = ctrl_c(long_call, after=0.3, within="metric._Nearness")
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert metric.violations(answer.partial.distances, tol=1e-9).is_pseudometric


def test_a_diagonal_of_rounding_is_no_diagonal():
    X = np.random.default_rng(0).normal(size=(8, 5))
    D = 1 - np.corrcoef(X)
    np.fill_diagonal(D, 1.1e-16)
    clean = D.copy()
    np.fill_diagonal(clean, 0.0)
    for options in ({}, {"missing": "free"}):
        found = metric.nearest_metric((D + D.T) / 2, **options)
        np.testing.assert_array_equal(
            found.distances, metric.nearest_metric((clean + clean.T) / 2, **options).distances
        )
    D[2, 2] = 1e-6
    with pytest.raises(ValueError, match="zero diagonal"):
        metric.nearest_metric((D + D.T) / 2)


def test_the_diagonal_of_weights_says_nothing():
    D = np.array([[0, 1, 9.0, 2], [1, 0, 1, 2], [9, 1, 0, 2], [2, 2, 2, 0]])
    holes = D.copy()
    holes[0, 3] = holes[3, 0] = np.nan
    for array, options in ((D, {}), (holes, {"missing": "free"})):
        plain = metric.nearest_metric(array, weights=np.ones((4, 4)) - np.eye(4), **options)
        same = metric.nearest_metric(array, weights=np.ones((4, 4)), **options)
        np.testing.assert_array_equal(same.distances, plain.distances)


def test_one_item_may_be_condensed():
    assert metric.nearest_metric([]).distances.shape == (0,)
    assert metric.nearest_metric([[0.0]]).distances.shape == (1, 1)
    assert metric.violations([]).n_broken == metric.violations([[0.0]]).n_broken == 0


def test_infinite_entries_are_told_to_become_nan_first():
    with pytest.raises(ValueError, match=r"written as NaN and not as inf"):
        metric.nearest_metric([1.0, 2.0, np.inf])
    with pytest.raises(ValueError, match="write NaN where a pair is unknown"):
        metric.nearest_metric([1.0, 2.0, np.inf], missing="free")


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_tolerance_below_rounding_ends_in_words_long_before_the_last_round(symmetric):
    D = np.random.default_rng(0).random((12, 12))
    D = (D + D.T) / 2 if symmetric else D
    np.fill_diagonal(D, 0)
    with pytest.warns(steelyard.ConvergenceWarning, match="roundings only; raise tol"):
        found = metric.nearest_metric(D, symmetric=symmetric, tol=5e-324)
    assert found.info.iterations <= 256
    assert found.info.error_bound < 1e-12
