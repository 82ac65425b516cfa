"""Item response against its formula, general optimisers, simulated populations and tables of any kind."""

from __future__ import annotations

import contextlib
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logit

import steelyard
from steelyard import _core
from steelyard.rank import irt
from steelyard.reference import tables as reference
from support import hostile, isa, threads
from support.examples import examples


def population(seed, persons=400, items=12, missing=0.0, guess=0.0):
    """Answers, and what they were drawn from."""
    rng = np.random.default_rng(seed)
    a, c, theta = np.exp(0.4 * rng.normal(size=items)), rng.normal(size=items), rng.normal(size=persons)
    chance = guess + (1 - guess) * expit(theta[:, None] * a + c)
    table = (rng.random((persons, items)) < chance).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table, a, c, theta


def codes(table):
    return np.where(np.isnan(table), 2, table).astype(np.uint8)


def bound(table):
    return _core.rank._Responses.dense(codes(table))


BEYOND = 4e-8  # of the population, which the nodes leave out
MODELS = {"1pl": (True, False, False), "2pl": (False, False, False), "3pl": (False, True, True)}


def point(model, items, seed):
    rng = np.random.default_rng(seed)
    low, c, g = 0.5 * rng.normal(size=items), rng.normal(size=items), rng.uniform(0.05, 0.4, items)
    return (
        (np.full(items, low[0]) if model == "1pl" else low),
        c,
        (logit(g) if model == "3pl" else np.full(items, -np.inf)),
    )


def packed(model, parts):
    if model == "1pl":
        return np.r_[parts[0][0], parts[1]]
    return np.stack(parts if model == "3pl" else parts[:2], axis=1).ravel()


def unpacked(model, free, items):
    if model == "1pl":
        return np.full(items, free[0]), free[1:], np.full(items, -np.inf)
    rows = free.reshape(items, -1).T
    return rows[0], rows[1], rows[2] if model == "3pl" else np.full(items, -np.inf)


def value(model, table, free, prior):
    slopes, c, y = unpacked(model, free, table.shape[1])
    found = reference.item_response(table, np.exp(slopes), c, expit(y), prior)
    # One discrimination has one prior.
    return found + (prior * (len(c) - 1) * slopes[0] ** 2 / 2 if model == "1pl" else 0.0)


@pytest.mark.parametrize("model", MODELS)
@examples(4)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.0, 0.4]), st.sampled_from([0.0, 1.0]))
def test_derivatives_are_those_of_the_formula(model, seed, items, missing, prior):
    table = population(seed, 37, items, missing)[0]
    parts = point(model, items, seed)
    free, step = packed(model, parts), 1e-4
    rng = np.random.default_rng(seed)
    v = rng.normal(size=len(free))
    call = lambda x, d=v: _core.rank._item_derivatives(  # noqa: E731
        bound(table), *MODELS[model], prior, *unpacked(model, x, items), 0.1, d, 1
    )
    found, gradient, product = call(free)
    assert found == pytest.approx(value(model, table, free, prior), abs=1e-7 + 37 * BEYOND)
    slope = (value(model, table, free + step * v, prior) - value(model, table, free - step * v, prior)) / (
        2 * step
    )
    assert gradient @ v == pytest.approx(slope, rel=1e-4, abs=1e-4)
    change = (call(free - step * v)[1] - call(free + step * v)[1]) / (2 * step)
    np.testing.assert_allclose(product, change, rtol=1e-5, atol=1e-5 * np.abs(change).max())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_it_is_the_best_optimum_that_a_general_optimiser_finds(model, missing):
    table = population(3, 120, 5, missing)[0]
    fit = irt(table, model=model)
    guesses = logit(fit.guesses) if model == "3pl" else None
    free = packed(model, (np.log(fit.discriminations), fit.intercepts, guesses))
    at = value(model, table, free, 1.0)
    assert at == pytest.approx(fit.optima.max(), abs=1e-6 + 120 * BEYOND)
    options = (*MODELS[model], 1.0)

    def falls(x):
        found = _core.rank._item_derivatives(bound(table), *options, *unpacked(model, x, 5), 0.1, 0 * x, 1)
        return -found[0], -found[1]

    starts = [0.7 * free, np.zeros_like(free) - (model == "3pl") * 0.5]
    best = max(-minimize(falls, x, jac=True, method="BFGS", options={"gtol": 1e-6}).fun for x in starts)
    assert at >= best - 1e-6 - 120 * BEYOND
    assert fit.info.converged
    assert fit.info.error_bound <= 1e-8
    assert fit.node_change < 1e-5
    np.testing.assert_allclose(fit.difficulties, -fit.intercepts / fit.discriminations)


@pytest.mark.parametrize(
    ("model", "persons", "items"), [("1pl", 300, 12), ("2pl", 300, 12), ("2pl", 300, 60)]
)
def test_starts_that_come_near_an_optimum_lead_there(model, persons, items):
    table = population(6, persons, items, 0.1)[0]
    fit = irt(table, model=model)
    joined = np.flatnonzero(fit.optima == fit.optima.max())
    assert len(joined) > 1
    right, wrong = np.nansum(table, axis=0) + 0.5, np.nansum(1 - table, axis=0) + 0.5
    for k in joined:
        a = (1.0, 0.5, 2.0)[k]
        low, c = np.full(items, np.log(a)), np.log(right / wrong) * np.sqrt(1 + 0.35 * a**2)
        y = np.full(items, -np.inf)
        alone = _core.rank._fit_items(
            bound(table), *MODELS[model], 1.0, low, c, y, 5, None, 1e-4, 100, 1, None
        )
        assert alone["objective"] == pytest.approx(fit.optima.max(), abs=1e-3)


def test_known_guesses_stand():
    table = population(1, 800, 8, guess=0.25)[0]
    fit = irt(table, model="3pl", guessing=0.25)
    np.testing.assert_array_equal(fit.guesses, 0.25)
    np.testing.assert_allclose(irt(table, model="3pl", guessing=[0.25] * 8).abilities, fit.abilities)
    zero, plain = irt(table, model="3pl", guessing=0.0), irt(table)
    np.testing.assert_allclose(zero.discriminations, plain.discriminations, rtol=1e-9)


@pytest.mark.parametrize(("persons", "items"), [(1000, 40), (400, 520)])
def test_parameters_are_found_again_and_errors_of_abilities_are_honest(persons, items):
    table, a, _c, theta = population(0, persons, items, missing=0.1)
    fit = irt(table)
    assert np.corrcoef(np.log(a), np.log(fit.discriminations))[0, 1] > 0.85
    # The population's own mean and spread set the scale.
    known = np.polyfit(fit.abilities, theta, 1)
    away = theta - np.polyval(known, fit.abilities)
    assert known[0] == pytest.approx(1, abs=4 / np.sqrt(persons))
    # Half of 400 squares' relative noise is .035.
    ratio = np.sqrt(np.mean(away**2) / np.mean(fit.ability_errors**2))
    assert ratio == pytest.approx(1, abs=0.1)
    assert fit.node_step < 1.2 * fit.ability_errors.min()


@pytest.mark.slow
@pytest.mark.parametrize("items", [60, 1000, 5000])
def test_standard_deviations_of_abilities_are_within_five_per_cent_of_their_errors(items):
    table, _, _, theta = population(5, 2000, items)
    fit = irt(codes(table))
    away = theta - np.polyval(np.polyfit(fit.abilities, theta, 1), fit.abilities)
    assert np.sqrt(np.mean(away**2) / np.mean(fit.ability_errors**2)) == pytest.approx(1, abs=0.05)


def test_long_tests_reach_a_decrement_that_rounding_leaves_open():
    # Sums of 800 log-chances round by 1e-13: of an optimum that moves by 3e-12 standard errors.
    fit = irt(population(7, 80, 800)[0], tol=1e-11)
    assert fit.info.converged
    assert fit.info.error_bound <= 1e-11


def test_items_in_any_order_move_no_gradient_beyond_rounding():
    items = 3000
    table, a, c, _ = population(8, 50, items, missing=0.2)
    slopes, none = np.log(a), np.full(items, -np.inf)

    def gradient(order):
        answers = bound(np.ascontiguousarray(table[:, order]))
        points = slopes[order], c[order], none
        call = _core.rank._item_derivatives
        found = call(answers, *MODELS["2pl"], 1.0, *points, 0.05, np.zeros(2 * items), 1)[1]
        out = np.empty((items, 2))
        out[order] = found.reshape(items, 2)
        return out

    rng = np.random.default_rng(0)
    first, second = gradient(np.arange(items)), gradient(rng.permutation(items))
    # Log-likelihoods near 1,500, whose last digit is 2e-13; added up plainly they are off by ten of it.
    assert np.abs(first - second).max() < 2e-13


def test_errors_of_items_are_those_of_the_curvature():
    table = population(2, 150, 4)[0]
    for model in ("1pl", "2pl"):
        fit = irt(table, model=model)
        free = packed(model, (np.log(fit.discriminations), fit.intercepts, None))
        n, h = len(free), 1e-3
        eye = h * np.eye(n)
        f = lambda x: value(model, table, x, 1.0)  # noqa: B023, E731
        H = np.zeros((n, n))
        for i, p in enumerate(eye):
            for k, q in enumerate(eye[: i + 1]):
                mixed = f(free + p + q) - f(free + p - q) - f(free - p + q) + f(free - p - q)
                H[i, k] = H[k, i] = -mixed / (4 * h**2)
        inverse = np.linalg.inv(H)
        found = fit.item_errors()
        rows = [(0, 1 + j) if model == "1pl" else (2 * j, 2 * j + 1) for j in range(4)]
        for j, (p, q) in enumerate(rows):
            a, b = fit.discriminations[j], fit.difficulties[j]
            assert found["discrimination"][j] == pytest.approx(a * np.sqrt(inverse[p, p]), rel=1e-3)
            by = np.array([-b, -1 / a])
            variance = by @ inverse[np.ix_([p, q], [p, q])] @ by
            assert found["difficulty"][j] == pytest.approx(np.sqrt(variance), rel=1e-3)
    some = fit.item_errors([2])
    assert some["difficulty"] == pytest.approx(found["difficulty"][2:3])


def test_errors_of_items_are_their_spread():
    squares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        a, b = np.array([0.7, 1.0, 1.4, 1.0, 2.0]), np.array([-1.0, 0.0, 0.5, 1.0, -0.5])
        table = rng.random((600, 5)) < expit(a * (rng.normal(size=(600, 1)) - b))
        fit = irt(table, prior=0.1)
        squares.append(((fit.difficulties - b) / fit.item_errors()["difficulty"]) ** 2)
    # 150 squares, some of them alike.
    assert np.mean(squares) == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, np.ma.masked_invalid])
def test_masks_and_sparse_tables_are_the_same_answers(kind):
    table = population(4, 200, 30, missing=0.4)[0]
    if kind is np.ma.masked_invalid:
        other = np.ma.MaskedArray(codes(table) % 2, np.isnan(table))
    else:
        rows, cols = np.nonzero(~np.isnan(table))
        other = sparse.coo_array((table[rows, cols], (rows, cols)), shape=table.shape)
        other = kind(other)
    np.testing.assert_array_equal(irt(other).difficulties, irt(table).difficulties)


def test_few_answers_of_many_items_are_kept_as_lists():
    rng = np.random.default_rng(0)
    persons, items = 300, 900
    theta, b = rng.normal(size=persons), rng.normal(size=items)
    rows = np.repeat(np.arange(persons), 20)
    cols = np.concatenate([rng.choice(items, 20, replace=False) for _ in range(persons)])
    right = (rng.random(len(rows)) < expit(theta[rows] - b[cols])).astype(float)
    table = np.full((persons, items), np.nan)
    table[rows, cols] = right
    lists = irt(sparse.coo_array((right, (rows, cols)), shape=table.shape), model="1pl")
    dense = irt(table, model="1pl")
    np.testing.assert_allclose(lists.abilities, dense.abilities, atol=1e-9)
    assert lists.n_answers == dense.n_answers == len(rows)
    assert lists.info.converged
    assert np.corrcoef(lists.abilities, theta)[0, 1] > 0.8


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("model", MODELS)
def test_small_and_odd_tables_have_an_optimum_under_a_prior(model, seed):
    rng = np.random.default_rng(seed)
    table = (rng.random((rng.integers(1, 9), rng.integers(1, 7))) < rng.random()).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    table[0, 0] = 1
    little = len(table) == 1 or not (table == 0).any()
    with pytest.warns(UserWarning, match="what the prior says") if little else contextlib.nullcontext():
        fit = irt(table, model=model)
    assert fit.info.converged
    for name in ("abilities", "ability_errors", "discriminations", "difficulties"):
        assert np.isfinite(getattr(fit, name)).all()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([[1, 0, 1]], "one person"),
        (np.ones((9, 3)), "all answers are right"),
        (np.zeros((9, 3)), "all answers are wrong"),
    ],
)
def test_answers_that_tell_nothing_are_said_to(table, said):
    with pytest.warns(UserWarning, match=said):
        irt(table)


def test_the_next_item_is_the_one_that_tells_most():
    table = population(0, 500, 10)[0]
    fit = irt(table, items=[f"q{j}" for j in range(10)])
    answers = {"q0": 1, "q3": 0, "q4": True}
    ability, error = fit.place(answers)
    t = np.linspace(-8, 8, 4001)
    p = expit(np.multiply.outer(t, fit.discriminations) + fit.intercepts)
    weight = np.exp(-(t**2) / 2) * p[:, 0] * (1 - p[:, 3]) * p[:, 4]
    weight /= weight.sum()
    assert ability == pytest.approx(weight @ t, abs=1e-9)
    assert error == pytest.approx(np.sqrt(weight @ t**2 - (weight @ t) ** 2), abs=1e-9)
    told = [fit.information(ability, [f"q{j}"]) for j in range(10)]
    at = expit(fit.discriminations * ability + fit.intercepts)
    np.testing.assert_allclose(told, fit.discriminations**2 * at * (1 - at))
    left = [j for j in range(10) if j not in (0, 3, 4)]
    assert fit.next_item(answers) == f"q{max(left, key=lambda j: told[j])}"
    assert fit.place({}) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    assert fit.information(np.zeros((2, 3))).shape == (2, 3)
    with pytest.raises(ValueError, match="answers has all items"):
        fit.next_item(dict.fromkeys(fit.items, 1))
    with pytest.raises(KeyError):
        fit.place({"q99": 1})


def test_asking_by_information_places_persons_with_fewer_items_than_at_random():
    table, *_ = population(0, 600, 60)
    fit = irt(table)
    rng = np.random.default_rng(1)
    errors = {"chosen": [], "random": []}
    for theta in rng.normal(size=12):
        right = rng.random(60) < expit(fit.discriminations * theta + fit.intercepts)
        for how, found in errors.items():
            answers, order = {}, rng.permutation(60)
            for k in range(12):
                item = fit.next_item(answers) if how == "chosen" else int(order[k])
                answers[item] = right[item]
            found.append(fit.place(answers)[1])
    assert np.mean(errors["chosen"]) < 0.85 * np.mean(errors["random"])


def test_a_fit_shows_tables_pickles_and_predicts():
    table = population(0, 60, 5)[0]
    fit = irt(table, persons=[f"p{i}" for i in range(60)], items=list("abcde"))
    again = fit.to_frame()
    assert (np.diff(again["ability"]) <= 0).all()
    assert (np.diff(fit.items_frame()["difficulty"]) >= 0).all()
    chance = expit(fit.discriminations[2] * fit.abilities[7] + fit.intercepts[2])
    assert fit.predict("p7", "c") == pytest.approx(chance)
    assert "ItemResponseFit: 2pl, 60 persons, 5 items, 300 answers" in repr(fit)
    copy = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(copy.item_errors()["difficulty"], fit.item_errors()["difficulty"])
    with pytest.raises(KeyError):
        fit.predict("nobody", "c")


def test_threads_change_no_bit():
    for items in (40, 520):
        table = population(1, 300, items)[0]
        threads.equal_over_threads(
            lambda n: (lambda f: (f.abilities, f.intercepts, f.info.error_bound))(irt(table, n_threads=n))  # noqa: B023
        )


def _derivatives(seed):
    out = []
    for items, model in ((3, "2pl"), (70, "3pl")):
        table, parts = population(seed, 23, items, 0.2)[0], point(model, items, seed)
        v = np.linspace(-1, 1, len(packed(model, parts)))
        out += [*_core.rank._item_derivatives(bound(table), *MODELS[model], 1.0, *parts, 0.1, v, 1)]
    return out


@pytest.mark.kernel
@pytest.mark.parametrize("level", isa.LEVELS)
def test_instruction_sets_agree(level):
    for one, other in zip(_derivatives(0), isa.on_isa(level, _derivatives, 0), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    hostile.check_same(lambda x: irt(x).abilities, population(5, 30, 4)[0], variant)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: irt([[0.5]]), "responses must be 0, 1 or NaN, got 0.5"),
        (lambda: irt([[0, np.inf], [1, 0]]), r"responses must be 0, 1 or NaN, got inf at \(0, 1\)"),
        (lambda: irt(np.array([[0, 2]], dtype=np.int8)), "responses must be 0, 1 or NaN, got 2"),
        (lambda: irt(sparse.csr_array(np.array([[0, 2]]))), "responses must be 0, 1 or NaN, got 2"),
        (lambda: irt([0, 1]), "responses must have shape"),
        (lambda: irt(np.zeros((0, 3))), "responses must have shape"),
        (lambda: irt([[np.nan]]), "responses has no answers"),
        (lambda: irt([[0, 1], [1, 0]], persons=["a"]), "persons must have 2 labels"),
        (lambda: irt([[0, 1], [1, 0]], prior=-1), "prior must be zero or positive"),
        (lambda: irt([[0, 1], [1, 0]], model="4pl"), "model must be one of"),
        (lambda: irt([[0, 1], [1, 0]], guessing=0.2), "guessing needs model='3pl'"),
        (lambda: irt([[0, 1], [1, 0]], model="3pl", guessing=1.0), r"guessing must lie in \[0, 1\)"),
        (lambda: irt([[0, 1], [1, 0]], model="3pl", guessing=[0.1] * 3), "guessing must have length 2"),
        (lambda: irt([[0, 1], [0, 0]], prior=0), r"1 items have no right answer \(0\)"),
        (lambda: irt([[0, 1], [1, 1]], prior=0), r"1 items have right answers only \(1\)"),
        (lambda: irt([[0, np.nan], [1, np.nan]], prior=0), r"1 items have no answers \(1\)"),
        (lambda: irt([[0, 1], [1, 0]]).place({0: 2}), "answers must be right"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_steps_cut_short_and_ctrl_c_are_said():
    table = population(0, 200, 8)[0]
    with pytest.warns(steelyard.ConvergenceWarning, match="irt did not reach tol"):
        fit = irt(table, max_iter=1, tol=1e-12)
    assert not fit.info.converged

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        irt(table, progress=stop)
    assert len(caught.value.partial.abilities) == 200
    with pytest.raises(KeyboardInterrupt):
        fit.item_errors(progress=stop)


@pytest.mark.slow
def test_a_thousand_tables_with_gaps_converge():
    missed = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        table = population(seed, int(rng.integers(20, 150)), int(rng.integers(3, 25)), 0.3)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            missed += not irt(table, model=["1pl", "2pl", "3pl"][seed % 3]).info.converged
    assert missed == 0
