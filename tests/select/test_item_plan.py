"""Plans of items: unbiased by enumeration, errors by simulation, leave-one-out by refits."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from scipy import stats

from steelyard.select import plan_items
from steelyard.select._control_variate import controlled

pytestmark = pytest.mark.kernel


def table(models=31, items=400, seed=0, real=False):
    """Rows from weak to strong, items from hard to easy."""
    rng = np.random.default_rng(seed)
    logit = 2 * rng.normal(size=items) + np.linspace(-1, 1, models)[:, None]
    logit += np.outer(rng.normal(size=models), rng.normal(size=items))
    if real:
        return logit + rng.normal(size=logit.shape)
    return (rng.random((models, items)) < 1 / (1 + np.exp(-logit))).astype(float)


def simulated(T, new, m, draws=100, seed=1, **options):
    """Estimates, errors and intervals of a new model's mean over repeated plans."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        plan = plan_items(T, m, rng=rng, **options)
        one = plan.estimate(new[plan.items])
        found.append((one.mean[0], one.standard_error[0], one.lower[0], one.upper[0]))
    return np.array(found).T


def held(lower, upper, truth, least=0.95, most=0.95):
    """Do intervals of 95 % hold as often as chances from `least` to `most` let so many draws?"""
    hits, draws = int(((lower <= truth) & (truth <= upper)).sum()), len(lower)
    return stats.binom.ppf(0.005, draws, least) <= hits <= stats.binom.ppf(0.995, draws, most)


@pytest.mark.parametrize(
    ("design", "who", "draws"),  # one among the sources, one better than all
    [
        ("systematic", 30, 100),
        ("random", 15, 100),
        *(
            pytest.param(design, who, 1000, marks=pytest.mark.slow)
            for design in ("systematic", "random", "stratified")
            for who in (15, 30)
        ),
    ],
)
def test_scores_are_nearly_unbiased_and_their_intervals_hold(design, who, draws):
    T = table()
    new = T[who]
    mean, error, lower, upper = simulated(np.delete(T, who, axis=0), new, 60, draws, design=design)
    truth = new.mean()
    noise = mean.std(ddof=1) / np.sqrt(draws)
    assert abs(mean.mean() - truth) < (2.6 * noise if draws == 100 else 0.2 * error.mean() + 2.6 * noise)
    assert held(lower, upper, truth) if draws == 100 else held(lower, upper, truth, 0.92, 0.97)
    plain = np.sqrt(new.var(ddof=1) * (1 / 60 - 1 / 400))
    assert np.sqrt(((mean - truth) ** 2).mean()) < plain


def test_chances_are_those_of_the_draws():
    T = table(items=60)
    for design in ("systematic", "stratified", "random"):
        rng, count, chance = np.random.default_rng(0), np.zeros(60), np.ones(60)
        for _ in range(100):
            plan = plan_items(T, 15, design=design, rng=rng)
            assert len(plan) == 15
            count[plan.items] += 1
            chance[plan.items] = plan.inclusion_probabilities
        assert (count > 0).all()
        assert chance.sum() == pytest.approx(15)
        # 60 items and three designs: one in a hundred for all together.
        each = 0.01 / (2 * 3 * 60)
        assert (stats.binom.ppf(each, 100, chance) <= count).all()
        assert (count <= stats.binom.ppf(1 - each, 100, chance)).all()


def test_a_census_is_exact():
    T = table(items=50)
    for design in ("systematic", "random"):
        plan = plan_items(T[:-1], 50, design=design, rng=0)
        found = plan.estimate(T[-2:][:, plan.items])
        np.testing.assert_allclose(found.mean, T[-2:].mean(axis=1))
        np.testing.assert_array_equal(found.standard_error, 0)


@pytest.mark.parametrize("clustered", [False, True])
def test_residuals_left_out_are_those_of_refits(clustered):
    T = table(9, 24, real=True)
    clusters = np.arange(24) // 2 if clustered else None
    plan = plan_items(T[1:], 12, clusters=clusters, rng=0)
    drawn, y = plan._drawn, T[:1, plan.items]
    mean, variance, _, ridge = controlled(drawn, y)
    assert np.isfinite(ridge[0])
    chance, weight = drawn.chance[drawn.unit], drawn.shares / drawn.chance[drawn.unit]
    weight = weight / weight.sum() * len(weight)

    def fitted(keep):
        """Ridge with a free intercept on the items kept, by the normal equations."""
        X = np.column_stack([np.ones(len(weight)), drawn.sources.T])
        centre = drawn.sources - (drawn.sources @ weight / len(weight))[:, None]
        unit = float((centre**2 @ weight).sum() / len(weight))
        penalty = np.diag([0.0, *[ridge[0] * unit] * len(drawn.sources)])
        W = weight * keep
        return X, np.linalg.solve((X.T * W) @ X + penalty, (X.T * W) @ y[0])

    X, beta = fitted(np.ones(len(weight)))
    out = np.array([y[0, j] - X[j] @ fitted(drawn.unit != drawn.unit[j])[1] for j in range(len(weight))])
    total = beta[0] + drawn.shares @ (y[0] - X @ beta)  # the sources' means over all items are 0
    total += out @ (drawn.shares * (1 / chance - 1))
    assert mean[0] == pytest.approx(total)
    totals = np.bincount(drawn.unit, out * drawn.shares) / drawn.chance
    open_ = 1 - drawn.chance
    share = open_ / open_.sum()
    count = 1 / (share @ share)
    assert variance[0] == pytest.approx((totals - share @ totals) ** 2 @ open_ * count / (count - 1))


def test_sources_that_say_nothing_cost_little_and_good_ones_help():
    rng = np.random.default_rng(0)
    T = rng.random((20, 300))
    plan = plan_items(T, 60, rng=0)
    coins = plan.estimate(rng.random((200, 300))[:, plan.items])
    assert 0.88 < np.median(coins.relative_efficiency) < 1.1
    near = (0.5 * T[0] + 0.5 * T[1] + 0.05 * rng.random((5, 300)))[:, plan.items]
    assert (plan.estimate(near).relative_efficiency > 10).all()


def test_weights_gaps_and_clusters_keep_the_score_unbiased():
    T = table(21, 300, real=True)
    gaps = T[:-1].copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.2] = np.nan
    weights = np.repeat([1.0, 0.2, 3.0], 100)
    truth = T[-1] @ weights / weights.sum()
    for options in ({}, {"clusters": np.arange(300) // 3}):
        mean, error, lower, upper = simulated(gaps, T[-1], 60, draws=60, weights=weights, **options)
        assert abs(mean.mean() - truth) < 2.6 * error.mean() / np.sqrt(60)
        assert held(lower, upper, truth)


def test_a_table_of_any_type_and_layout_says_the_same():
    T = table()
    first = plan_items(T[:-1], 50, rng=0).estimate(T[-1, plan_items(T[:-1], 50, rng=0).items])
    for other in (T.astype(np.float32), T.astype(bool), T.astype(np.int8), np.asfortranarray(T)):
        plan = plan_items(other[:-1], 50, rng=0)
        again = plan.estimate(other[-1, plan.items])
        np.testing.assert_allclose(again.mean, first.mean, rtol=1e-9)
    assert repr(pickle.loads(pickle.dumps(plan))) == repr(plan)


def test_scores_may_be_moved_and_scaled():
    T = table(real=True)
    a, b = (plan_items(3 * T[:-1] + c, 50, rng=0) for c in (0, 100))
    np.testing.assert_array_equal(a.items, b.items)
    one, other = a.estimate(T[-1, a.items]), b.estimate(10 * T[-1, b.items] - 7)
    np.testing.assert_allclose(other.mean, 10 * one.mean - 7)
    np.testing.assert_allclose(other.standard_error, 10 * one.standard_error)


def test_items_drawn_elsewhere_are_read_as_a_random_sample():
    T = table()
    items = np.random.default_rng(0).permutation(400)[:80]
    plan = plan_items(T[:-1], 80, items=items)
    np.testing.assert_array_equal(plan.items, np.sort(items))
    np.testing.assert_allclose(plan.inclusion_probabilities, 0.2)
    found = plan.estimate(T[-1, plan.items])
    assert found.lower[0] < T[-1].mean() < found.upper[0]
    low, high = found.interval(0.5)
    assert found.lower[0] < low[0] < high[0] < found.upper[0]


@pytest.mark.parametrize(
    ("scores", "m", "options", "says"),
    [
        ([[1.0, 0, 1]], 2, {}, "two source models"),
        ([[1.0, 0, 1], [1, np.inf, 0]], 2, {}, "scores has entries that are infinite"),
        ([[1.0, 0, 1], [np.nan] * 3], 2, {}, "no entry of model 1"),
        ([[1.0, 0, 1], [1, 0, 0]], 4, {}, "m must be at most"),
        ([[1.0, 0, 1], [1, 0, 0]], 2, {"weights": [1, -1, 1]}, "weights must be >= 0"),
        ([[1.0, 0, 1], [1, 0, 0]], 2, {"weights": [0, 0, 0]}, "all 0"),
        ([[1.0, 0, 1], [1, 0, 0]], 2, {"clusters": [0, 0, 0]}, "too few for two clusters"),
        ([[1.0, 0, 1], [1, 0, 0]], 2, {"items": [0, 0]}, "distinct"),
        ([[1.0, 0, 1], [1, 0, 0]], 2, {"design": "even"}, "design must be one of"),
    ],
)
def test_bad_tables_get_words(scores, m, options, says):
    with pytest.raises(ValueError, match=says):
        plan_items(scores, m, **options)


def test_answers_that_are_missing_or_all_equal_get_words():
    T = table()
    plan = plan_items(T[:-1], 20, rng=0)
    with pytest.raises(ValueError, match="answers must have shape"):
        plan.estimate(T[-1])
    with pytest.raises(ValueError, match="answers has entries that are NaN"):
        plan.estimate(np.full(20, np.nan))
    with pytest.warns(UserWarning, match="all equal"):
        plan.estimate(np.ones(20))
    with pytest.warns(UserWarning, match="all scores are equal"):
        flat = plan_items(np.ones((3, 50)), 20, rng=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = flat.estimate(np.arange(20) % 2)
    assert found.mean[0] == pytest.approx(0.5)
