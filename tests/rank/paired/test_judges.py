"""Judges: their biases and reliabilities, local optima, agreement."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import optimize

from steelyard import ConvergenceWarning
from steelyard.rank import Comparisons, agreement, bradley_terry, fit_judges
from steelyard.reference import rank as reference

SLOPES, BIASES = np.array([2.0, 1.3, 1.0, 0.0, -0.8]), np.array([0.0, 0.8, -0.5, 0.3, 0.0])


def judged(slopes=SLOPES, biases=BIASES, *, n=8, games=3000, seed=0, ties=0.0):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n)
    j = rng.integers(0, len(slopes), games)
    a = rng.integers(0, n, games)
    b = (a + rng.integers(1, n, games)) % n
    x = np.asarray(slopes)[j] * (s[a] - s[b]) + np.asarray(biases)[j]
    won = np.where(rng.random(games) < 1 / (1 + np.exp(-x)), "left", "right")
    frame = {"left": a, "right": b, "won": np.where(rng.random(games) < ties, "tie", won), "judge": j}
    table = Comparisons.from_frame(
        frame, left="left", right="right", outcome="won", judge="judge", items=range(n)
    )
    return table, s - s.mean()


def test_the_column_is_kept_by_sums_and_pickles_and_left_is_shown_first():
    frame = {"left": ["a", "b"], "right": ["b", "c"], "won": ["left", "tie"], "who": ["x", "y"]}
    one = Comparisons.from_frame(frame, left="left", right="right", outcome="won", judge="who")
    other = Comparisons.from_frame(
        {**frame, "who": ["z", "x"]}, left="left", right="right", outcome="won", judge="who"
    )
    both = pickle.loads(pickle.dumps(one + other))
    assert both.judge_labels.tolist() == ["x", "y", "z"]
    assert both.to_frame()["judge"].tolist() == ["x", "z", "x", "y"]
    assert (both.home == 1).all()


@pytest.mark.parametrize(("ties", "prior"), [("davidson", 0.0), ("half", 0.5), ("drop", 0.0)])
def test_it_is_an_optimum_of_the_penalised_likelihood(ties, prior):
    table, _ = judged(n=4, games=400, ties=0.2)
    fit = fit_judges(table, ties=ties, prior=prior, tol=1e-10)
    problem = fit._problem
    value, g, H = problem.derivatives(fit._point)
    assert fit.info.converged
    assert fit.info.error_bound <= 1e-10
    by_hand = optimize.approx_fprime(fit._point, lambda p: problem.derivatives(p)[0], 1e-6)
    assert np.abs(by_hand).max() < 1e-3 * np.sqrt(H.diagonal()).max()
    bends = optimize.approx_fprime(fit._point + 0.1, lambda p: -problem.derivatives(p)[1], 1e-6)
    np.testing.assert_allclose(bends, problem.derivatives(fit._point + 0.1)[2].toarray(), atol=2e-3)
    rng = np.random.default_rng(0)
    near = [problem.derivatives(fit._point + 1e-2 * rng.normal(size=len(g)))[0] for _ in range(20)]
    assert max(near) <= value + 1e-9


def test_simulated_judges_of_known_quality_are_recovered():
    table, truth = judged(games=8000)
    fit = fit_judges(table)
    scale = np.polyfit(fit.strengths, truth, 1)[0]  # only products of strengths and reliabilities are known
    np.testing.assert_allclose(fit.reliabilities / scale, SLOPES, atol=0.25)
    np.testing.assert_allclose(fit.biases, BIASES, atol=0.2)
    assert np.corrcoef(fit.strengths, truth)[0, 1] > 0.99
    table = fit.judge_table()
    assert table["judge"].tolist() == [0, 1, 2, 3, 4]
    assert table["verdict"].tolist() == ["", "", "", "noise", "turned around"]
    inside = (table["bias_lower"] <= BIASES) & (table["bias_upper"] >= BIASES)
    assert inside.sum() >= 4


def test_unequal_judges_are_better_used_and_equal_ones_cost_nothing():
    better, alike = [], []
    for seed in range(6):
        for slopes, out in (([2.0, 1.5, 1.0, 0.2, 0.0], better), ([1.0] * 5, alike)):
            table, truth = judged(slopes, np.zeros(5), games=600, seed=seed)
            plain = bradley_terry(table, prior=0.1).strengths
            fit = fit_judges(table, prior=0.1).strengths
            out.append([np.corrcoef(s, truth)[0, 1] for s in (fit, plain)])
    better, alike = 1 - np.mean(better, axis=0), 1 - np.mean(alike, axis=0)
    assert better[0] < 0.85 * better[1]
    assert alike[0] < 1.02 * alike[1]


@pytest.mark.parametrize(("ties", "model"), [("davidson", "davidson"), ("half", "none")])
def test_judges_are_those_of_the_reference(ties, model):
    table, _ = judged([1.5, 0.8, -0.2], [0.5, 0.0, -0.3], n=5, games=300, ties=0.2, seed=2)
    fit = fit_judges(table, ties=ties, prior=0.7, reliability_spread=0.4, bias_spread=0.6)
    half = 0.0 if model == "davidson" else 0.5 * table.ties
    cells = reference.Cells(
        table.left, table.right, table.left_wins + half, table.right_wins + half,
        table.ties if model == "davidson" else np.zeros(len(table.left)), table.home,
    )  # fmt: skip
    at, slopes, biases = reference.fit_judges(
        cells, table.judge, 5, spreads=(0.4, 0.6), model=model, prior=0.7
    )
    np.testing.assert_allclose(fit.strengths, at.s - at.s.mean(), atol=1e-5)
    np.testing.assert_allclose(fit.reliabilities, slopes, atol=1e-5)
    np.testing.assert_allclose(fit.biases, biases, atol=1e-5)
    if model == "davidson":
        assert np.log(fit.tie_parameter) == pytest.approx(at.tie, abs=1e-5)


def test_where_strengths_grow_without_bound_the_judge_whom_nothing_contradicts_is_named():
    table, _ = judged([60.0, 0.3, 0.3, 0.3], np.zeros(4), n=6, games=120, seed=0)
    with pytest.warns(ConvergenceWarning, match="nothing contradicts the votes of 0 between"):
        fit = fit_judges(table, reliability_spread=1.0)
    assert fit.info.iterations < 100
    assert fit_judges(table, reliability_spread=1.0, prior=0.1).info.converged


def test_errors_and_the_bootstrap_agree():
    table, _ = judged(n=5, games=1500)
    fit = fit_judges(table)
    errors = fit.standard_errors()
    rounds = fit.bootstrap(40, rng=0)
    assert rounds.info.converged
    np.testing.assert_allclose(np.mean(rounds.strengths.std(axis=0) / errors), 1.0, atol=0.2)
    some = fit.covariance(items=[1, 4]).matrix
    np.testing.assert_allclose(fit.covariance().matrix[np.ix_([1, 4], [1, 4])], some, atol=1e-9)
    assert fit.rank_intervals(draws=200).lower.min() == 1
    assert "alpha" in repr(pickle.loads(pickle.dumps(fit)))


def test_agreement_is_krippendorffs_worked_example():
    # His two observers of ten binary units: alpha = .095.
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    seen = [(1, p, v) for p, v in zip(pairs, first, strict=True)]
    seen += [(2, p, v) for p, v in zip(pairs, second, strict=True)]
    rows = [(p if v else p[::-1], who) for who, p, v in seen]
    table = Comparisons.from_pairs(
        [p[0] for p, _ in rows], [p[1] for p, _ in rows], judge=[who for _, who in rows]
    )
    assert agreement(table) == pytest.approx(0.095, abs=5e-4)


def test_what_can_not_be_fitted_is_refused_by_name():
    plain = Comparisons.from_pairs(["a", "b"], ["b", "a"])
    for call in (fit_judges, agreement):
        with pytest.raises(ValueError, match="comparisons needs judges"):
            call(plain)
        with pytest.raises(TypeError, match="must be a Comparisons"):
            call([1])
    alone = Comparisons.from_pairs(["a", "b"], ["b", "a"], judge=[1, 1])
    assert np.isnan(agreement(alone))
    many = Comparisons.from_pairs(np.arange(3001), np.roll(np.arange(3001), 1), judge=np.arange(3001) // 2)
    with pytest.raises(ValueError, match="up to 3,000 may be judged"):
        fit_judges(many)


def test_judges_are_eliminated_as_the_whole_matrix_has_it():
    rng = np.random.default_rng(0)
    table, _ = judged(games=300, ties=0.2)
    problem = fit_judges(table).__dict__["_problem"]
    at = rng.normal(size=problem.size)
    held = problem.anchored(problem.derivatives(at)[2]).plus(np.full(problem.size, 30.0))
    factor, whole = held.factor(), held.toarray()
    right = rng.normal(size=(problem.size, 3))
    np.testing.assert_allclose(whole, whole.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(whole), held.diagonal())
    np.testing.assert_allclose(factor.solve(right), np.linalg.solve(whole, right), atol=1e-10)
    assert factor.log_volume == pytest.approx(np.linalg.slogdet(whole)[1])
    n, k = problem.n, problem.judges
    np.testing.assert_allclose(factor.own_variances(), np.diag(np.linalg.inv(whole))[n : n + 2 * k])
    root = factor.draw(np.eye(problem.size))
    np.testing.assert_allclose(root @ root.T, whole, atol=1e-9)
    errors = rng.random(problem.size)
    assert factor.most(errors) >= errors @ np.abs(np.linalg.inv(whole)) @ errors
    assert held.plus(np.full(problem.size, -1e3)).factor() is None


def test_many_judges_take_memory_in_proportion_to_their_votes():
    rng = np.random.default_rng(0)
    judges, votes = 1500, 12_000
    slopes = rng.normal(1.0, 0.3, judges)
    table, truth = judged(slopes, 0.3 * rng.normal(size=judges), n=20, games=votes, seed=3)
    tracemalloc.start()
    fit = fit_judges(table, reliability_spread=0.3, bias_spread=0.3)
    fit.judge_table(), fit.standard_errors()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fit.info.converged
    assert np.corrcoef(fit.strengths, truth)[0, 1] > 0.99
    assert most < 30e6  # a dense Hessian would take 73 MB
