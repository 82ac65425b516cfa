"""Weights of metrics against independent solvers, and Dynascore against a published table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression

from steelyard import ConvergenceWarning
from steelyard.rank import dynascore, preference_weights


def preferences(n=400, weights=(2.0, 0.5, 0.0, 0.0), seed=0):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, n, len(weights)))
    wins = rng.random(n) < special.expit((first - second) @ np.array(weights))
    return np.where(wins[:, None], (first, second), (second, first))


def test_without_a_bound_it_is_logistic_regression():
    better, worse = preferences()
    found = preference_weights(better, worse, nonnegative=False, standardize=False, ridge=2.0, tol=1e-11)
    z = better - worse
    peer = LogisticRegression(fit_intercept=False, C=0.5, solver="newton-cholesky", tol=1e-12)
    peer.fit(np.r_[z, -z], np.r_[np.ones(len(z)), np.zeros(len(z))], sample_weight=np.full(2 * len(z), 0.5))
    np.testing.assert_allclose(found.weights, peer.coef_[0], atol=1e-7)
    assert found.info.converged


@pytest.mark.parametrize("seed", range(4))
def test_with_a_bound_it_is_the_optimum_of_another_solver(seed):
    better, worse = preferences(120, (1.0, -1.0, 0.2, 0.0), seed)
    found = preference_weights(better, worse, standardize=False, ridge=0.5)
    z = better - worse

    def objective(w):
        x = z @ w
        return np.logaddexp(0, -x).sum() + 0.25 * w @ w, 0.5 * w - z.T @ special.expit(-x)

    other = optimize.minimize(objective, np.zeros(4), jac=True, bounds=[(0, None)] * 4, tol=1e-14)
    np.testing.assert_allclose(found.weights, other.x, atol=1e-5)
    assert found.weights[1] == 0
    assert objective(found.weights)[0] <= other.fun + 1e-9
    gap = found.info.error_bound * len(z) * np.log(2)
    assert objective(found.weights)[0] - gap <= other.fun  # the bound lies below any value


def test_units_do_not_matter_and_weights_count_rows():
    better, worse = preferences()
    plain = preference_weights(better, worse)
    units = np.array([1e-3, 1.0, 1e6, 7.0])
    np.testing.assert_allclose(
        preference_weights(better * units, worse * units).weights * units, plain.weights
    )
    twice = preference_weights(np.r_[better, better[:100]], np.r_[worse, worse[:100]])
    counted = preference_weights(better, worse, sample_weight=1 + (np.arange(400) < 100))
    np.testing.assert_allclose(twice.weights, counted.weights, atol=1e-7)
    assert counted.accuracy == pytest.approx(twice.accuracy)


def test_preferences_that_are_all_told_have_finite_weights():
    found = preference_weights(np.ones((50, 2)), np.zeros((50, 2)))
    assert found.info.converged
    assert found.accuracy == 1
    assert found.tau == 1
    np.testing.assert_allclose(found.weights[0], found.weights[1])
    nothing = preference_weights(np.ones((5, 2)), np.ones((5, 2)))
    np.testing.assert_array_equal(nothing.weights, 0)
    assert nothing.accuracy == 0.5
    assert nothing.log_loss == pytest.approx(np.log(2))


def test_a_tolerance_that_is_missed_is_said():
    better, worse = preferences()
    with pytest.warns(ConvergenceWarning, match="gap"):
        assert not preference_weights(better, worse, max_iter=1).info.converged


def test_scores_are_weighted_sums():
    better, worse = preferences()
    found = preference_weights(better, worse)
    assert (found.score(better) > found.score(worse)).mean() == pytest.approx(found.accuracy)
    with pytest.raises(ValueError, match="metrics"):
        found.score(better[:, :2])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"worse": np.zeros((2, 2))}, "worse"),
        ({"better": np.full((3, 2), np.nan)}, "better"),
        ({"sample_weight": [0, 0, 0]}, "sample_weight"),
        ({"sample_weight": [1, 1]}, "sample_weight"),
        ({"ridge": 0}, "ridge"),
        ({"items": ["a"]}, "items"),
    ],
)
def test_what_does_not_fit_is_named(change, match):
    with pytest.raises(ValueError, match=match):
        preference_weights(**{"better": np.ones((3, 2)), "worse": np.zeros((3, 2)), **change})


# Z. Ma et al. (2021), table 1, language inference: performance, throughput, memory, fairness, robustness.
BOARD = {
    "DeBERTa": (69.54, 7.41, 5.71, 91.97, 75.70),
    "RoBERTa": (69.07, 9.23, 4.82, 90.94, 74.82),
    "ALBERT": (67.29, 9.60, 2.18, 89.94, 74.12),
    "T5": (67.16, 7.10, 10.62, 91.89, 73.47),
    "BERT": (64.82, 9.39, 4.13, 92.11, 66.38),
    "Majority": (32.41, 77.33, 1.15, 100.00, 100.00),
    "FastText": (31.29, 73.94, 2.20, 83.23, 69.14),
}


def test_a_published_board_is_reproduced():
    table = np.array(list(BOARD.values()))
    # What another program prints for these rounded entries; it adds memory, where the paper takes it off.
    metrics = table[:, 1:] + [0, 16, 0, 0]
    found = dynascore(metrics, table[:, 0], [4, 1, 1, 1, 1], items=list(BOARD))
    want = [38.730978, 38.492792, 37.548582, 37.539321, 36.228453, 22.552271, 20.941156]
    np.testing.assert_allclose(found.scores, want, atol=1e-6)
    rates = table[0, 1:] / [1.511594, np.nan, 16.689470, 11.680170]
    np.testing.assert_allclose(found.exchange_rates[[0, 2, 3]], rates[[0, 2, 3]], rtol=1e-6)
    saved = dynascore(table[:, 1:], table[:, 0], [4, 1, 1, 1, 1], lower_is_better=[False, True, False, False])
    np.testing.assert_allclose(
        saved.scores,
        found.scores - 2 * table[:, 2] / found.exchange_rates[1] / 8 - 2 / found.exchange_rates[1],
    )
    assert found.to_frame()["item"].tolist() == list(BOARD)


def test_a_board_worked_out_by_hand():
    # At 1, 2 and 4 the metric moves by 20 a unit of performance, then by 5: a unit is worth 12.5 of it.
    found = dynascore([[20.0], [10.0], [30.0]], [4.0, 1.0, 2.0], [1, 1])
    np.testing.assert_allclose(found.exchange_rates, [12.5])
    np.testing.assert_allclose(found.scores, [2.8, 0.9, 2.2])


def test_the_order_of_entry_does_not_matter():
    table = np.array(list(BOARD.values()))
    found = dynascore(table[:, 1:], table[:, 0])
    turned = dynascore(table[::-1, 1:], table[::-1, 0])
    np.testing.assert_allclose(turned.scores[::-1], found.scores)
    assert found.weights.tolist() == [0.5] + [0.125] * 4
    np.testing.assert_allclose(found.parts.sum(axis=1), found.scores)


def test_a_metric_that_never_changes_counts_for_nothing():
    found = dynascore(np.ones((3, 1)), [1.0, 2.0, 4.0])
    np.testing.assert_allclose(found.scores, [0.5, 1.0, 2.0])
    with pytest.raises(ValueError, match="performance"):
        dynascore(np.ones((3, 1)), [2.0, 2.0, 2.0])
    with pytest.raises(ValueError, match="lower_is_better"):
        dynascore(np.ones((3, 1)), [1.0, 2.0, 3.0], lower_is_better=[True, False])


def test_metrics_that_tell_nothing_apart_are_named():
    rng = np.random.default_rng(3)
    better, worse = rng.normal(size=(2, 30, 3))
    worse[:, 1] = better[:, 1]
    found = preference_weights(better, worse, items=["a", "b", "c"])
    assert found.info.converged
    assert "without weight: b" in found.info.message
    assert found.weights[1] == 0
    assert "alike in every pair" in preference_weights(better, better).info.message
    assert preference_weights(better, worse[::-1]).info.message == ""
