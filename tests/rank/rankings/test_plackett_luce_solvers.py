"""The solvers of Plackett-Luce against each other, the plain iterations and Bradley-Terry's."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry, plackett_luce
from steelyard.rank._table import read_rankings
from steelyard.reference import rankings as reference
from support import interrupt
from support.examples import examples

pytestmark = pytest.mark.kernel

SOLVERS = ["newton", "newman", "zermelo"]


def drawn(seed, n=6, count=40, most=5, spread=0.7):
    """Random partial rankings of some of n items."""
    rng = np.random.default_rng(seed)
    s = spread * rng.normal(size=n)
    rows = []
    for _ in range(count):
        chosen = rng.choice(n, rng.integers(2, most + 1), replace=False)
        rows.append(chosen[np.argsort(-(s[chosen] + rng.gumbel(size=len(chosen))))])
    return rows


def many(n, count, length, seed=0, spread=1.0):
    """Full rankings of `length` items each, as an array."""
    rng = np.random.default_rng(seed)
    s = spread * rng.normal(size=n)
    chosen = (
        rng.integers(0, n, (count, 1)) + np.cumsum(rng.integers(1, n // length, (count, length)), 1)
    ) % n
    order = np.argsort(-(s[chosen] + rng.gumbel(size=chosen.shape)), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def fitted(rows, n=6, **options):
    return plackett_luce([np.asarray(row).tolist() for row in rows], items=range(n), **options)


def quietly(rows, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.ConvergenceWarning)
        warnings.simplefilter("ignore", steelyard.DisconnectedWarning)
        return fitted(rows, **options)


def kernel_fit(rows, linear, **options):
    """The Newton kernel with its linear solver by name."""
    return solve(read_rankings(rows, None, None, None), linear, **options)


def solve(table, linear, **options):
    defaults = {"weight": None, "prior": 0.0, "solver": "newton", "tol": 1e-10, "max_iter": 100}
    defaults |= {"warm_sweeps": 0, "strengths": np.zeros(table.n), "n_threads": 1, "progress": None}
    return _core.rank._fit_plackett_luce(rankings=table.kernel, linear=linear, **(defaults | options))


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.booleans())
def test_all_solvers_end_at_the_same_strengths(seed, prior, weighted):
    rows = drawn(seed % 100)
    weights = np.random.default_rng(seed).uniform(0.2, 3.0, len(rows)) if weighted else None
    fits = [fitted(rows, solver=solver, prior=prior, sample_weight=weights) for solver in (*SOLVERS, "auto")]
    for fit in fits:
        assert fit.info.converged
        assert fit.info.error_bound <= 1e-10
        np.testing.assert_allclose(fit.strengths, fits[0].strengths, atol=1e-9)
        np.testing.assert_allclose(fit.info.shift, fits[0].info.shift, atol=1e-9)
        assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-8)


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5]))
def test_all_solvers_agree_on_first_choices(seed, prior):
    rows = drawn(seed % 100, count=120)
    assume(len({row[0] for row in rows}) == 6)  # an item that is never chosen has no finite strength
    choices = [row[0] for row in rows], [row[1:].tolist() for row in rows]
    fits = [plackett_luce(choices=choices, solver=solver, prior=prior, items=range(6)) for solver in SOLVERS]
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.strengths, fits[0].strengths, atol=1e-9)


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.4]), st.integers(1, 4))
def test_sweeps_are_those_of_the_plain_iterations(seed, prior, sweeps):
    rows = drawn(seed % 100, count=25)
    try:
        newman = quietly(rows, solver="newman", prior=prior, max_iter=sweeps, tol=1e-14)
        zermelo = quietly(rows, solver="zermelo", prior=prior, max_iter=sweeps, tol=1e-14)
    except steelyard.DisconnectedError:
        return
    plain = reference.newman(rows, 6, prior=prior, sweeps=sweeps)
    np.testing.assert_allclose(newman.strengths + newman.info.shift, plain, atol=1e-12)
    plain = reference.fit(rows, 6, prior=prior, sweeps=sweeps)
    np.testing.assert_allclose(zermelo.strengths + zermelo.info.shift, plain, atol=1e-12)


@pytest.mark.parametrize("prior", [0.0, 0.4])
def test_choices_sweep_as_the_plain_iteration(prior):
    rows = drawn(7, count=60)
    choices = [row[0] for row in rows], [row[1:].tolist() for row in rows]
    with pytest.warns(steelyard.ConvergenceWarning):
        fit = plackett_luce(choices=choices, solver="newman", prior=prior, max_iter=3, items=range(6))
    plain = reference.newman(rows, 6, prior=prior, sweeps=3, known=[1] * len(rows))
    np.testing.assert_allclose(fit.strengths + fit.info.shift, plain, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_partly_known_rankings_sweep_as_the_plain_iteration_and_agree(seed):
    rng = np.random.default_rng(seed)
    rows = drawn(seed, count=30)
    known = [int(rng.integers(1, len(row))) for row in rows]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    codes = np.concatenate(rows).astype(np.int32)
    table = _core.rank.Rankings(starts, codes, np.array(known, np.int32), 6)
    options = {"weight": None, "prior": 0.4, "linear": "auto", "warm_sweeps": 0, "strengths": np.zeros(6)}
    options |= {"n_threads": 1, "progress": None, "tol": 1e-11}
    few = _core.rank._fit_plackett_luce(table, solver="newman", max_iter=3, **options)
    plain = reference.newman(rows, 6, prior=0.4, sweeps=3, known=known)
    np.testing.assert_allclose(few["strengths"], plain, atol=1e-12)
    fits = [
        _core.rank._fit_plackett_luce(table, solver=solver, max_iter=9999, **options) for solver in SOLVERS
    ]
    for fit in fits[1:]:
        assert fit["info"]["converged"]
        np.testing.assert_allclose(fit["strengths"], fits[0]["strengths"], atol=1e-9)


@pytest.mark.parametrize("solver", ["newman", "zermelo"])
@pytest.mark.parametrize("prior", [0.0, 0.7])
@pytest.mark.parametrize("sweeps", [1, 2, 7])
def test_on_pairs_each_sweep_is_that_of_bradley_terry(solver, prior, sweeps):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 300)
    second = (first + rng.integers(1, 8, 300)) % 8
    options = {"solver": solver, "prior": prior, "max_iter": sweeps, "tol": 1e-14}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.ConvergenceWarning)
        fit = plackett_luce(np.c_[first, second], **options)
        other = bradley_terry(Comparisons.from_pairs(first, second), **options)
    np.testing.assert_allclose(fit.strengths, other.strengths, atol=1e-13)
    assert fit.info.shift == pytest.approx(other.info.shift, abs=1e-13)
    assert fit.info.error_bound == pytest.approx(other.info.error_bound, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood)


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.2]), st.sampled_from(["newman", "zermelo"]))
def test_no_sweep_lowers_the_log_posterior(seed, prior, solver):
    rows = drawn(seed, spread=3.0)
    last = -np.inf
    for sweeps in range(1, 8):
        try:
            fit = quietly(rows, solver=solver, prior=prior, max_iter=sweeps, tol=1e-14)
        except steelyard.DisconnectedError:
            return  # no optimum to climb to
        s = fit.strengths + fit.info.shift
        value = fit.log_likelihood - prior * (np.logaddexp(0, s) + np.logaddexp(0, -s)).sum()
        assert value >= last - 1e-10
        last = value


@pytest.mark.parametrize("solver", SOLVERS)
def test_two_items_have_a_closed_form(solver):
    rows = [["a", "b"]] * 7 + [["b", "a"]] * 2
    fit = plackett_luce(rows, solver=solver)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(7 / 2), abs=1e-9)
    strong = plackett_luce(rows, solver=solver, prior=1e6)
    assert np.abs(strong.strengths).max() < 1e-5


@pytest.mark.parametrize("solver", SOLVERS)
def test_first_choices_from_all_items_are_log_shares(solver):
    counts = {"a": 10, "b": 5, "c": 1, "d": 24}
    winner = [item for item, count in counts.items() for _ in range(count)]
    others = [[item for item in counts if item != best] for best in winner]
    fit = plackett_luce(choices=(winner, others), solver=solver)
    shares = np.array([counts[item] for item in fit.items]) / len(winner)
    np.testing.assert_allclose(fit.strengths, np.log(shares) - np.log(shares).mean(), atol=1e-9)
    np.testing.assert_allclose(fit.predict(list(counts)), [counts[k] / 40 for k in counts], atol=1e-9)


def test_strengths_a_thousand_apart_do_not_overflow():
    weights = [1.0, 1e-200, 1.0, 1e-200, 1.0, 1e-200]
    rows = [["a", "b"], ["b", "a"], ["b", "c"], ["c", "b"], ["c", "d"], ["d", "c"]]
    fit = plackett_luce(rows, sample_weight=weights, solver="newman", tol=1e-4)
    assert fit.strengths[0] - fit.strengths[3] == pytest.approx(3 * np.log(1e200), rel=1e-2)
    assert np.isfinite(fit.log_likelihood)


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_all_linear_solvers_agree(prior):
    rows = many(300, 900, 8)
    names = {
        "dense": "dense Cholesky",
        "sparse": "sparse Cholesky",
        "cg": "preconditioned conjugate gradients",
    }
    found = {linear: kernel_fit(rows, linear, prior=prior) for linear in names}
    right = np.random.default_rng(0).normal(size=(300, 3))
    right -= right.mean(axis=0)
    solved = {}
    for linear, name in names.items():
        assert found[linear]["info"]["solver"].startswith(f"newton ({name}")
        assert found[linear]["info"]["converged"]
        np.testing.assert_allclose(found[linear]["strengths"], found["dense"]["strengths"], atol=1e-9)
        table = read_rankings(rows, None, None, None)
        at = table.kernel, None, prior, found["dense"]["strengths"]
        solved[linear] = _core.rank._solve_ranking_system(*at, right, linear, 1e-12, 1)
        np.testing.assert_allclose(solved[linear], solved["dense"], rtol=1e-7, atol=1e-10)
        product = _core.rank._ranking_derivatives(*at, False, solved[linear], 1)["product"]
        np.testing.assert_allclose(product, right, atol=1e-9)


@pytest.mark.parametrize("prior", [0.0, 0.5, 1e-6])
@pytest.mark.parametrize("seed", range(3))
def test_the_decrement_of_conjugate_gradients_is_an_upper_bound(seed, prior):
    rows = many(60, 300, 5, seed=seed)
    for steps in range(1, 5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = kernel_fit(rows, "cg", max_iter=steps, prior=prior)
        table = read_rankings(rows, None, None, None)
        at = table.kernel, None, prior, found["strengths"]
        d = _core.rank._ranking_derivatives(*at, True, None, 1)
        full = np.tril(d["hessian"], -1)
        full += full.T + np.diag(d["diagonal"])
        exact = np.sqrt(d["gradient"] @ np.linalg.pinv(full) @ d["gradient"])
        assert found["info"]["error_bound"] >= exact * (1 - 1e-9) - 1e-13
        assert found["info"]["error_bound"] <= 100 * exact + 1e-12


def ladder(n, rounds, length):
    """Rankings of items next to each other on a long ladder."""
    rng = np.random.default_rng(0)
    return np.array([i + rng.permutation(length + 1)[:length] for i in range(n) for _ in range(rounds)])


def test_a_ladder_of_items_is_eliminated():
    rows = ladder(1500, 4, 3)
    fit = plackett_luce(rows)
    assert fit.info.converged
    assert fit.info.solver.startswith("newton (sparse Cholesky")
    np.testing.assert_allclose(fit.strengths, kernel_fit(rows, "cg")["strengths"], atol=1e-7)
    np.testing.assert_allclose(
        fit.standard_errors(items=[0, 700]), fit.standard_errors()[[0, 700]], rtol=1e-6
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_every_number_of_threads_gives_the_same_bits(equal_over_threads, solver, prior):
    rows = many(700, 9000, 7)

    def call(n_threads):
        fit = quietly(rows, n=700, solver=solver, prior=prior, max_iter=12, n_threads=n_threads)
        errors = fit.standard_errors(items=[3, 5, 8], n_threads=n_threads)
        return fit.strengths, fit.log_likelihood, fit.info.error_bound, errors

    equal_over_threads(call)


def test_more_items_than_a_matrix_holds():
    rows = many(12_000, 60_000, 5)
    fit = plackett_luce(rows, items=range(12_000))
    assert fit.info.converged
    assert fit.info.solver == "newton (preconditioned conjugate gradients)"
    swept = plackett_luce(rows, items=range(12_000), solver="newman", tol=1e-8)
    np.testing.assert_allclose(fit.strengths, swept.strengths, atol=1e-7)
    assert list(fit.to_frame(uncertainty=None)) == ["item", "rating", "provisional"]
    errors = fit.standard_errors(items=[0, 77])
    np.testing.assert_allclose(errors, fit.covariance(items=[0, 77]).standard_errors, rtol=1e-8)
    with pytest.raises(ValueError, match="items: a full covariance of 12,000 items takes 1 GB"):
        fit.covariance()


@pytest.mark.parametrize("kind", ["hessian", "sandwich"])
@pytest.mark.parametrize("prior", [0.0, 0.5])
@pytest.mark.parametrize("n", [6, 200])
def test_errors_of_named_items_are_those_of_all(kind, prior, n):
    rows = drawn(1) if n == 6 else many(n, 800, 6)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(rows))
    fit = fitted(rows, n=n, prior=prior, sample_weight=weights)
    full = fit.covariance(kind).matrix
    np.testing.assert_allclose(full, full.T, atol=1e-12)
    some = [4, 0, 5]
    np.testing.assert_allclose(fit.covariance(kind, items=some).matrix, full[np.ix_(some, some)], atol=1e-8)
    np.testing.assert_allclose(
        fit.standard_errors(kind=kind, items=some), np.sqrt(np.diag(full))[some], atol=1e-8
    )
    np.testing.assert_allclose(fit.standard_errors(kind=kind), np.sqrt(np.diag(full)), atol=1e-12)


def test_a_fit_pickles_and_goes_on():
    fit = fitted(drawn(0))
    copy = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(copy.standard_errors(), fit.standard_errors())
    np.testing.assert_array_equal(copy.bootstrap(2, rng=0).strengths, fit.bootstrap(2, rng=0).strengths)


def test_the_trace_and_progress_tell_of_each_iteration():
    calls = []
    fit = fitted(drawn(0), solver="newman", progress=lambda done, total: calls.append((done, total)))
    assert fit.info.trace.dtype.names == (
        "iteration", "newton_decrement", "largest_change", "lower_bound", "seconds",
    )  # fmt: skip
    assert len(fit.info.trace) == fit.info.iterations
    assert fit.info.trace["newton_decrement"][-1] == fit.info.error_bound
    assert fit.info.trace["lower_bound"][-1] <= fit.info.error_bound
    assert calls
    assert calls[0][1] == 20_000
    assert "sweeps" in repr(fit)
    assert fitted(drawn(0)).info.trace["newton_decrement"][-1] <= 1e-10


@pytest.mark.parametrize("solver", ["newman", "zermelo"])
def test_sweeps_that_miss_the_tolerance_say_so(solver):
    with pytest.warns(steelyard.ConvergenceWarning, match="after 2 iterations; raise max_iter, or solver="):
        fit = fitted(drawn(0), solver=solver, max_iter=2)
    assert not fit.info.converged
    assert fit.info.iterations == 2
    assert 1e-10 < fit.info.error_bound < np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fitted(drawn(0), solver="mm"), ValueError, "solver must be one of 'auto', 'newton'"),
        (lambda: fitted(drawn(0), max_iter=0), ValueError, "max_iter must be at least 1, got 0"),
        (lambda: fitted(drawn(0), max_iter=1.5), TypeError, "max_iter must be an integer"),
        (lambda: fitted(drawn(0), n_threads=0), ValueError, "n_threads must be at least 1, got 0"),
        (lambda: fitted(drawn(0)).standard_errors(items=[]), ValueError, "items must name at least one"),
        (lambda: fitted(drawn(0)).standard_errors(items=5), TypeError, "items must be a list of labels"),
        (lambda: fitted(drawn(0)).covariance(items="ab"), TypeError, "items must be a list of labels"),
        (lambda: fitted(drawn(0)).standard_errors(items=[9]), KeyError, "no item 9 among the 6"),
        (lambda: fitted(drawn(0)).bootstrap(0), ValueError, "n_rounds must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("starts", "codes", "stages", "message"),
    [
        ([0, 2], [0, 3], [1], "codes must lie in"),
        ([0, 2], [0, 1], [2], "stages from 1"),
        ([0, 2], [0, 1], [1, 1], "stages must have one entry"),
        ([0, 1, 2], [0, 1], [1, 1], "needs two items"),
        ([0, 3, 2], [0, 1], [1, 1], "must describe rankings"),
    ],
)
def test_the_kernel_refuses_what_are_no_rankings(starts, codes, stages, message):
    arrays = np.array(starts), np.array(codes, np.int32), np.array(stages, np.int32)
    with pytest.raises(ValueError, match=message):
        _core.rank.Rankings(*arrays, 3)


def sweep_for_ever(solver):
    rng = np.random.default_rng(0)
    rows = np.argsort(rng.gumbel(size=(20_000, 40)) - 0.1 * np.arange(40), axis=1)
    plackett_luce(rows, solver=solver, tol=1e-300, max_iter=10**8)


def solve_for_ever():
    table = read_rankings(ladder(30_000, 6, 3), None, None, None)
    interrupt.ready()
    found = solve(table, "cg", tol=1e-12)
    if found["info"]["interrupted"]:
        raise steelyard._errors.interrupted(found["strengths"])


@pytest.mark.parametrize("solver", ["newman", "zermelo"])
def test_ctrl_c_ends_sweeps(ctrl_c, solver):
    answer = ctrl_c(sweep_for_ever, solver, after=0.3, within="rank._fit_plackett_luce")
    assert answer.raised
    assert answer.seconds < 1.0
    assert np.isfinite(answer.partial.strengths).all()
    assert answer.partial.info.interrupted


def test_ctrl_c_ends_conjugate_gradients(ctrl_c):
    answer = ctrl_c(solve_for_ever, after=0.3, prepares=True)
    assert answer.raised
    assert answer.seconds < 1.0
    assert np.isfinite(answer.partial).all()
