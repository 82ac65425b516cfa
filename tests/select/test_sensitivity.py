"""Sensitivity samples: the probabilities of the paper, unbiased totals, intervals that cover."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.reference import select as reference
from steelyard.select import kmeans, kmeans_plusplus, plan_sensitivity, sensitivity_sample
from steelyard.select._sample import Sample, draw, inclusion_probabilities
from support.examples import examples

pytestmark = pytest.mark.kernel


def data(seed, n=600, d=3):
    rng = np.random.default_rng(seed)
    X = 4 * rng.normal(size=(8, d))[rng.integers(0, 8, n)] + rng.normal(size=(n, d))
    return X, np.abs(X).sum(axis=1) + rng.exponential(0.3, n)


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("replace", [False, True])
def test_probabilities_are_those_of_algorithm_1(power, replace):
    X, loss = data(1)
    seeds = kmeans_plusplus(X, 10, rng=0)
    sample = sensitivity_sample(
        X, 50, clusters=seeds, losses=loss, holder=0.7, mix=0.2, power=power, replace=replace, rng=0
    )
    distances = np.linalg.norm(X - X[seeds.indices][seeds.labels], axis=1) ** power
    chances = reference.sensitivity_chances(
        loss[seeds.indices], seeds.labels, distances, np.full(10, 0.7), 0.2
    )
    np.testing.assert_array_equal(sample.queries, np.sort(seeds.indices))
    if replace:
        np.testing.assert_allclose(sample.probabilities, chances[sample.indices], rtol=1e-9)
        np.testing.assert_allclose(sample.weights, 1 / (50 * sample.probabilities))
        np.testing.assert_allclose(sample.inclusion_probabilities, 1 - (1 - sample.probabilities) ** 50)
    else:
        assert len(np.unique(sample.indices)) == 50
        pi = inclusion_probabilities(chances, 50)
        np.testing.assert_allclose(sample.probabilities, pi[sample.indices], rtol=1e-9)
        np.testing.assert_allclose(sample.weights, 1 / sample.inclusion_probabilities)


@examples(25)
@given(st.integers(0, 10**6), st.integers(2, 30))
def test_inclusion_probabilities_add_up_and_go_with_the_chances(seed, size):
    rng = np.random.default_rng(seed)
    chances = rng.pareto(0.7, 40) + 1e-6
    chances /= chances.sum()
    pi = inclusion_probabilities(chances, size)
    assert pi.sum() == pytest.approx(size)
    assert pi.max() <= 1
    open_ = pi < 1
    ratio = pi[open_] / chances[open_]
    np.testing.assert_allclose(ratio, ratio[:1].repeat(len(ratio)) if len(ratio) else ratio, rtol=1e-9)
    np.testing.assert_allclose(pi, reference.inclusion_probabilities(chances, size), rtol=1e-9)


@examples(25)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_draws_without_replacement_are_those_of_the_reference(seed, size):
    rng = np.random.default_rng(seed)
    chances = rng.pareto(0.7, 40) + 1e-6
    order, start = rng.permutation(40), rng.random()
    rows, weights, pi = draw(chances / chances.sum(), size, False, Scripted(order, start))
    exact = reference.inclusion_probabilities(chances / chances.sum(), size)
    np.testing.assert_array_equal(rows, reference.systematic(exact, order, start))
    np.testing.assert_allclose(pi, exact[rows], rtol=1e-9)
    np.testing.assert_allclose(weights, 1 / exact[rows], rtol=1e-9)


CHANCES = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
VALUES = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
CONTROLS = np.array([2.0, 2.0, 3.0, 1.0, 7.0])


def sample_of(rows, weights, probabilities, replace):
    return Sample(
        indices=rows,
        weights=weights,
        probabilities=probabilities,
        inclusion_probabilities=probabilities,
        replace=replace,
        population=5,
        queries=rows[:0],
        controls=CONTROLS[rows],
        control_total=CONTROLS.sum(),
    )


@pytest.mark.parametrize("control", [False, True])
def test_over_all_draws_with_replacement_totals_and_variances_are_exact_in_the_mean(control):
    chance, total, variance = [], [], []
    for drawn in itertools.product(range(5), repeat=3):
        rows = np.array(drawn)
        p = CHANCES[rows]
        found = sample_of(rows, 1 / (3 * p), p, True).estimate(VALUES[rows], control=control)
        chance.append(p.prod())
        total.append(found.total)
        variance.append(found.standard_error**2)
    chance, total = np.array(chance), np.array(total)
    assert chance.sum() == pytest.approx(1)
    assert chance @ total == pytest.approx(VALUES.sum(), rel=1e-12)
    assert chance @ np.array(variance) == pytest.approx(chance @ (total - VALUES.sum()) ** 2, rel=1e-12)


class Scripted:
    """Stands in for a generator: a given order, a given start."""

    def __init__(self, order, start):
        self.order, self.start = list(order), start

    def permutation(self, rows):
        return rows[self.order]

    def random(self):
        return self.start


@pytest.mark.parametrize("control", [False, True])
def test_over_all_orders_and_starts_draws_without_replacement_are_exact_in_the_mean(control):
    pi = inclusion_probabilities(CHANCES, 3)
    assert pi.max() == 1  # an item that is always in, too
    total, included = 0.0, np.zeros(5)
    for order in itertools.permutations(range(5)):
        # The rows drawn change only where a mark passes the end of an item.
        cuts = np.unique(np.r_[0.0, np.round(np.cumsum(pi[list(order)]) % 1, 12), 1.0])
        for low, high in itertools.pairwise(cuts):
            rows, weights, inclusion = draw(CHANCES, 3, False, Scripted(order, (low + high) / 2))
            assert len(set(rows.tolist())) == 3
            found = sample_of(rows, weights, inclusion, False).estimate(VALUES[rows], control=control)
            total += (high - low) / 120 * found.total
            included[rows] += (high - low) / 120
    np.testing.assert_allclose(included, pi, rtol=1e-9)
    assert total == pytest.approx(VALUES.sum(), rel=1e-9)


def test_items_are_drawn_as_often_as_they_should_be():
    X, loss = data(2, n=40)
    plan = plan_sensitivity(X, clusters=5, rng=0)
    told = loss[plan.queries]
    rounds = 1000
    for replace in (False, True):
        count = np.zeros(40)
        expected = np.zeros(40)
        for seed in range(rounds):
            sample = plan.sample(8, losses=told, replace=replace, rng=seed)
            count += np.bincount(sample.indices, minlength=40) > 0
            expected[sample.indices] = sample.inclusion_probabilities
        z = (count - rounds * expected) / np.sqrt(rounds * expected * (1 - expected) + 1e-9)
        assert (z**2).sum() < 40 + 5 * np.sqrt(80)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("control", [False, True])
def test_totals_are_unbiased_and_intervals_cover(replace, control):
    X, loss = data(3, n=400)
    plan = plan_sensitivity(X, clusters=12, rng=1)
    found = [
        (lambda s: s.estimate(loss[s.indices], control=control))(
            plan.sample(60, losses=loss[plan.queries], replace=replace, rng=seed)
        )
        for seed in range(500)
    ]
    totals = np.array([f.total for f in found])
    assert abs(totals.mean() - loss.sum()) < 5 * totals.std() / np.sqrt(500)
    covered = np.mean([f.lower <= loss.sum() <= f.upper for f in found])
    assert 0.92 < covered < 0.98
    assert np.mean([f.standard_error for f in found]) == pytest.approx(totals.std(), rel=0.12)
    assert found[0].mean == found[0].total / 400


def test_all_items_without_replacement_are_exact():
    X, loss = data(4, n=50)
    sample = sensitivity_sample(X, 50, clusters=4, losses=loss, replace=False, rng=0)
    found = sample.estimate(loss)
    assert found.total == pytest.approx(loss.sum())
    assert found.standard_error == 0
    np.testing.assert_array_equal(sample.weights, 1)


def test_near_duplicates_that_differ_in_loss_do_not_blow_it_up():
    """Per-cluster constants max |difference| / distance^2 would put nearly all probability on a few items."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 16))
    X[1::2] = X[::2] + 1e-6 * rng.normal(size=(1500, 16))
    loss = rng.exponential(1.0, 3000) * (1 + (X[:, 0] > 0))
    uniform = [abs(loss[rng.choice(3000, 200, replace=False)].mean() / loss.mean() - 1) for _ in range(300)]
    for holder in ("pooled", "quantile"):
        plan = plan_sensitivity(X, clusters=100, holder=holder, rng=0)
        told = loss[plan.queries]
        errors = []
        for seed in range(300):
            sample = plan.sample(200, losses=told, rng=seed)
            assert sample.weights.max() <= 3000 / (200 * 0.1) + 1e-9
            errors.append(abs(sample.estimate(loss[sample.indices]).total / loss.sum() - 1))
        assert np.mean(errors) < 1.6 * np.mean(uniform)


def test_slopes_of_near_copies_lose_the_total_where_pooled_ones_keep_it():
    """The largest quotient of each cluster: most of the probability goes to a few clusters with copies."""
    rng = np.random.default_rng(0)
    n, k, size = 6000, 150, 200
    X = 2 * rng.normal(size=(k, 48))[rng.integers(0, k, n)] + rng.normal(size=(n, 48))
    copies = rng.choice(n, 600, replace=False)
    X[copies[::2]] = X[copies[1::2]] + 1e-4 * rng.normal(size=(300, 48))
    X = X.astype(np.float32)
    loss = rng.exponential(1.0, n)
    clusters = kmeans(X, k, rng=0, max_iter=10)
    plan = plan_sensitivity(X, clusters=clusters, rng=0)
    steep = np.zeros(k)
    for c in range(k):  # as published: some probes a cluster, ln(n) max |difference| / (distance^2 + 1e-4)
        own = np.flatnonzero(clusters.labels == c)
        probes = np.union1d(own[rng.random(len(own)) < 0.15], np.intersect1d(own, copies))
        gaps = np.abs(loss[probes] - loss[plan.center_points[c]])
        steep[c] = np.log(n) * (gaps / (plan.distances[probes] + 1e-4)).max(initial=0.0)

    def error(**options):
        found = []
        for seed in range(100):
            sample = sensitivity_sample(
                X, size, clusters=clusters, losses=loss, rng=seed, **({"mix": 0.1} | options)
            )
            found.append(abs(sample.estimate(loss[sample.indices]).total / loss.sum() - 1))
        return float(np.mean(found))

    uniform = np.mean(
        [abs(loss[rng.choice(n, size, replace=False)].mean() / loss.mean() - 1) for _ in range(300)]
    )
    published = error(holder=steep, mix=0.0)
    assert published > 5 * uniform
    assert error() < 1.5 * uniform
    assert error(holder="quantile") < 1.5 * uniform


@pytest.mark.parametrize("holder", ["pooled", "quantile"])
def test_probes_among_near_copies_alone_say_nothing_of_far_items(holder):
    """Slopes of 1e12 would put all but the even share on the 2 % that lie apart: 20 items of 200."""
    rng = np.random.default_rng(0)
    centers = 5 * rng.normal(size=(50, 8))
    labels = rng.integers(0, 50, 5000)
    X = centers[labels] + 1e-6 * rng.normal(size=(5000, 8))
    far = rng.choice(5000, 100, replace=False)
    X[far] += rng.normal(size=(100, 8))
    loss = rng.exponential(1, 5000)
    sizes = []
    for seed in range(40):
        plan = plan_sensitivity(X, clusters=(centers, labels), holder=holder, rng=seed)
        told = loss[plan.queries]
        sample = plan.sample(200, losses=told)
        sizes.append(sample.effective_sample_size)
    assert np.median(sizes) > 40


def test_losses_are_asked_for_once():
    X, loss = data(5)
    calls = []

    def ask(rows):
        calls.append(rows)
        return loss[rows]

    sample = sensitivity_sample(X, 40, clusters=9, losses=ask, rng=2)
    assert len(calls) == 1
    np.testing.assert_array_equal(calls[0], np.unique(calls[0]))
    np.testing.assert_array_equal(calls[0], sample.queries)
    assert sample.labels_used == len(np.union1d(sample.queries, sample.indices))
    assert len(sample.queries) == 9 + 9 // 20 + 10


def test_two_steps_are_one_and_plans_pickle():
    X, loss = data(6)
    plan = pickle.loads(pickle.dumps(plan_sensitivity(X, clusters=7, rng=4)))
    one = sensitivity_sample(X, 30, clusters=7, losses=loss, rng=4, n_probes=10)
    np.testing.assert_array_equal(plan.sample(30, losses=loss[plan.queries]).indices, one.indices)
    np.testing.assert_array_equal(
        plan.sample(30, losses=loss[plan.queries], rng=9).indices,
        plan.sample(30, losses=loss[plan.queries], rng=9).indices,
    )


def test_known_labels_are_not_asked_for_and_excluded_items_are_left_alone():
    X, loss = data(7)
    known = np.arange(0, 600, 3)
    out = np.arange(1, 600, 3)
    plan = plan_sensitivity(X, clusters=6, known=(known, loss[known]), exclude=out, rng=0)
    assert not np.isin(plan.queries, np.r_[known, out]).any()
    assert np.isin(plan.center_points, known).all()
    sample = plan.sample(300, losses=loss[plan.queries])
    assert not np.isin(sample.indices, out).any()
    assert sample.population == 400
    rest = np.setdiff1d(np.arange(600), out)
    totals = [
        (lambda s: s.estimate(loss[s.indices], control=True).total)(
            plan.sample(50, losses=loss[plan.queries], rng=k)
        )
        for k in range(600)
    ]
    assert abs(np.mean(totals) - loss[rest].sum()) < 5 * np.std(totals) / np.sqrt(600)
    mask = np.zeros(600, bool)
    mask[out] = True
    again = plan_sensitivity(X, clusters=6, known=(known, loss[known]), exclude=mask, rng=0)
    np.testing.assert_array_equal(again.queries, plan.queries)


def test_known_labels_that_leave_nothing_to_ask_are_used():
    X, loss = data(7)
    every = (np.arange(600), loss)
    plan = plan_sensitivity(X, clusters=6, known=every, rng=0)
    assert len(plan.queries) == 0
    sample = plan.sample(30)
    np.testing.assert_array_equal(sample.indices, plan.sample(30, losses=[]).indices)
    assert sample.control_total == pytest.approx(loss[plan.center_points][plan.labels].sum())
    assert sensitivity_sample(X, 30, clusters=6, known=every, rng=0).controls is not None


def test_without_losses_clusters_share_alike():
    X, _ = data(8)
    seeds = kmeans_plusplus(X, 8, rng=0)
    sample = sensitivity_sample(X, 20_000, clusters=seeds, mix=0.0, rng=0)
    share = np.bincount(seeds.labels[sample.indices], minlength=8) / 20_000
    np.testing.assert_allclose(share, 1 / 8, atol=0.02)
    assert len(sample.queries) == 0
    with pytest.raises(ValueError, match="control=True needs"):
        sample.estimate(np.ones(20_000), control=True)


def test_clusters_of_any_kind():
    X, loss = data(9)
    result = kmeans(X, 6, rng=0)
    one = sensitivity_sample(X, 20, clusters=result, losses=loss, rng=1)
    two = sensitivity_sample(X, 20, clusters=(result.centers, result.labels), losses=loss, rng=1)
    np.testing.assert_array_equal(one.indices, two.indices)
    nearest = [np.flatnonzero(result.labels == c) for c in range(6)]
    speakers = [own[((X[own] - result.centers[c]) ** 2).sum(1).argmin()] for c, own in enumerate(nearest)]
    assert np.isin(speakers, one.queries).all()


def test_repeats_are_merged():
    X, loss = data(1)
    sample = sensitivity_sample(X, 2000, clusters=5, losses=loss, rng=0)
    items, weights = sample.unique()
    assert len(items) < 2000
    assert weights @ loss[items] == pytest.approx(sample.weights @ loss[sample.indices])
    w = sample.weights
    assert sample.effective_sample_size == pytest.approx(w.sum() ** 2 / (w**2).sum())


X, LOSS = data(0, n=60)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sensitivity_sample(X, 5, clusters=3, losses=-LOSS), ValueError, "losses must be >= 0"),
        (lambda: sensitivity_sample(X, 5, clusters=3, losses=LOSS * np.nan), ValueError, "losses has 60"),
        (
            lambda: sensitivity_sample(X, 5, clusters=3, losses=lambda r: r[:1]),
            ValueError,
            "losses must have length",
        ),
        (lambda: sensitivity_sample(X, 0, clusters=3), ValueError, "size must be at least 1"),
        (lambda: sensitivity_sample(X, 61, clusters=3, replace=False), ValueError, "size must be at most 60"),
        (lambda: sensitivity_sample(X, 5, clusters=0), ValueError, "clusters must be at least 1"),
        (
            lambda: sensitivity_sample(
                X,
                50,
                clusters=(X[:2], np.repeat([0, 1], 30)),
                losses=np.repeat([0.0, 1.0], 30),
                holder=0.0,
                mix=0.0,
                replace=False,
            ),
            ValueError,
            "size must be at most 30 without replacement, got 50",
        ),
        (lambda: sensitivity_sample(X, 5, clusters="many"), TypeError, "clusters must be an integer"),
        (
            lambda: sensitivity_sample(X, 5, clusters=(X[:3], LOSS)),
            TypeError,
            r"clusters\[1\] must hold integers",
        ),
        (
            lambda: sensitivity_sample(X, 5, clusters=(X[:3], np.full(60, 3))),
            ValueError,
            r"clusters\[1\] must lie in 0 .. 2",
        ),
        (lambda: sensitivity_sample(X, 5, clusters=kmeans(X[:9], 2)), ValueError, "clusters must be of X"),
        (lambda: sensitivity_sample(X, 5, clusters=3, mix=1.5), ValueError, "mix must lie between 0 and 1"),
        (lambda: sensitivity_sample(X, 5, clusters=3, holder="max"), ValueError, "holder must be one of"),
        (lambda: sensitivity_sample(X, 5, clusters=3, holder=-1.0), ValueError, "holder must be finite"),
        (lambda: sensitivity_sample(X, 5, clusters=3, holder=[1.0]), ValueError, "holder must have length 3"),
        (lambda: sensitivity_sample(X, 5, clusters=3, exclude=[60]), ValueError, "exclude must lie in"),
        (
            lambda: sensitivity_sample(X, 5, clusters=3, exclude=range(60)),
            ValueError,
            "exclude leaves no item",
        ),
        (
            lambda: sensitivity_sample(X, 5, clusters=3, known=([1], [-1.0])),
            ValueError,
            r"known\[1\] must be >= 0",
        ),
        (lambda: sensitivity_sample(X, 5, clusters=3, known=[1]), TypeError, "known must be a pair"),
        (lambda: sensitivity_sample(X * np.nan, 5, clusters=3), ValueError, "X has NaN"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- what certain items say of the error of a sample


def plan_with_certain_items():
    """Eight items that are always drawn, four of which some are."""
    X = np.arange(12.0)[:, None]
    predicted = np.r_[100.0, 90, 80, 70, 60, 50, 40, 30, 2, 2, 2, 2]
    plan = plan_sensitivity(X, clusters=(X, np.arange(12)), holder=0.0, mix=0.02)
    return plan, predicted, np.r_[predicted[:8], 1, 2, 3, 4]


def test_one_item_left_to_chance_tells_nothing_of_its_scatter():
    plan, predicted, loss = plan_with_certain_items()
    sample = plan.sample(9, losses=predicted[plan.queries], replace=False, rng=0)
    assert (sample.probabilities == 1).sum() == 8
    found = sample.estimate(loss[sample.indices])
    assert (found.standard_error, found.lower, found.upper) == (np.inf, -np.inf, np.inf)
    assert np.isfinite(found.total)
    controlled = sample.estimate(loss[sample.indices], control=True)
    assert controlled.mean_standard_error == np.inf


@pytest.mark.parametrize("left", [2, 3])
def test_intervals_of_a_few_items_beside_certain_ones_cover(left):
    plan, predicted, loss = plan_with_certain_items()
    inside, totals, variances = 0, [], []
    for seed in range(400):
        sample = plan.sample(8 + left, losses=predicted[plan.queries], replace=False, rng=seed)
        found = sample.estimate(loss[sample.indices])
        inside += found.lower <= loss.sum() <= found.upper
        totals.append(found.total)
        variances.append(found.standard_error**2)
    assert inside / 400 > 0.93
    assert np.mean(totals) == pytest.approx(loss.sum(), abs=5 * np.std(totals) / 20)
    assert np.mean(variances) == pytest.approx(np.var(totals), rel=0.25)


def test_an_item_that_is_all_but_certain_counts_as_hardly_any():
    chances = np.array([1.0, 1.0, 0.999, 0.001, 0.5])
    sample = Sample(np.arange(5), 1 / chances, chances, chances, False, 9, np.zeros(0, np.int64))
    few = sample.estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    alike = Sample(np.arange(3), np.full(3, 2.0), np.full(3, 0.5), np.full(3, 0.5), False, 9, sample.queries)
    assert alike.estimate([1.0, 2.0, 3.0]).standard_error == pytest.approx(np.sqrt(1.5 * 0.5 * 8))
    assert np.isfinite(few.standard_error)
    nearly = Sample(np.arange(2), np.ones(2), np.array([0.999, 0.2]), np.ones(2), False, 9, sample.queries)
    assert nearly.estimate([1.0, 2.0]).standard_error == np.inf


def test_a_sample_of_certain_items_alone_has_no_error():
    plan, predicted, loss = plan_with_certain_items()
    sample = plan.sample(12, losses=predicted[plan.queries], replace=False, rng=0)
    found = sample.estimate(loss[sample.indices])
    assert (found.total, found.standard_error, found.lower) == (loss.sum(), 0.0, loss.sum())
