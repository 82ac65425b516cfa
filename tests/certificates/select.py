"""Samples, coresets and label-efficient estimates against enumeration, closed forms and simulation."""

from __future__ import annotations

import itertools

import numpy as np
from flint import arb_mat

from steelyard import select

from . import truth
from .trials import DRAWS, Claim, Coverage, Inclusion, Mean, Spread, statistical_trial, trial

EPS = np.finfo(float).eps


# ---- sensitivity samples


def planned(instance):
    """A plan whose predictions are the instance's, its share of even draws, and the losses in units of 1."""
    rng, n = instance.rng(), len(instance["loss"])
    size = max(instance["loss"].max(), instance["predicted"].max())
    unit = size if size > 0 else 1.0
    predicted, loss = instance["predicted"] / unit, instance["loss"] / unit
    mix = float(rng.choice([0.3, 0.5, 1.0]))
    X = np.arange(float(n))[:, None]
    plan = select.plan_sensitivity(X, clusters=(X, np.arange(n)), holder=0.0, mix=mix, rng=instance.seed)
    size = int(rng.integers(max(2, n // 4), max(3, n)))
    return plan, predicted, loss, mix, size


def chances_of(predicted, mix):
    """The law of one draw, by its definition."""
    even = np.full(len(predicted), 1 / len(predicted))
    total = predicted.sum()
    return (1 - mix) * predicted / total + mix * even if total > 0 else even


def inclusion_of(p, size):
    """min(1, c p) that add up to size: c by bisection."""
    low, high = 0.0, size / p.min() + 1
    for _ in range(200):
        c = 0.5 * (low + high)
        low, high = (c, high) if np.minimum(1, c * p).sum() < size else (low, c)
    return np.minimum(1, high * p)


def drawn(plan, predicted, size, replace, seed):
    rng, told = np.random.default_rng(seed), predicted[plan.queries]
    for _ in range(DRAWS):
        yield plan.sample(size, losses=told, replace=replace, rng=rng)


@statistical_trial(
    solver="select.sensitivity_sample, select.plan_sensitivity",
    states="inclusion_probabilities",
    truth="the law by its definition; frequencies of 2,000 draws",
    zoo="losses",
    share=0.06,
)
def items_are_drawn_as_often_as_said(instance):
    plan, predicted, _, mix, size = planned(instance)
    p, n = chances_of(predicted, mix), len(predicted)
    for replace in (False, True):
        if not replace and size > n:
            continue
        stated = 1 - (1 - p) ** size if replace else inclusion_of(p, size)
        count, told = np.zeros(n), np.full(n, np.nan)
        for sample in drawn(plan, predicted, size, replace, instance.seed):
            count[np.unique(sample.indices)] += 1
            told[sample.indices] = sample.inclusion_probabilities
        assert np.allclose(told[count > 0], stated[count > 0], atol=1e-9)
        yield Inclusion(count, DRAWS, np.where(stated > 1 - 1e-11, 1.0, stated), about=f"replace={replace}")


@statistical_trial(
    solver="select.sensitivity_sample, select.plan_sensitivity",
    states="estimate: total, standard_error",
    truth="the sum of all losses; 2,000 draws",
    zoo="losses",
    share=0.06,
    note="the variance without replacement is an approximation: within 40 %, or a factor of two where fewer "
    "than five items are left to chance",
)
def totals_are_unbiased_and_their_variances_those_of_the_draws(instance):
    plan, predicted, loss, _, size = planned(instance)
    n, total = len(loss), loss.sum()
    for replace in (False, True):
        if not replace and size > n:
            continue
        found, chance = [], n
        for sample in drawn(plan, predicted, size, replace, instance.seed + 1):
            values = loss[sample.indices]
            controlled = sample.estimate(values, control=True)
            plain = sample.estimate(values)
            found.append((plain.total, plain.standard_error, controlled.total))
            open_ = 1 - sample.probabilities
            chance = min(chance, open_.sum() ** 2 / max((open_**2).sum(), 1e-300))
        totals, errors, controlled = np.array(found).T
        yield Mean(totals, total, about=f"total, replace={replace}")
        yield Mean(controlled, total, about=f"with a control variate, replace={replace}")
        if np.isfinite(errors).all() and errors.max() > 1e-9 * abs(total):  # else rounding beside rounding
            squares = (totals - total) ** 2
            slack = 0.0 if replace else 0.4 if chance >= 5 else 1.0
            yield Mean(
                squares - errors**2, 0.0, error=slack * squares.mean(), about=f"variance, replace={replace}"
            )


# ---- one item after the other


def in_turns(instance, draws):
    """Orders and chances of draws in turn, by predictions mixed with an even share."""
    rng, n = instance.rng(), len(instance["loss"])
    size = max(instance["loss"].max(), instance["predicted"].max())
    unit = size if size > 0 else 1.0
    p = chances_of(instance["predicted"] / unit, 0.5)
    m = int(rng.integers(1, n + 1))
    keys = np.log(p) + rng.gumbel(size=(draws, n))  # the largest keys are draws in turn without replacement
    orders = np.argsort(-keys, axis=1)[:, :m]
    taken = np.cumsum(p[orders], axis=1) - p[orders]
    return orders, p[orders] / np.maximum(1 - taken, p[orders]), instance["loss"] / unit


@statistical_trial(
    solver="select.active_test",
    states="risk",
    truth="the mean of all losses; 2,000 draws",
    zoo="losses",
)
def risks_are_unbiased(instance):
    orders, chances, loss = in_turns(instance, DRAWS)
    found = [
        select.active_test(loss[order], q, len(loss)).risk for order, q in zip(orders, chances, strict=True)
    ]
    yield Mean(np.array(found), loss.mean())


@trial(
    solver="select.active_test",
    states="risk, in expectation",
    kind="rigorous",
    truth="every sequence of draws",
    zoo="losses",
    largest=5,
    note="exact but for rounding: 1e-13 of the largest weight is what is held to",
)
def risks_are_unbiased_over_all_sequences(instance):
    _, _, loss = in_turns(instance, 1)
    p, n = chances_of(instance["predicted"] / max(instance["predicted"].max(), 1e-300), 0.5), len(loss)
    m, mean, size = min(n, 3), 0.0, 0.0
    for order in itertools.permutations(range(n), m):
        chance, q, left = 1.0, [], np.ones(n, dtype=bool)
        for item in order:
            q.append(min(1.0, p[item] / p[left].sum()))
            chance *= q[-1]
            left[item] = False
        found = select.active_test(loss[list(order)], q, n)
        mean += chance * found.risk
        size += chance * np.abs(found.weights).max()
    held = 1e-13 * (1 + size)
    yield Claim(stated=held, true=abs(mean - loss.mean()), floor=held)


# ---- means and differences


@statistical_trial(
    solver="select.paired_difference",
    states="difference, standard_error, interval (95 %), of clustered items with repeats",
    truth="scores of a known law; 2,000 draws",
    zoo="losses",
    largest=5,
    share=0.03,
    note="clusters of 1 to 5 items: intervals hold in .94",
)
def differences_are_unbiased_and_their_intervals_hold(instance):
    rng = instance.rng()
    labels = np.repeat(np.arange(30), rng.integers(1, 6, size=30))
    found = []
    for _ in range(DRAWS):
        common = rng.normal(size=30)[labels] + rng.normal(size=len(labels))
        a = common[:, None] + rng.normal(size=(len(labels), 2))
        one = select.paired_difference(a, 0.5 * common - 0.25, clusters=labels)
        found.append((one.difference, one.standard_error, one.upper - one.difference))
    middle, error, half = np.array(found).T
    yield Mean(middle, 0.25)
    yield Spread(middle - 0.25, error, slack=0.1)
    yield Coverage(np.abs(middle - 0.25) / half, 0.94)


@statistical_trial(
    solver="select.prediction_powered_mean",
    states="mean, interval (95 %)",
    truth="labels of a known law; 2,000 draws",
    zoo="losses",
    largest=5,
    share=0.03,
    note="40 labels: intervals hold in .93, since the narrower of two is taken",
)
def powered_means_are_unbiased_and_their_intervals_hold(instance):
    rng = instance.rng()
    share = float(rng.choice([0.0, 0.5, 0.9]))
    found = []
    for _ in range(DRAWS):
        f = rng.normal(size=240)
        y = 1 + share * f[:40] + np.sqrt(1 - share**2) * rng.normal(size=40)
        one = select.prediction_powered_mean(y, f[:40], f[40:])
        found.append((one.mean, one.upper - one.mean))
    middle, half = np.array(found).T
    yield Mean(middle, 1.0)
    yield Coverage(np.abs(middle - 1) / half, 0.93)


@statistical_trial(
    solver="select.pass_at_k",
    states="mean, standard_error, of a sample of problems and of fixed ones",
    truth="chances of a known law; 2,000 draws",
    zoo="losses",
    largest=5,
    share=0.03,
)
def chances_of_success_are_unbiased(instance):
    rng = instance.rng()
    fixed = rng.beta(0.5, 1, size=50)
    for problems in ("sample", "fixed"):
        found = []
        for _ in range(DRAWS):
            p = rng.permutation(fixed)[rng.integers(0, 50, size=50)] if problems == "sample" else fixed
            one = select.pass_at_k(rng.binomial(10, p), 10, 3, problems=problems)
            found.append((one.mean, one.standard_error))
        middle, error = np.array(found).T
        true = float((1 - (1 - fixed) ** 3).mean())
        yield Mean(middle, true, about=problems)
        yield Mean((middle - true) ** 2 - error**2, 0.0, about=f"variance, {problems}")


@statistical_trial(
    solver="select.plan_items",
    states="estimate: mean, standard_error, interval (95 %), systematic and random",
    truth="the score over all items of simulated models, one in two better than all sources; 2,000 draws",
    zoo="losses",
    largest=5,
    share=0.03,
    note="24 of 100 items: bias below .3 standard errors, intervals hold in .92; standard errors of "
    "systematic samples are too large",
)
def scores_from_few_answers_are_unbiased_and_their_intervals_hold(instance):
    rng = instance.rng()
    design = str(rng.choice(["systematic", "random"]))
    hard, skill = 2 * rng.normal(size=100), np.append(rng.normal(size=9) - 1, rng.choice([-1.0, 1.0]))
    right = (rng.random((10, 100)) < 1 / (1 + np.exp(-skill[:, None] - hard))).astype(float)
    found, truth = [], right[-1].mean()
    for _ in range(DRAWS):
        plan = select.plan_items(right[:-1], 24, design=design, rng=rng)
        one = plan.estimate(right[-1, plan.items])
        found.append((one.mean[0], one.standard_error[0], one.upper[0] - one.mean[0]))
    middle, error, half = np.array(found).T
    yield Mean(middle, truth, error=0.3 * error.mean(), about=design)
    yield Spread(middle - truth, error, slack=0.1, only_small=True, about=design)
    yield Coverage(np.abs(middle - truth) / half, 0.92, about=design)


# ---- evidence


@trial(
    solver="select.logme",
    states="per_target, to 1e-9",
    kind="estimate",
    truth="the n x n covariance, at many precisions",
    zoo="regressions",
    largest=40,
    note="features that tell the target without error are refused",
)
def evidence_is_the_largest(instance):
    X, y = instance["X"], instance["y"]
    if not np.any(X) or not np.any(y):
        return
    X, y = X / np.abs(X).max(), y / np.abs(y).max()
    try:
        found = select.logme(X, y, kind="regression")
    except ValueError as error:
        if "without error" not in str(error):
            raise
        return
    value, vectors = np.linalg.eigh(X @ X.T)
    value, seen = np.maximum(value, 0.0), (vectors.T @ y) ** 2
    ridge = np.exp(np.linspace(np.log(1e-10), np.log(1e8), 4001))[:, None] * value.max()
    law = value / ridge + 1.0
    n = len(y)
    best = -0.5 * (np.log(2 * np.pi * (seen / law).mean(axis=1)) + 1.0 + np.log(law).mean(axis=1))
    rounding = 1e-11 * (1 + np.abs(best).max()) + 1e-15 * n / max((seen / law).mean(axis=1).min(), 1e-300)
    yield Claim(stated=1e-9, true=max(float(best.max()) - found.value, 0.0), rounding=rounding)


# ---- leverages


@trial(
    solver="select.leverage_scores",
    states="leverages, to n eps times the condition number",
    kind="estimate",
    truth="normal equations in ball arithmetic",
    zoo="regressions",
    share=0.5,
)
def leverages_are_the_diagonal_of_the_hat_matrix(instance):
    A = np.asarray(instance["X"], dtype=float)
    values = np.linalg.svd(A, compute_uv=False)
    n, d = A.shape
    if n < d or values[-1] <= 100 * n * EPS * values[0]:
        return
    scores = select.leverage_scores(A)
    rows = arb_mat([[truth.ball(v) for v in row] for row in A.tolist()])
    hat = rows * (rows.transpose() * rows).solve(rows.transpose())
    wrong = [abs(float((hat[i, i] - truth.ball(s)).mid())) for i, s in enumerate(scores.tolist())]
    yield Claim(stated=max(n, 8) * EPS * values[0] / values[-1], true=max(wrong), floor=EPS)


# ---- regressions on some rows


@statistical_trial(
    solver="select.regression_sample",
    states="coefficients, standard_errors",
    truth="the fit to all rows; 2,000 draws",
    zoo="regressions",
    share=0.4,
    note="asymptotic: tried with 40 draws a coefficient where no row has more than .35 of the variance, bias "
    "within a third of a standard error and variances within a factor of two",
)
def fits_to_some_rows_err_as_they_say(instance):
    A, b = np.asarray(instance["X"], dtype=float), np.asarray(instance["y"], dtype=float)
    n, d = A.shape
    values = np.linalg.svd(A, compute_uv=False)
    if n < 4 * d or values[-1] <= 1e-10 * values[0]:
        return
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    p = 0.9 * select.leverage_scores(A) / d + 0.1 / n
    pulls = np.linalg.pinv(A).T * (b - A @ best)[:, None]
    shares = pulls**2 / p[:, None]
    if (
        np.abs(b - A @ best).max() < 1e-9 * np.abs(b).max()
        or (shares.max(axis=0) > 0.35 * shares.sum(axis=0)).any()
    ):
        return
    size, rng = 40 * d, np.random.default_rng(instance.seed)
    fits = [select.regression_sample(A, b, size, rng=rng) for _ in range(DRAWS)]
    column = int(instance.rng().integers(d))
    wrong = np.array([fit.coefficients[column] - best[column] for fit in fits])
    errors = np.array([fit.standard_errors[column] for fit in fits])
    unit = errors.mean()
    yield Mean(wrong / unit, 0.0, error=1 / 3, about="coefficient in standard errors")
    squares = (wrong / unit) ** 2
    yield Mean(squares - (errors / unit) ** 2, 0.0, error=squares.mean() / 2, about="variance")


# ---- coresets


def clustered(instance):
    """Points, and clusters of them made once: the draws then have one law."""
    X = np.asarray(instance["X"])
    k = int(instance.rng().integers(1, max(2, len(X) // 3 + 1)))
    return X, select.kmeans_plusplus(X, min(k, len(np.unique(X, axis=0))), rng=instance.seed)


@statistical_trial(
    solver="select.coreset",
    states="weights",
    truth="frequencies and sums of 2,000 draws",
    zoo="points",
    share=0.06,
)
def coresets_draw_points_as_often_as_their_weights_say(instance):
    X, clusters = clustered(instance)
    n, rng = len(X), np.random.default_rng(instance.seed)
    size = max(1, n // 2)
    value = instance.rng().random(n)
    for replace in (False, True):
        count, weight, sums = np.zeros(n), np.full(n, np.nan), []
        for _ in range(DRAWS):
            found = select.coreset(X, size, clusters=clusters, replace=replace, rng=rng)
            np.add.at(count, found.indices, 1)
            weight[found.indices] = found.weights
            sums.append(found.weights @ value[found.indices])
        if not replace:
            often = count > 40
            yield Inclusion(count[often], DRAWS, 1 / weight[often], about="points")
        yield Mean(np.array(sums), value.sum(), about=f"a sum, replace={replace}")


@statistical_trial(
    solver="select.lightweight_coreset",
    states="weights",
    truth="a sum over all points; 2,000 draws",
    zoo="points",
)
def lightweight_coresets_are_unbiased(instance):
    X = np.asarray(instance["X"])
    rng, value = np.random.default_rng(instance.seed), instance.rng().random(len(X))
    size = max(2, len(X) // 2)
    sums = []
    for _ in range(DRAWS):
        found = select.lightweight_coreset(X, size, rng=rng)
        sums.append(found.weights @ value[found.indices])
    yield Mean(np.array(sums), value.sum())


@statistical_trial(
    solver="select.StreamingCoreset",
    states="weights",
    truth="the number of rows; 2,000 streams",
    zoo="points",
    largest=12,
    share=0.03,
)
def streams_weigh_what_went_by(instance):
    X = np.asarray(instance["X"], dtype=float)
    size, value = max(1, len(X) // 3), instance.rng().random(len(X))
    rng = np.random.default_rng(instance.seed)
    sums = []
    for _ in range(DRAWS):
        stream = select.StreamingCoreset(size, clusters=1, rng=rng, n_threads=1).partial_fit(X)
        found = stream.result()
        sums.append((found.weights.sum(), found.weights @ value[found.indices]))
    weights, sums = np.array(sums).T
    yield Mean(weights, float(len(X)), about="total weight")
    yield Mean(sums, value.sum(), about="a sum")


# ---- models


@trial(
    solver="select.ModelSelector",
    states="posterior, decided",
    kind="rigorous",
    truth="right answers counted over all items",
    zoo="votes",
    share=0.5,
    note="exact but for rounding: 1e-13 is what is held to",
)
def beliefs_end_at_the_count_of_right_answers(instance):
    votes, y = instance["P"], instance["truth"]
    selector = select.ModelSelector(votes, 0.3, rng=instance.seed)
    right = (votes == y[:, None]).sum(axis=0)
    contested = (votes != votes[:, :1]).any(axis=1)
    surely = True
    for _ in range(int(contested.sum())):
        item = selector.ask()
        assert contested[item]
        selector.tell(item, y[item])
        surely &= not selector.decided or right[selector.leader] == right.max()
    expected = (0.7 / 0.3) ** (right - right.max()).astype(float)
    wrong = np.abs(selector.posterior - expected / expected.sum()).max()
    yield Claim(stated=1e-13, true=wrong, floor=1e-13, about="posterior with all labels")
    yield Claim(stated=1.0, true=0.0 if surely and selector.decided else np.inf, about="decided")


@statistical_trial(
    solver="select.ModelSelector",
    states="estimated share of right answers",
    truth="right answers counted over all items; 2,000 runs",
    zoo="votes",
    largest=20,
    share=0.03,
    note="unbiased for a given strength of the votes, which is held fixed here; it is learnt from the labels",
)
def shares_of_right_answers_are_unbiased(instance):
    votes, y = instance["P"][:, :6], instance["truth"]
    contested = (votes != votes[:, :1]).any(axis=1)
    labels = int(min(contested.sum(), 3))
    if labels == 0:
        return
    right = (votes == y[:, None])[contested].sum(axis=0).astype(float)
    found = []
    for seed in range(DRAWS):
        selector = select.ModelSelector(votes, 0.3, rng=[instance.seed, seed])
        mixture = selector._estimate._mixture()
        selector._estimate._mixture = lambda mixture=mixture: mixture
        for _ in range(labels):
            item = selector.ask()
            selector.tell(item, y[item])
        found.append(selector._estimate.totals)
    rounding = 1e-13 * contested.sum()  # of a model that is never right the estimate is 0 but for that
    for j, totals in enumerate(np.array(found).T):
        yield Mean(totals, right[j], error=rounding, about=f"model {j}")


# ---- medoids


@trial(
    solver="select.medoids, select.facility_location",
    states="info.error_bound, relative",
    kind="rigorous",
    truth="every set of k points",
    zoo="points",
    largest=9,
)
def no_points_are_better_than_medoids_say(instance):
    X = np.asarray(instance["X"], dtype=float)
    k = int(instance.rng().integers(1, min(len(X), 3) + 1))
    size = float(np.abs(X).max())
    X = X / size if size > 0 else X
    C = np.linalg.norm(X[:, None] - X[None], axis=2)
    sets = [list(s) for s in itertools.combinations(range(len(X)), k)]
    k = min(k, len(np.unique(X, axis=0)))
    for dtype in (np.float32, np.float64):
        rows = X.astype(dtype)
        C = np.linalg.norm(rows[:, None].astype(float) - rows[None].astype(float), axis=2)
        distinct = len(np.unique(rows, axis=0)) >= k
        if distinct and len(sets[0]) == k:
            found = select.medoids(rows, k, bound_iter=30, rng=instance.seed)
            cost, best = C[found.indices].min(axis=0).sum(), min(C[s].min(axis=0).sum() for s in sets)
            if cost > 0:
                yield Claim(found.info.error_bound, (cost - best) / cost, EPS * len(X), about="medoids")
    S = C.max() - C
    chosen = select.facility_location(S, len(sets[0]), metric="precomputed", bound_iter=30)
    value, best = S[chosen.indices].max(axis=0).sum(), max(S[s].max(axis=0).sum() for s in sets)
    if best > 0:
        yield Claim(chosen.info.error_bound, 1 - value / best, EPS * len(X), about="facility location")
