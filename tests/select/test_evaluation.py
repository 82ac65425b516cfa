"""Active tests, model selection and leverage scores against enumeration and closed forms."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from steelyard import _core
from steelyard.reference import evaluation as reference
from steelyard.select import (
    ModelSelector,
    active_test,
    kmeans_plusplus,
    leverage_scores,
    regression_sample,
)
from support.examples import examples

pytestmark = pytest.mark.kernel

# ---- active tests


def proposal(left, seen):
    """Depends on what was seen, as an acquisition does."""
    scores = 1.0 + np.array(left) % 3 + 0.5 * len(seen) * (np.array(left) > 2)
    return scores / scores.sum()


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_every_sequence_of_draws_gives_the_mean_in_expectation(m):
    losses = np.array([0.3, 2.0, 0.0, 1.1, 5.0])
    mean = total = 0.0
    for order in itertools.permutations(range(5), m):
        chance, left, q = 1.0, list(range(5)), []
        for k, item in enumerate(order):
            p = proposal(left, order[:k])[left.index(item)]
            q.append(p)
            chance *= p
            left.remove(item)
        found = active_test(losses[list(order)], q, 5)
        assert found.risk == pytest.approx(reference.lure(losses[list(order)], q, 5))
        mean += chance * found.risk
        total += chance
    assert total == pytest.approx(1)
    assert mean == pytest.approx(losses.mean())


def test_even_draws_are_the_sample_mean_and_the_whole_pool_is_exact():
    rng = np.random.default_rng(0)
    losses = rng.exponential(size=30)
    q = 1 / (30 - np.arange(12))
    found = active_test(losses[:12], q, 30)
    assert found.risk == pytest.approx(losses[:12].mean())
    np.testing.assert_allclose(found.weights, 1)
    whole = active_test(losses, 1 / (30 - np.arange(30)), 30)
    assert (whole.risk, whole.standard_error) == (pytest.approx(losses.mean()), 0.0)
    assert active_test([1.0], [0.2], 5).upper == np.inf


def test_intervals_cover():
    rng = np.random.default_rng(1)
    losses = rng.exponential(size=200) * (1 + (np.arange(200) % 5 == 0))
    guess = losses * rng.uniform(0.5, 2.0, 200)
    inside, risks, errors = 0, [], []
    for _ in range(300):
        left = np.ones(200, bool)
        seen, q = [], []
        for _ in range(40):
            p = np.where(left, guess, 0.0)
            p = 0.8 * p / p.sum() + 0.2 * left / left.sum()
            item = rng.choice(200, p=p)
            seen.append(item)
            q.append(p[item])
            left[item] = False
        found = active_test(losses[seen], q, 200)
        inside += found.lower <= losses.mean() <= found.upper
        risks.append(found.risk)
        errors.append(found.standard_error)
    assert 0.9 < inside / 300 < 0.985
    assert np.mean(errors) == pytest.approx(np.std(risks), rel=0.2)
    assert abs(np.mean(risks) - losses.mean()) < 5 * np.std(risks) / np.sqrt(300)


def test_several_models_are_tested_on_the_same_draws():
    rng = np.random.default_rng(3)
    losses, q = rng.exponential(size=(3, 12)), rng.uniform(0.05, 0.5, 12)
    for n in (12, 40):
        found = active_test(losses, q, n, level=0.9)
        for k in range(3):
            one = active_test(losses[k], q, n, level=0.9)
            for name in ("risk", "standard_error", "lower", "upper"):
                assert getattr(found, name)[k] == getattr(one, name)
            np.testing.assert_array_equal(found.weights, one.weights)
    gap = active_test(losses[0] - losses[1], q, 40)
    assert gap.risk == pytest.approx(found.risk[0] - found.risk[1])
    assert "and 2 more models" in repr(found)
    assert active_test([[1.0], [2.0]], [0.2], 5).upper.tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: active_test(np.zeros((1, 2, 2)), [0.5, 0.5], 3), "losses must have shape"),
        (lambda: active_test(np.zeros((0, 2)), [0.5, 0.5], 3), "losses must have shape"),
        (lambda: active_test([[1.0], [np.inf]], [0.5], 3), "losses has 1"),
        (lambda: active_test([1.0], [0.0], 3), r"probabilities must lie in \(0, 1\]"),
        (lambda: active_test([1.0], [1.5], 3), r"probabilities must lie in \(0, 1\]"),
        (lambda: active_test([1.0, 2.0], [0.5], 3), "probabilities must have length 2"),
        (lambda: active_test([1.0, 2.0], [0.5, 1.0], 1), "n_pool must be at least the number of losses, 2"),
        (lambda: active_test([], [], 3), "losses is empty"),
        (lambda: active_test([np.nan], [0.5], 3), "losses has 1"),
    ],
)
def test_impossible_draws_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- model selection


@examples(20)
@given(st.integers(0, 10**6), st.integers(1, 5), st.floats(1.01, 30))
def test_entropies_are_those_of_the_definition(seed, classes, gain):
    rng = np.random.default_rng(seed)
    predictions = rng.integers(0, classes, (7, 6))
    beliefs = rng.dirichlet(np.full(6, 0.3))
    beliefs[rng.integers(6)] = 0
    beliefs /= beliefs.sum()
    names, codes = np.unique(predictions, return_inverse=True)
    codes = codes.reshape(predictions.shape).astype(np.int32)
    found = _core.select._expected_entropies(codes, len(names), beliefs, gain)
    np.testing.assert_allclose(found, reference.entropies_after(predictions, beliefs, gain), atol=1e-9)


def pool(seed, items=300, models=12, classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    right = rng.random((items, models)) < np.linspace(0.5, 0.9, models)[rng.permutation(models)]
    wrong = (truth[:, None] + rng.integers(1, classes, (items, models))) % classes
    return np.where(right, truth[:, None], wrong), truth


def test_the_best_model_is_found_with_fewer_labels_than_at_random():
    asked, random = [], []
    for seed in range(12):
        predictions, truth = pool(seed)
        right = (predictions == truth[:, None]).sum(0)
        best = right == right.max()
        selector = ModelSelector(predictions, 0.4)
        leads = []
        for _ in range(300):
            item = selector.ask()
            selector.tell(item, truth[item])
            leads.append(best[selector.leader])
        order = np.random.default_rng(seed).permutation(300)
        plain = best[np.cumsum((predictions == truth[:, None])[order], axis=0).argmax(1)]
        for found, lead in ((asked, np.array(leads)), (random, plain)):
            wrong = np.flatnonzero(~lead)
            found.append(wrong[-1] + 1 if len(wrong) else 0)
        assert leads[-1]
        assert [told.item for told in selector.history] != sorted(told.item for told in selector.history)
    assert np.quantile(asked, 0.9) < 0.7 * np.quantile(random, 0.9)


@pytest.mark.parametrize("rule", ["unbiased", "entropy"])
def test_batches_are_distinct_items_that_stay_until_they_are_told(rule):
    predictions, truth = pool(2, items=60)
    selector = ModelSelector(predictions, 0.35, rule=rule, rng=0)
    batch = selector.ask(size=7)
    assert len(set(batch.tolist())) == 7
    np.testing.assert_array_equal(selector.ask(size=7), batch)
    assert selector.ask() == batch[0]
    np.testing.assert_array_equal(selector.ask(size=3), batch[:3])
    for item in batch[::2]:
        selector.tell(item, truth[item])
    np.testing.assert_array_equal(selector.ask(size=3), batch[1::2])
    more = selector.ask(size=5)
    np.testing.assert_array_equal(more[:3], batch[1::2])
    assert not np.isin(more[3:], batch).any()
    left = selector.ask(size=100)
    assert len(left) == 60 - 4
    for item in left:
        selector.tell(item, truth[item])
    with pytest.raises(ValueError, match="all items have labels"):
        selector.ask(size=2)
    right = (predictions == truth[:, None]).sum(axis=0)
    assert right[selector.leader] == right.max()


def test_a_batch_counts_in_the_order_of_its_draws():
    predictions, truth = pool(4, items=100)
    one, two = (ModelSelector(predictions, 0.35, rng=0) for _ in range(2))
    batch = one.ask(size=10)
    np.testing.assert_array_equal(two.ask(size=10), batch)
    for item in batch:
        one.tell(item, truth[item])
    for item in batch[::-1]:
        two.tell(item, truth[item])
    np.testing.assert_allclose(one.posterior, two.posterior)


def test_shares_of_right_answers_are_unbiased_in_batches():
    predictions, truth = pool(5, items=40, models=4)
    right = (predictions == truth[:, None]).astype(float)
    contested = (predictions != predictions[:, :1]).any(axis=1)
    want, shares = right[contested].mean(axis=0), []
    for seed in range(300):
        selector = ModelSelector(predictions, 0.35, rng=seed)
        for _ in range(2):
            for item in selector.ask(size=4):
                selector.tell(item, truth[item])
        shares.append(selector._estimate.share)
    error = np.std(shares, axis=0) / np.sqrt(len(shares))
    assert (np.abs(np.mean(shares, axis=0) - want) < 4.5 * error + 0.02).all()


@pytest.mark.parametrize("rule", ["unbiased", "entropy"])
def test_names_do_not_matter_and_selectors_pickle(rule):
    predictions, truth = pool(1)
    names = np.array(["cat", "dog", "eel"])
    one = ModelSelector(predictions, rule=rule, rng=0)
    two = ModelSelector(names[predictions], rule=rule, rng=0)
    assert one.epsilon == two.epsilon
    for _ in range(30):
        two = pickle.loads(pickle.dumps(two))
        item = one.ask()
        assert two.ask() == item
        one.tell(item, truth[item])
        two.tell(item, names[truth[item]])
    np.testing.assert_allclose(one.posterior, two.posterior)
    assert one.posterior.sum() == pytest.approx(1)
    gain = (1 - one.epsilon) / one.epsilon
    items = [told.item for told in one.history]
    right = (predictions[items] == truth[items, None]).sum(0)
    if rule == "unbiased":
        assert one.posterior.argmax() == one.leader
        return
    expected = gain ** (right - right.max())
    np.testing.assert_allclose(one.posterior, expected / expected.sum(), rtol=1e-9)


@examples(20)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(1.01, 30))
def test_entropies_by_the_beliefs_own_law_of_labels(seed, classes, gain):
    rng = np.random.default_rng(seed)
    predictions = rng.integers(0, classes, (7, 5)).astype(np.int32)
    predictions[0] = 0
    beliefs = rng.dirichlet(np.ones(5))
    found = _core.select._expected_entropies(predictions, classes, beliefs, gain, "own")
    np.testing.assert_allclose(found, reference.entropies_by_own_law(predictions, classes, beliefs, gain))
    now = -(beliefs @ np.log(beliefs))
    assert found[0] == pytest.approx(now)
    assert (found <= now + 1e-12).all()


def close_pair(seed=5, items=600):
    """Two models of accuracies .75 and .80 that agree where both are wrong."""
    g = np.random.default_rng(seed)
    truth = g.integers(0, 3, items)
    right = g.random((items, 2)) < [0.75, 0.80]
    return np.where(right, truth[:, None], (truth[:, None] + 1) % 3), truth


def test_items_on_which_all_models_agree_come_last():
    predictions, truth = close_pair(items=120)
    contested = predictions[:, 0] != predictions[:, 1]
    selector = ModelSelector(predictions, 0.35, rng=0)
    assert not selector.decided
    items, decided = [], []
    for _ in truth:
        items.append(selector.ask())
        assert selector.ask() == items[-1]
        selector.tell(items[-1], truth[items[-1]])
        decided.append(selector.decided)
    assert contested[items[: contested.sum()]].all()
    assert sorted(items) == list(range(120))
    assert decided == sorted(decided)
    assert decided[contested.sum() - 1]
    right = (predictions == truth[:, None]).sum(axis=0)
    assert selector.leader == right.argmax()


def test_estimates_are_exact_once_all_contested_items_have_labels():
    predictions, truth = pool(3, items=80)
    contested = (predictions != predictions[:, :1]).any(axis=1)
    selector = ModelSelector(predictions, 0.3, rng=1)
    for _ in range(contested.sum()):
        item = selector.ask()
        selector.tell(item, truth[item])
    right = (predictions == truth[:, None]).sum(axis=0)
    expected = (0.7 / 0.3) ** (right - right.max())
    np.testing.assert_allclose(selector.posterior, expected / expected.sum(), rtol=1e-9)
    assert selector.decided


def test_items_and_models_in_any_order_are_asked_alike():
    """Files sorted by class, or with the same models in another order: only chance breaks ties."""
    predictions, _ = close_pair()
    firsts = [ModelSelector(predictions, 0.35, rule="entropy", rng=seed).ask() for seed in range(30)]
    assert len(set(firsts)) > 20
    drawn = [ModelSelector(predictions, 0.35, rng=seed).ask() for seed in range(30)]
    assert len(set(drawn)) > 20


@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_the_better_of_two_close_models_leads_sooner_than_by_uniform_sampling(order):
    predictions, truth = close_pair()
    if order == "sorted":
        rows = np.lexsort(((predictions == truth[:, None]).sum(axis=1), truth))
        predictions, truth = predictions[rows], truth[rows]
    right = predictions == truth[:, None]
    own = plain = 0
    for seed in range(40):
        selector = ModelSelector(predictions, 0.35, rng=seed)
        for _ in range(60):
            item = selector.ask()
            selector.tell(item, truth[item])
        own += selector.leader == 1
        some = np.random.default_rng(seed).permutation(600)[:60]
        plain += np.subtract(*right[some].sum(axis=0)) < 0
    assert own >= 38
    assert own >= plain


@pytest.mark.parametrize(("models", "labels"), [(5, 120), (12, 60)])
def test_close_models_lead_no_later_than_by_uniform_sampling(models, labels):
    rng = np.random.default_rng(models)
    own = plain = 0
    for seed in range(40):
        truth = rng.integers(0, 3, 300)
        right = rng.random((300, models)) < rng.permutation(np.linspace(0.7, 0.82, models))
        predictions = np.where(right, truth[:, None], (truth[:, None] + 1) % 3)
        counts = right.sum(axis=0)
        selector = ModelSelector(predictions, 0.35, rng=seed)
        for _ in range(labels):
            item = selector.ask()
            selector.tell(item, truth[item])
        own += counts[selector.leader] == counts.max()
        some = rng.permutation(300)[:labels]
        plain += counts[right[some].sum(axis=0).argmax()] == counts.max()
    assert own > plain


def test_copies_of_a_middling_model_do_not_outvote_the_best():
    rng = np.random.default_rng(0)
    found = 0
    for seed in range(20):
        truth = rng.integers(0, 3, 400)
        herd = np.where(rng.random(400) < 0.7, truth, (truth + 1) % 3)
        best = np.where(rng.random(400) < 0.85, truth, (truth + 2) % 3)
        predictions = np.c_[np.tile(herd[:, None], 9), best]
        selector = ModelSelector(predictions, 0.35, rng=seed)
        for _ in range(60):
            item = selector.ask()
            selector.tell(item, truth[item])
        found += selector.leader == 9
    assert found >= 18


def test_float_predictions_that_are_whole_are_classes():
    predictions = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    selector = ModelSelector(predictions, 0.3, rng=0)
    selector.tell(0, 1)
    assert selector.posterior[1] > 0.5
    with pytest.raises(ValueError, match="predictions has missing entries"):
        ModelSelector([[0.0, np.nan]])


@pytest.mark.parametrize(
    ("predictions", "label", "error", "message"),
    [
        ([[0, 1]], "0", TypeError, "label must be a number as the predictions are, got '0'"),
        ([[0.0, 1.0]], "1.0", TypeError, "label must be a number"),
        ([["a", "b"]], 0, TypeError, "label must be str as the predictions are, got 0"),
        ([["a", "b"]], b"a", TypeError, "label must be str"),
        ([[0, 1]], None, ValueError, "label is missing"),
        ([[0, 1]], np.nan, ValueError, "label is missing"),
        ([[0, 1]], [1], TypeError, "label must be one class"),
    ],
)
def test_a_label_of_another_kind_is_refused(predictions, label, error, message):
    selector = ModelSelector(predictions, 0.3)
    with pytest.raises(error, match=message):
        selector.tell(0, label)
    assert not selector.history


def test_a_label_that_nobody_predicts_changes_nothing_and_items_end():
    selector = ModelSelector([[0, 1], [1, 1]], 0.3)
    selector.tell(selector.ask(), 7)
    np.testing.assert_array_equal(selector.posterior, [0.5, 0.5])
    item = selector.ask()
    selector.tell(item, 1)
    with pytest.raises(ValueError, match="all items have labels"):
        selector.ask()
    with pytest.raises(ValueError, match=f"item {item} has a label"):
        selector.tell(item, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ModelSelector([1, 2]), ValueError, "predictions must have shape"),
        (lambda: ModelSelector([[0.5]]), TypeError, "predictions must hold classes"),
        (lambda: ModelSelector([[None, "a"]]), ValueError, "missing"),
        (lambda: ModelSelector([[1]], 0.5), ValueError, "epsilon must lie between 0 and 0.5"),
        (lambda: ModelSelector([[1]], rule="best"), ValueError, "rule must be one of"),
        (lambda: ModelSelector([[1]], rng="a"), TypeError, "rng must be None, an integer >= 0"),
        (lambda: ModelSelector([[1]], rng=-1), ValueError, "rng must be None, an integer >= 0"),
        (lambda: ModelSelector([[1]], "best"), ValueError, "epsilon must be a number or 'auto'"),
        (lambda: ModelSelector([[1]], 0.3).tell(1, 1), ValueError, "item must lie in 0 .. 0"),
    ],
)
def test_wrong_predictions_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- leverage scores


@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_scores_are_the_hat_matrix(ridge):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 6)) * rng.lognormal(size=(40, 1))
    scores = leverage_scores(A, ridge=ridge)
    np.testing.assert_allclose(scores, reference.leverage_scores(A, ridge), rtol=1e-8)
    if ridge == 0:
        assert scores.sum() == pytest.approx(6)
        np.testing.assert_allclose(leverage_scores(A @ rng.normal(size=(6, 6))), scores, rtol=1e-6)


def test_columns_that_depend_on_each_other_count_once():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(30, 3))
    wide = np.c_[A, A @ rng.normal(size=(3, 4)), np.zeros(30)]
    np.testing.assert_allclose(leverage_scores(wide), leverage_scores(A), rtol=1e-8)
    np.testing.assert_allclose(leverage_scores(A.T), np.ones(3), rtol=1e-10)
    np.testing.assert_array_equal(leverage_scores(np.zeros((3, 2))), np.zeros(3))


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_sketched_scores_lie_near_the_exact_ones(kind):
    rng = np.random.default_rng(2)
    A = rng.standard_t(3, size=(6000, 12))
    exact = leverage_scores(A)
    ratio = leverage_scores(kind(A), method="sketch", rng=0) / exact
    assert 0.9 < ratio.mean() < 1.1
    assert ratio.std() < 0.3
    assert np.mean((ratio > 0.6) & (ratio < 1.4)) > 0.93


@pytest.mark.parametrize("method", ["leverage", "sensitivity", "uniform"])
def test_a_sampled_fit_estimates_the_fit_to_all_with_honest_errors(method):
    rng = np.random.default_rng(3)
    A = rng.normal(size=(2000, 4)) * rng.lognormal(0, 0.7, (2000, 1))
    b = A @ [1.0, -2.0, 0.5, 3.0] + rng.normal(size=2000) * (1 + np.abs(A[:, 0]))
    best, rss, *_ = np.linalg.lstsq(A, b, rcond=None)
    fits = [regression_sample(A, b, 300, method=method, rng=seed) for seed in range(150)]
    x = np.array([fit.coefficients for fit in fits])
    z = (x - best) / np.array([fit.standard_errors for fit in fits])
    assert 0.85 < np.mean(np.abs(z) < 1.96) < 0.99
    np.testing.assert_allclose(x.std(0), np.mean([f.standard_errors for f in fits], axis=0), rtol=0.25)
    assert np.median([fit.residual for fit in fits]) == pytest.approx(rss[0], rel=0.15)
    gram = np.mean([(A[f.indices].T * f.weights) @ A[f.indices] for f in fits], axis=0)
    np.testing.assert_allclose(gram, A.T @ A, atol=0.1 * np.abs(A.T @ A).max())


@pytest.mark.parametrize("method", ["leverage", "sensitivity", "uniform"])
def test_errors_of_a_fit_count_its_coefficients(method):
    rng = np.random.default_rng(5)
    A = rng.normal(size=(2000, 6))
    b = A.sum(axis=1) + rng.normal(size=2000)
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    fits = [regression_sample(A, b, 18, method=method, clusters=8, rng=seed) for seed in range(300)]
    wrong = np.array([fit.coefficients - best for fit in fits])
    errors = np.array([fit.standard_errors for fit in fits])
    assert np.sqrt((errors**2).mean() / (wrong**2).mean()) == pytest.approx(1, abs=0.12)
    ends = np.array([fit.intervals() for fit in fits])
    assert 0.91 < ((ends[:, :, 0] < best) & (best < ends[:, :, 1])).mean() < 0.975


def test_a_coefficient_that_hangs_on_one_draw_has_no_known_error():
    A = np.zeros((400, 2))
    A[:, 0] = 1
    A[7, 1] = 1
    b = np.random.default_rng(0).normal(size=400)
    fits = [regression_sample(A, b, 6, rng=seed) for seed in range(40)]
    once = [fit for fit in fits if (fit.indices == 7).sum() == 1]
    assert once
    for fit in once:
        assert np.isfinite(fit.standard_errors[0])
        assert np.isinf(fit.standard_errors[1])


def test_leverage_finds_the_rows_that_decide():
    A = np.zeros((3000, 2))
    A[:, 0] = 1
    A[7, 1] = 1  # only this row tells of the second coefficient
    b = np.full(3000, 2.0)
    b[7] = 5.0
    fit = regression_sample(A, b, 60, rng=0)
    np.testing.assert_allclose(fit.coefficients, [2, 3], atol=1e-9)
    with pytest.raises(ValueError, match="do not determine all coefficients"):
        regression_sample(A, b, 60, method="uniform", rng=0)


def test_targets_are_asked_for_once_and_only_where_drawn():
    rng = np.random.default_rng(4)
    A, calls = rng.normal(size=(500, 3)), []

    def ask(rows):
        calls.append(rows)
        return A[rows].sum(axis=1)

    fit = regression_sample(A, ask, 40, rng=1)
    assert len(calls) == 1
    np.testing.assert_array_equal(calls[0], np.unique(fit.indices))
    np.testing.assert_allclose(fit.coefficients, 1, atol=1e-10)
    seeds = kmeans_plusplus(A, 5, rng=0)
    assert len(regression_sample(A, ask, 40, method="sensitivity", clusters=seeds).indices) == 40


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: leverage_scores([1.0]), ValueError, "A must have shape"),
        (lambda: leverage_scores([[np.nan]]), ValueError, "A has NaN"),
        (lambda: leverage_scores([["a"]]), TypeError, "A must hold real numbers"),
        (lambda: leverage_scores([[1.0]], method="fast"), ValueError, "method must be one of"),
        (lambda: leverage_scores([[1.0]], ridge=-1), ValueError, "ridge must be zero or positive"),
        (
            lambda: leverage_scores(sparse.csr_array([[np.nan]]), method="sketch"),
            ValueError,
            "A must be finite",
        ),
        (lambda: regression_sample(np.eye(3), np.ones(3), 3), ValueError, "size must be at least 4"),
        (lambda: regression_sample(np.eye(3), np.ones(2), 4), ValueError, "b must have length 3"),
        (lambda: regression_sample(np.eye(3), np.ones(3), 4, mix=2), ValueError, "mix must lie"),
    ],
)
def test_wrong_matrices_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_whole_numbers_in_floats_are_classes():
    predictions = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    whole, same = ModelSelector(predictions.astype(int), 0.3), ModelSelector(predictions, 0.3)
    for item, label in ((0, 1), (2, 0.0)):
        whole.tell(item, label)
        same.tell(item, label)
    assert whole.posterior.tolist() == same.posterior.tolist() != [0.5, 0.5]
    with pytest.raises(TypeError, match="predictions must hold classes"):
        ModelSelector(predictions + 0.5)


@pytest.mark.parametrize(
    ("predictions", "label"), [([[0, 1]], "0"), ([["0", "1"]], 0), ([[True, False]], "True")]
)
def test_a_label_of_another_kind_is_no_class_that_nobody_predicted(predictions, label):
    selector = ModelSelector(predictions, 0.3)
    with pytest.raises(TypeError, match=r"^label must be (a number|str) as the predictions are"):
        selector.tell(0, label)
    assert not selector.history
