"""Evidence against the dense marginal likelihood, and on features that know nothing."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.reference import evaluation as reference
from steelyard.select import logme


def data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(n, d))
    return F, F[:, :3] @ [1.0, -0.5, 0.2] + rng.normal(size=n)


@pytest.mark.parametrize(("n", "d"), [(60, 1), (60, 20), (40, 40), (30, 200)])
def test_evidence_is_that_of_the_dense_law_and_no_other_point_has_more(n, d):
    F, y = data(n, max(d, 3))
    F = F[:, :d]
    found = logme(F, y, kind="regression")
    here = reference.log_evidence(F, y, found.alpha[0], found.beta[0])
    assert found.value == pytest.approx(here, abs=1e-9)
    for a in (0.9, 0.999, 1.001, 1.1):
        for b in (0.9, 0.999, 1.001, 1.1):
            assert reference.log_evidence(F, y, a * found.alpha[0], b * found.beta[0]) <= here + 1e-12


def test_noise_of_many_columns_is_not_better_than_pixels():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, size=120)
    pixels = np.eye(4)[y] @ rng.normal(size=(4, 30)) + rng.normal(size=(120, 30))
    noise = rng.normal(size=(120, 600))
    assert logme(pixels, y).value > logme(noise, y).value + 0.1


def test_targets_are_those_of_each_alone_and_columns_may_be_scaled_and_turned():
    F, y = data(50, 12)
    Y = np.column_stack([y, np.roll(y, 1)])
    both = logme(F, Y, kind="regression")
    for k in range(2):
        one = logme(F, Y[:, k], kind="regression")
        assert both.per_target[k] == pytest.approx(one.value)
        np.testing.assert_allclose(both.coefficients[:, k], one.coefficients[:, 0])
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    assert logme(1e3 * F @ turn, y, kind="regression").value == pytest.approx(both.per_target[0])
    ridge = both.alpha[0] / both.beta[0]
    np.testing.assert_allclose(
        both.coefficients[:, 0], np.linalg.solve(F.T @ F + ridge * np.eye(12), F.T @ y)
    )


def test_labels_of_words_and_columns_that_repeat_are_taken():
    F, y = data(40, 5)
    words = np.where(y > 0, "up", "down")
    found = logme(np.hstack([F, F]), words)
    np.testing.assert_array_equal(found.targets, ["down", "up"])
    assert np.isfinite(found.value)


@pytest.mark.parametrize(
    ("y", "kind", "says"),
    [
        ([1] * 30, "classification", "one class only"),
        (np.linspace(0, 1, 30), "classification", "kind='regression'"),
        (np.zeros(30), "regression", "0 throughout"),
        (np.full(30, np.nan), "regression", "y has entries"),
        (np.ones(29), "regression", "y must have shape"),
        ([1, None] * 15, "classification", "missing"),
    ],
)
def test_bad_labels_get_words(y, kind, says):
    with pytest.raises(ValueError, match=says):
        logme(data(30, 4)[0], y, kind=kind)


def test_a_target_that_features_tell_without_error_gets_words():
    F, _ = data(30, 4)
    with pytest.raises(ValueError, match="without error"):
        logme(F, F @ [1.0, 2, 3, 4], kind="regression")
    for size in (1e160, 1e-160):
        with pytest.raises(ValueError, match="features must have a largest entry"):
            logme(size * F, np.arange(30) % 2)
    with pytest.raises(ValueError, match="all 0"):
        logme(np.zeros((30, 2)), np.arange(30) % 2)
