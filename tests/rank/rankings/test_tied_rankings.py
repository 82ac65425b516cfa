"""Rankings with ties against enumeration, a general optimiser, Davidson's model and what users pass."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry, plackett_luce
from steelyard.reference import rankings as reference
from support.examples import examples


def drawn(seed, n=6, count=60, most=5, share=0.35, largest=3):
    """Random partial rankings of lists: each item shares the place before it with some probability."""
    rng = np.random.default_rng(seed)
    s = 0.6 * rng.normal(size=n)
    rows = []
    for _ in range(count):
        chosen = rng.choice(n, rng.integers(2, most + 1), replace=False)
        first, *rest = chosen[np.argsort(-(s[chosen] + rng.gumbel(size=len(chosen))))].tolist()
        row = [[first]]
        for item in rest:
            if rng.random() < share and len(row[-1]) < largest:
                row[-1].append(item)
            else:
                row.append([item])
        rows.append(row)
    return rows


def kernel(rows, n, sizes, at, prior=0.0, weight=None):
    codes = np.array([i for row in rows for tied in row for i in tied], np.int32)
    place = np.array([k for row in rows for k, tied in enumerate(row) for _ in tied], np.int32)
    starts = np.cumsum([0] + [sum(map(len, row)) for row in rows])
    table = _core.rank.TiedRankings(starts, codes, place, sizes, n)
    return _core.rank._tied_derivatives(table, weight, prior, at, 1)


@pytest.mark.parametrize("sizes", [[2], [2, 3], [2, 4], [3], [2, 3, 4, 5]])
def test_it_is_the_sum_over_all_sets_and_its_derivatives(sizes):
    rng = np.random.default_rng(len(sizes))
    rows = [[[0, 1], [2], [3, 4]], [[2], [4, 0], [1]], [[3, 1]], [[4], [3], [2], [1], [0]], [[0, 1, 2, 3, 4]]]
    rows = [row for row in rows if all(len(tied) in (1, *sizes) for tied in row)]
    at = np.r_[rng.normal(size=5), rng.normal(size=len(sizes))]

    def plain(x):
        delta = np.zeros(max(sizes) - 1)
        delta[np.array(sizes) - 2] = np.exp(x[5:])
        return reference.tied_log_likelihood(rows, x[:5], delta)

    found = kernel(rows, 5, sizes, at)
    assert found["log_likelihood"] == pytest.approx(plain(at), abs=1e-12)
    whole = np.tril(found["hessian"]) + np.tril(found["hessian"], -1).T
    for k, step in enumerate(1e-5 * np.eye(len(at))):
        assert (plain(at + step) - plain(at - step)) / 2e-5 == pytest.approx(found["gradient"][k], abs=1e-8)
        up, down = (kernel(rows, 5, sizes, x)["gradient"] for x in (at + step, at - step))
        np.testing.assert_allclose((up - down) / 2e-5, -whole[k], atol=1e-8)
    np.testing.assert_allclose(found["order_scores"].sum(axis=0), found["gradient"][5:], atol=1e-13)
    codes = [i for row in rows for tied in row for i in tied]
    by_item = np.bincount(codes, weights=found["scores"], minlength=5)
    np.testing.assert_allclose(by_item, found["gradient"][:5], atol=1e-13)
    np.testing.assert_allclose(whole[:, :5].sum(axis=1), 0.0, atol=1e-14)


@pytest.mark.parametrize(
    ("strengths", "tie"), [((0.0, -700.0, 690.0, 3.0), 800.0), ((-1e4, 0.0, 1e4, 0.0), 5.0)]
)
def test_strengths_far_apart_neither_overflow_nor_lose_the_shift(strengths, tie):
    found = kernel([[[0, 1], [2, 3]], [[3], [2], [0, 1]]], 4, [2], np.r_[strengths, tie])
    assert np.isfinite(found["log_likelihood"])
    assert np.isfinite(found["gradient"]).all()
    assert abs(found["gradient"][:4].sum()) < 1e-12


@pytest.mark.parametrize("prior", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_maximum_that_a_general_solver_finds(seed, prior):
    rows = drawn(seed)
    weight = np.random.default_rng(seed).uniform(0.5, 2.0, len(rows))
    fit = plackett_luce(rows, items=range(6), sample_weight=weight, prior=prior)
    at = np.r_[fit.strengths + fit.info.shift, np.log(fit.tie_parameters)]

    def cost(x):
        found = kernel(rows, 6, [2, 3], x, prior, weight)
        penalty = prior * (np.logaddexp(0, x[:6]) + np.logaddexp(0, -x[:6])).sum()
        return penalty - found["log_likelihood"], -found["gradient"]

    found = minimize(cost, np.zeros(8), jac=True, method="BFGS", options={"gtol": 1e-8})
    assert cost(at)[0] <= found.fun + 1e-9
    np.testing.assert_allclose(fit.strengths, found.x[:6] - found.x[:6].mean(), atol=1e-5)
    assert fit.info.converged
    assert fit.info.error_bound <= 1e-10
    plain = sum(
        w * reference.tied_log_likelihood([row], fit.strengths, fit.tie_parameters)
        for w, row in zip(weight, rows, strict=True)
    )
    assert fit.log_likelihood == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("kind", ["hessian", "sandwich"])
def test_on_pairs_it_is_davidsons_model(kind):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 6, 300)
    second = (first + rng.integers(1, 6, 300)) % 6
    tie = rng.random(300) < 0.3
    pairs = [[[a, b]] if t else [a, b] for a, b, t in zip(first.tolist(), second.tolist(), tie, strict=True)]
    fit = plackett_luce(pairs)
    other = bradley_terry(Comparisons.from_pairs(first, second, tie=tie))
    np.testing.assert_allclose(fit.strengths, other.strengths, atol=1e-9)
    assert fit.tie_parameters == pytest.approx(other.tie_parameter)
    np.testing.assert_allclose(fit.standard_errors(kind=kind), other.standard_errors(kind=kind), rtol=1e-7)
    chances = other.predict(0, 1)
    np.testing.assert_allclose(fit.predict([0, 1]), [chances.win, chances.loss], rtol=1e-9)


def test_rankings_whose_lists_hold_one_item_each_are_those_without_lists():
    rows = [[[0], [1], [2]], [[2], [0], [1]], [[1], [2]], [[1], [0]]]
    fit, plain = plackett_luce(rows), plackett_luce([[i for (i,) in row] for row in rows])
    assert fit.tie_parameters is None
    np.testing.assert_array_equal(fit.strengths, plain.strengths)


@examples(15)
@given(st.integers(0, 10**6))
def test_order_within_a_tie_names_and_the_form_of_input_do_not_matter(seed):
    rows = drawn(seed % 40)
    rng = np.random.default_rng(seed)
    fit = plackett_luce(rows, items=range(6))
    shuffled = [[rng.permutation(tied) for tied in rows[k]] for k in rng.permutation(len(rows))]
    np.testing.assert_allclose(plackett_luce(shuffled, items=range(6)).strengths, fit.strengths, atol=1e-8)
    ranks = np.full((len(rows), 6), np.nan)
    for row, places in zip(ranks, rows, strict=True):
        value = 0.0
        for tied in places:
            row[tied] = value = value + rng.integers(1, 4)
    same = plackett_luce(ranks=ranks)
    np.testing.assert_allclose(same.strengths, fit.strengths, atol=1e-8)
    np.testing.assert_allclose(same.tie_parameters, fit.tie_parameters, atol=1e-7)
    zeros = plackett_luce(ranks=np.nan_to_num(ranks).astype(int), items=list("abcdef"))
    np.testing.assert_array_equal(zeros.strengths, same.strengths)


def test_strengths_and_tie_parameters_come_back_from_data_of_the_model():
    s, delta = np.array([0.8, 0.2, -0.3, -0.7]), [0.6, 0.3]
    rng, sets = np.random.default_rng(1), [[0], [1], [2], [3]]
    sets += [[a, b] for a in range(4) for b in range(a)] + [
        [a, b, c] for a in range(4) for b in range(a) for c in range(b)
    ]
    weight = np.array([[1.0, *delta][len(c) - 1] * np.exp(s[c].mean()) for c in sets])
    rows = []
    for _ in range(1500):
        row, left = [], {0, 1, 2, 3}
        while left:
            able = [k for k, c in enumerate(sets) if left.issuperset(c)]
            p = weight[able] / weight[able].sum()
            row.append(sets[able[rng.choice(len(able), p=p)]])
            left -= set(row[-1])
        rows.append(row)
    fit = plackett_luce(rows)
    error = fit.standard_errors()
    assert (np.abs(fit.strengths - s) < 4 * error).all()
    np.testing.assert_allclose(fit.tie_parameters, delta, rtol=0.2)
    np.testing.assert_allclose(fit.standard_errors(kind="hessian"), error, rtol=0.1)
    spread = fit.bootstrap(60, rng=0).strengths.std(axis=0)
    np.testing.assert_allclose(spread, error, rtol=0.35)
    noise = fit._information(1).draws("hessian", 600, 0)
    np.testing.assert_allclose((noise - noise.mean(axis=1, keepdims=True)).std(axis=0), error, rtol=0.2)
    assert fit.rank_intervals().lower.tolist() == [1, 2, 3, 4]
    assert fit.predict([0, 1, 2]).sum() < 1


def test_any_number_of_threads_gives_the_same_bits_and_the_fit_can_be_kept():
    rows = drawn(3, count=400)
    fits = [plackett_luce(rows, n_threads=k) for k in (1, 2, 4)]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.strengths, fits[0].strengths)
    kept = pickle.loads(pickle.dumps(fits[0]))
    np.testing.assert_array_equal(kept.standard_errors(), fits[0].standard_errors())
    assert "ties" in repr(kept)


def test_an_infinite_optimum_is_named():
    with pytest.raises(steelyard.DisconnectedError, match="a never lost"):
        plackett_luce([["a", ["b", "c"]], ["a", "b", "c"], ["a", "c", "b"]])
    with pytest.raises(steelyard.SeparationError, match="tie parameters have no finite optimum"):
        plackett_luce([[["a", "b"]], [["b", "c"]], [["a", "c"]]])
    with pytest.raises(steelyard.SeparationError, match="tie parameters"):
        plackett_luce([[["a", "b"]], [["b", "c"]]], prior=1.0)


def test_a_missed_tolerance_is_said_and_ctrl_c_brings_the_fit_so_far():
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol"):
        plackett_luce(drawn(0), max_iter=1)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        plackett_luce(drawn(0), progress=stop)
    assert caught.value.partial.tie_parameters.shape == (2,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plackett_luce([["a", ["b", "a"]]]), "lists a twice in row 0"),
        (lambda: plackett_luce([["a", []], ["b", "a"]]), "must not have an empty place, see row 0"),
        (
            lambda: plackett_luce([["a", ["b", "c"]]], solver="newman"),
            "'auto' or 'newton' for rankings with ties",
        ),
        (
            lambda: plackett_luce([[["a", "b", "c"]], ["a", "b"]], max_tie=2),
            "a tie of 3 items, more than max_tie=2",
        ),
        (lambda: plackett_luce([[list(range(17))]]), "a tie of 17 items, more than max_tie=16"),
        (lambda: plackett_luce([["a", ["b", "c"]]], max_tie=17), "max_tie must be at most 16"),
        (lambda: plackett_luce([["a", "b"]], ranks=[[1, 2]]), "give either rankings or choices"),
        (lambda: plackett_luce(ranks=[1, 2]), "ranks must have 2 dimensions"),
        (lambda: plackett_luce(ranks=[[1, -2]]), "ranks must be positive and finite, or 0 or NaN, see row 0"),
        (lambda: plackett_luce(ranks=[[1, 2]], items=["a"]), "a column for each of 1 items"),
        (
            lambda: plackett_luce(ranks=[[1, 0], [1, 1]]),
            "ranks must list at least two items each, got 1 in row 0",
        ),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
