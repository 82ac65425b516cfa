"""Weights of predictions against enumeration, expectation-maximisation, HiGHS and their own gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import ConvergenceWarning, weigh
from steelyard.reference import ensembles as reference
from support import hostile
from support.examples import examples
from support.interrupt import ctrl_c
from support.isa import LEVELS, on_isa
from support.threads import equal_over_threads

SIZES = [1, 2, 7, 255, 256, 257, 2047, 2048, 2049, 9000]


def regression(seed, n, k):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    y = f + rng.normal(size=n)
    P = f[:, None] * rng.uniform(0.7, 1.1, k) + rng.normal(size=(n, k)) * rng.uniform(0.05, 0.8, k)
    return P, y


def probabilities(seed, n, k):
    rng = np.random.default_rng(seed)
    return np.minimum(
        np.exp(0.8 * rng.normal(size=(n, 1)) - 3 + rng.normal(size=(n, k)) * rng.uniform(0.3, 1.2, k)), 1
    )


def quantiles(seed, n, k, levels):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = x + rng.standard_t(4, size=n)
    middle = x[:, None] + 0.4 * rng.normal(size=(n, k)) + 0.2 * rng.normal(size=k)
    return middle[:, :, None] + 1.2 * np.log(np.asarray(levels) / (1 - np.asarray(levels))), y


def squared_gap(P, y, w):
    g = P.T @ (P @ w - y)
    return 2 * (g @ w - g.min()) / len(y)


def pinball_loss(Q, y, w, levels):
    return reference.pinball(y[:, None] - np.einsum("ikl,k->il", Q, w), np.asarray(levels)).mean()


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 5))
@examples(25)
def test_squared_weights_are_those_of_enumeration(seed, n, k):
    P, y = regression(seed, n, k)
    found = weigh.ensemble_weights(P, y)
    best = reference.squared_weights(P, y)
    least = np.mean((y - P @ best) ** 2)
    assert found.loss - found.gap <= least + 1e-14 <= found.loss + 2e-14
    assert found.loss == pytest.approx(np.mean((y - P @ found.weights) ** 2), rel=1e-12, abs=1e-28)
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1, abs=1e-15 * 8)
    np.testing.assert_allclose(found.single_losses, ((P - y[:, None]) ** 2).mean(axis=0), rtol=1e-13)
    assert found.best_single == found.single_losses.argmin()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("k", [1, 3, 4, 5, 9])
def test_squared_gap_is_that_of_the_rows(n, k):
    P, y = regression(n + k, n, k)
    found = weigh.ensemble_weights(P, y)
    true = squared_gap(P, y, found.weights)
    assert true <= found.gap + 1e-16
    assert found.gap <= 1e-12 * found.single_losses.max()


def test_columns_that_hardly_differ_are_told_apart_by_their_rows():
    rng = np.random.default_rng(0)
    y = rng.normal(size=5000)
    P = (y + rng.normal(size=5000))[:, None] + 1e-7 * rng.normal(size=(5000, 6)) * [1, 2, 3, 4, 5, 6]
    found = weigh.ensemble_weights(P, y)
    assert found.info.converged
    assert squared_gap(P, y, found.weights) <= 1e-10 * found.loss


def test_a_column_without_error_takes_all_the_weight():
    P, y = regression(1, 50, 3)
    P[:, 1] = y
    found = weigh.ensemble_weights(P, y)
    np.testing.assert_allclose(found.weights, [0, 1, 0], atol=1e-12)
    assert found.loss <= 1e-24
    assert found.info.converged


@pytest.mark.parametrize("factor", [1e-170, 1e-3, 1e160])
def test_units_change_losses_and_no_weight(factor):
    P, y = regression(2, 60, 4)
    one, other = weigh.ensemble_weights(P, y), weigh.ensemble_weights(factor * P, factor * y)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-9)
    Q, z = quantiles(2, 60, 4, [0.2, 0.7])
    one = weigh.ensemble_weights(Q, z, loss="pinball", levels=[0.2, 0.7])
    other = weigh.ensemble_weights(factor * Q, factor * z, loss="pinball", levels=[0.2, 0.7])
    assert other.loss / factor == pytest.approx(one.loss, rel=1e-9)


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 5))
@examples(20)
def test_log_weights_are_those_of_expectation_and_maximisation(seed, n, k):
    P = probabilities(seed, n, k)
    found = weigh.ensemble_weights(P, loss="log")
    value = np.log(P @ found.weights).mean()
    assert -found.loss == pytest.approx(value, rel=1e-13, abs=1e-13)
    assert (P / (P @ found.weights)[:, None]).mean(axis=0).max() - 1 <= found.gap + 1e-15
    assert found.gap <= 1.1e-10
    assert np.log(P @ reference.log_weights(P, 500)).mean() <= value + found.gap
    np.testing.assert_allclose(found.single_losses, -np.log(P).mean(axis=0), rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_log_gap_is_reached_at_every_size(n):
    P = probabilities(n, n, 6)
    found = weigh.ensemble_weights(P, loss="log")
    assert found.info.converged
    assert (P / (P @ found.weights)[:, None]).mean(axis=0).max() - 1 <= found.gap + 1e-15


def test_a_probability_of_zero_is_an_infinite_loss_alone_and_none_in_the_mixture():
    P = np.array([[0.0, 0.5, 0.2], [0.9, 0.0, 0.2], [1e-310, 1e-320, 0.0], [0.5, 0.5, 0.5]])
    found = weigh.ensemble_weights(P, loss="log")
    assert np.isinf(found.single_losses).all()
    assert np.isfinite(found.loss)
    assert found.info.converged
    assert (P / (P @ found.weights)[:, None]).mean(axis=0).max() - 1 <= found.gap + 1e-14


def test_densities_of_any_size_give_the_same_mixture():
    P = probabilities(3, 100, 4)
    sizes = 10.0 ** np.linspace(-250, 250, 100)[:, None]
    one, other = weigh.ensemble_weights(P, loss="log"), weigh.ensemble_weights(P * sizes, loss="log")
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-8)
    assert other.loss == pytest.approx(one.loss - np.log(sizes).mean(), abs=1e-10)


def test_classes_with_y_are_probabilities_of_what_came():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=(50, 4))
    y = rng.integers(0, 3, 50)
    found = weigh.ensemble_weights(P, y, loss="log")
    same = weigh.ensemble_weights(P[np.arange(50), :, y], loss="log")
    np.testing.assert_array_equal(found.weights, same.weights)
    mixed = found.predict(P)
    assert mixed.shape == (50, 3)
    np.testing.assert_allclose(mixed.sum(axis=1), 1)


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 5), st.floats(0.02, 0.98))
@examples(25)
def test_pinball_loss_is_that_of_the_linear_program(seed, n, k, level):
    Q, y = quantiles(seed, n, k, [level])
    found = weigh.ensemble_weights(Q, y, loss="pinball", levels=[level])
    least = reference.pinball_weights(Q[:, :, 0], y, level)[1]
    assert found.info.converged
    assert found.loss - found.gap <= least + 1e-13
    assert least <= found.loss + 1e-9 * abs(found.loss) + 1e-13
    assert found.loss == pytest.approx(pinball_loss(Q, y, found.weights, [level]), rel=1e-12)
    assert found.loss <= found.single_losses.min() + found.gap


@pytest.mark.parametrize("n", SIZES)
def test_pinball_gap_is_reached_at_every_size(n):
    Q, y = quantiles(n, n, 5, [0.1, 0.5, 0.9])
    found = weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.1, 0.5, 0.9], tol=1e-9)
    assert found.info.converged
    assert 0 <= found.gap <= 1.1e-9 * found.loss + 1e-15
    np.testing.assert_allclose(
        found.single_losses,
        [pinball_loss(Q, y, w, [0.1, 0.5, 0.9]) for w in np.eye(5)],
        rtol=1e-12,
    )


def test_groups_of_levels_have_weights_of_their_own():
    levels = [0.1, 0.5, 0.9]
    Q, y = quantiles(5, 200, 4, levels)
    each = weigh.ensemble_weights(Q, y, loss="pinball", levels=levels, groups="level")
    tails = weigh.ensemble_weights(Q, y, loss="pinball", levels=levels, groups=["tail", "middle", "tail"])
    common = weigh.ensemble_weights(Q, y, loss="pinball", levels=levels)
    assert each.weights.shape == tails.weights.shape == (3, 4)
    np.testing.assert_array_equal(tails.weights[0], tails.weights[2])
    for k, level in enumerate(levels):
        alone = weigh.ensemble_weights(Q[:, :, [k]], y, loss="pinball", levels=[level])
        np.testing.assert_array_equal(each.weights[k], alone.weights)
    assert each.loss <= tails.loss + tails.gap
    assert tails.loss <= common.loss + common.gap
    assert set(tails.to_frame()) == {"column", "weight_0.1", "weight_0.5", "weight_0.9", "loss"}


@pytest.mark.parametrize("loss", ["squared", "pinball", "log"])
def test_whole_sample_weights_are_rows_repeated(loss):
    counts = np.random.default_rng(0).integers(0, 4, 80)
    P, y = regression(4, 80, 3)
    options = {"loss": loss}
    if loss == "pinball":
        P, y = quantiles(4, 80, 3, [0.3])
        options["levels"] = [0.3]
    elif loss == "log":
        P, y = probabilities(4, 80, 3), None
    weighted = weigh.ensemble_weights(P, y, sample_weight=counts, **options)
    repeated = weigh.ensemble_weights(
        np.repeat(P, counts, axis=0), None if y is None else np.repeat(y, counts), **options
    )
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-9)
    np.testing.assert_allclose(weighted.single_losses, repeated.single_losses, rtol=1e-12)


def test_quantiles_do_not_cross_and_putting_them_in_order_costs_nothing():
    levels = [0.1, 0.3, 0.5, 0.7, 0.9]
    rng = np.random.default_rng(0)
    Q, y = quantiles(6, 300, 3, levels)
    Q += 0.8 * rng.normal(size=Q.shape)
    found = weigh.ensemble_weights(Q, y, loss="pinball", levels=levels)
    raw = np.einsum("ikl,k->il", Q, found.weights)
    before = reference.pinball(y[:, None] - raw, np.array(levels)).mean()
    for crossing in ("sort", "isotonic"):
        ordered = found.predict(Q, crossing=crossing)
        assert (np.diff(ordered, axis=1) >= 0).all()
        assert reference.pinball(y[:, None] - ordered, np.array(levels)).mean() <= before + 1e-15
    np.testing.assert_allclose(
        found.predict(Q[:20], crossing="isotonic"), [reference.isotonic(row) for row in raw[:20]], atol=1e-12
    )


def test_calibrated_quantiles_cover_what_they_say():
    levels = [0.05, 0.2, 0.5, 0.8, 0.95]
    hits = []
    for seed in range(40):
        Q, y = quantiles(seed, 400, 2, levels)
        Q = 0.3 * Q  # far too narrow
        found = weigh.ensemble_weights(Q[:100], y[:100], loss="pinball", levels=levels)
        wide = found.calibrate(Q[100:250], y[100:250])
        said = wide.predict(Q[250:])
        assert (np.diff(said, axis=1) >= 0).all()
        inside = [(said[:, k] <= y[250:]) & (y[250:] <= said[:, 4 - k]) for k in (0, 1)]
        hits.append(np.mean(inside, axis=1))
        assert wide.offsets[2] == 0
    np.testing.assert_array_less([0.89, 0.59], np.mean(hits, axis=0))
    assert (np.mean(hits, axis=0) < [0.93, 0.65]).all()


def test_a_level_without_its_mirror_image_is_calibrated_alone():
    Q, y = quantiles(0, 500, 2, [0.1, 0.8])
    found = weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.1, 0.8]).calibrate(Q, y)
    said = found.predict(Q)
    assert np.mean(y <= said[:, 1]) >= 0.8
    assert np.mean(y >= said[:, 0]) >= 0.9


def test_calibration_needs_enough_rows_and_quantiles():
    Q, y = quantiles(0, 30, 2, [0.05, 0.95])
    found = weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.05, 0.95])
    with pytest.raises(ValueError, match=r"y must have at least 9 rows to calibrate level 0\.05, got 5"):
        found.calibrate(Q[:5], y[:5])
    P, z = regression(0, 20, 2)
    with pytest.raises(ValueError, match="kind must be 'pinball'"):
        weigh.ensemble_weights(P, z).calibrate(P, z)


@pytest.mark.parametrize("loss", ["squared", "pinball", "log"])
def test_every_number_of_threads_gives_the_same_bits(loss):
    equal_over_threads(lambda threads: solved(loss, 9000, n_threads=threads))


def solved(loss, n, **options):
    if loss == "log":
        return weigh.ensemble_weights(probabilities(0, n, 7), loss="log", **options)
    if loss == "squared":
        return weigh.ensemble_weights(*regression(0, n, 7), **options)
    Q, y = quantiles(0, n, 7, [0.25])
    return weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.25], **options)


def losses_here():
    return [solved(loss, 700).loss for loss in ("squared", "log", "pinball")]


@pytest.mark.parametrize("level", LEVELS)
def test_every_instruction_set_agrees(level):
    np.testing.assert_allclose(on_isa(level, losses_here), losses_here(), rtol=1e-9)


def long_work():
    Q, y = quantiles(0, 200_000, 12, [0.25, 0.75])
    for _ in range(50):
        weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.25, 0.75], tol=1e-14)


@pytest.mark.slow
def test_ctrl_c_is_answered():
    found = ctrl_c(long_work, after=0.5, within="weigh._ensemble_weights")
    assert found.raised
    assert found.has_partial


def test_too_few_steps_are_told():
    P = probabilities(0, 500, 6)
    with pytest.warns(ConvergenceWarning, match="raise max_iter or tol"):
        found = weigh.ensemble_weights(P, loss="log", max_iter=1)
    assert not found.info.converged
    assert (P / (P @ found.weights)[:, None]).mean(axis=0).max() - 1 <= found.gap + 1e-15


P3, Y3 = np.full((3, 2), 0.5), np.array([0.0, 1.0, 0.0])
Q3 = np.full((3, 2, 2), 0.5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"predictions": Y3, "y": Y3}, r"predictions must have shape \(n, K\)"),
        ({"predictions": P3}, "y must be given"),
        ({"predictions": P3, "y": Y3[:2]}, "y must have length 3, got 2"),
        ({"predictions": [[np.nan, 1.0]], "y": [1.0]}, "predictions has 1 rows with NaN"),
        ({"predictions": P3, "y": Y3, "loss": "absolute"}, "loss must be one of"),
        ({"predictions": P3, "y": Y3, "levels": [0.5]}, "levels must be None for loss='squared'"),
        ({"predictions": Q3, "y": Y3, "loss": "pinball"}, "levels must be given"),
        ({"predictions": Q3, "y": Y3, "loss": "pinball", "levels": [0.9, 0.1]}, "levels must be sorted"),
        ({"predictions": Q3, "y": Y3, "loss": "pinball", "levels": [0.0, 0.1]}, "levels must lie strictly"),
        (
            {"predictions": Q3, "y": Y3, "loss": "pinball", "levels": [0.1, 0.9], "groups": ["a"]},
            "groups must have a label for each of the 2 levels",
        ),
        ({"predictions": P3, "y": Y3, "loss": "log"}, "y must be None"),
        ({"predictions": [[0.0, 0.0], [1, 1]], "loss": "log"}, r"probability 0 .* \(first: row 0\)"),
        ({"predictions": [[0.5, -0.5]], "loss": "log"}, "predictions must hold probabilities, at least 0"),
        ({"predictions": Q3, "loss": "log"}, "y must be given"),
        ({"predictions": Q3, "y": [0, 1, 2], "loss": "log"}, "y must hold positions of classes"),
        ({"predictions": 0.4 * Q3, "y": Y3, "loss": "log"}, "with sum 1"),
        ({"predictions": P3, "y": Y3, "sample_weight": [-1, 1, 1]}, "sample_weight must be >= 0"),
    ],
)
def test_messages_name_the_argument(arguments, says):
    with pytest.raises(ValueError, match=says):
        weigh.ensemble_weights(**arguments)


def test_predict_refuses_other_models():
    found = weigh.ensemble_weights(P3, Y3)
    with pytest.raises(ValueError, match="predictions must have 2 columns of models"):
        found.predict(np.ones((4, 3)))


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    y = regression(0, 24, 3)[1]
    hostile.check_same(
        lambda P: weigh.ensemble_weights(P, y).loss, np.arange(72.0).reshape(24, 3) / 64, variant
    )


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    P, y = regression(0, 24, 3)
    hostile.check_refused(lambda P: weigh.ensemble_weights(P, y), P, variant, "predictions")
    hostile.check_refused(lambda y: weigh.ensemble_weights(P, y), y, variant, "y")


@pytest.mark.parametrize("kind", ["smooth", "ties", "levels"])
def test_many_rows_have_the_loss_of_all_though_few_are_on_no_known_side(kind):
    rng = np.random.default_rng(2)
    n, levels = 100_000, [0.2, 0.9] if kind == "levels" else [0.8]
    n //= len(levels)
    x = rng.normal(size=n)
    y = x + rng.standard_t(3, size=n)
    Q = x[:, None] * [0.7, 1.0, 1.2] + rng.normal(size=(n, 3)) * [0.2, 0.5, 0.3] + [0.5, 1.0, 0.2]
    if kind == "ties":
        y, Q = np.round(y), np.round(Q)
    P = np.repeat(Q[:, :, None], len(levels), axis=2)
    weight = np.r_[1e-13, 1e-13, rng.uniform(0.5, 2.0, n - 2)]
    many = weigh.ensemble_weights(P, y, loss="pinball", levels=levels, sample_weight=weight)
    fewer = weigh.ensemble_weights(P[2:], y[2:], loss="pinball", levels=levels, sample_weight=weight[2:])
    assert "near" in many.info.solver
    assert "near" not in fewer.info.solver
    assert many.gap <= 1.1e-10 * many.loss
    assert many.loss == pytest.approx(fewer.loss, rel=3e-10)
    mixed = np.tensordot(P, many.weights, axes=([1], [0]))
    u = y[:, None] - mixed
    losses = np.maximum(np.array(levels) * u, (np.array(levels) - 1) * u).mean(axis=1)
    assert many.loss == pytest.approx(np.average(losses, weights=weight), rel=1e-12)


def test_many_rows_carry_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(4)
    y = rng.normal(size=100_000)
    Q = y[:, None, None] + rng.normal(size=(100_000, 2, 1))
    equal_over_threads(
        lambda threads: {
            "weights": weigh.ensemble_weights(Q, y, loss="pinball", levels=[0.5], n_threads=threads).weights
        }
    )
