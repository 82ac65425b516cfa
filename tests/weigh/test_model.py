"""Points that join and leave a model: every update is held to a fresh solve."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import weigh
from steelyard.reference import weigh as reference
from support import hostile
from support.examples import examples


def points(n, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def check_fresh(model, X, atol=1e-10):
    np.testing.assert_allclose(model.weights, reference.weighting(X, model.scale), rtol=0, atol=atol)
    assert model.magnitude == pytest.approx(reference.magnitude(X, model.scale), rel=1e-10)
    assert model.info.converged
    np.testing.assert_array_equal(model.points, X)


# ---- building


@pytest.mark.parametrize("n", [1, 2, 3, 9, 33, 97])
def test_a_model_holds_the_weighting(n):
    check_fresh(weigh.WeightingModel(points(n)), points(n))


@pytest.mark.parametrize("metric", ["cityblock", "minkowski(1.5)", "angular", "hamming", "jaccard"])
def test_other_metrics_have_models_that_grow_and_shrink(metric):
    X = points(40, 12, seed=3) + 0.5
    X = (X > 0.5).astype(float) if metric == "jaccard" else np.rint(2 * X) if metric == "hamming" else X
    X[(X == 0).all(axis=1)] = 1.0
    model = weigh.WeightingModel(X[:25], scale=2.0, metric=metric).add(X[25:]).remove([0, 30])
    fresh = weigh.weighting(np.delete(X, [0, 30], axis=0), scale=2.0, metric=metric)
    np.testing.assert_allclose(model.weights, fresh.weights, atol=1e-10)


def test_a_rule_for_the_scale_is_evaluated_once():
    X = points(60)
    model = weigh.WeightingModel(X, scale="fraction", fraction=0.5)
    assert model.magnitude == pytest.approx(30.0, rel=2e-3)
    assert model.add(points(20, seed=1)).scale == model.scale


def test_a_metric_of_matrices_or_an_indefinite_space_is_refused():
    with pytest.raises(ValueError, match="metric"):
        weigh.WeightingModel(np.zeros((2, 2)), metric="precomputed")
    cube = np.stack(np.meshgrid(*[[0.0, 1.0, 2.0]] * 4), axis=-1).reshape(-1, 4)
    with pytest.raises(ValueError, match="not positive definite"):
        weigh.WeightingModel(cube, metric="chebyshev", scale=0.1)


# ---- adding


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (40, 1), (40, 40), (3, 90)])
def test_adding_equals_a_fresh_solve(n, m):
    X, new = points(n), points(m, seed=1)
    model = weigh.WeightingModel(X, scale=0.7)
    check_fresh(model.add(new), np.vstack([X, new]))
    check_fresh(model, X)  # the old one stays


def test_copies_that_join_share_the_weight():
    X = points(20)
    model = weigh.WeightingModel(X).add(X[[3, 3, 5]])
    check_fresh(model, np.vstack([X, X[[3, 3, 5]]]))
    assert model.weights[3] == model.weights[20] == model.weights[21]
    assert model.magnitude == weigh.WeightingModel(X).magnitude


def test_copies_among_the_new_points_share_the_weight():
    X, new = points(20), points(5, seed=2)[[0, 1, 0, 2, 1]]
    check_fresh(weigh.WeightingModel(X).add(new), np.vstack([X, new]))


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
def test_near_copies_get_the_weights_of_the_line(gap):
    x = np.array([0.0, 0.3, 0.3 + gap, 1.0])
    gap = x[2] - x[1]  # as stored
    model = weigh.WeightingModel(x[[0, 1, 3], None]).add(x[[2], None])
    expected = reference.line_weighting(x)[[0, 1, 3, 2]]
    np.testing.assert_allclose(model.weights, expected, atol=1e-14 / gap + 1e-12)
    assert model.magnitude == pytest.approx(expected.sum(), rel=1e-9)


def test_points_closer_than_rounding_count_as_copies():
    x = np.array([[0.0], [1e-17], [1.0]])
    for model in (weigh.WeightingModel(x), weigh.WeightingModel(x[[0, 2]]).add(x[[1]])):
        assert model.magnitude == pytest.approx(1 + np.tanh(0.5), rel=1e-12)
        assert model.info.merged == 1


def test_points_that_a_far_one_makes_coincide_are_solved_as_afresh():
    X, far = np.array([[0.0, 0.0], [1e-3, 0.0]]), np.array([[1e17, 0.0]])
    model = weigh.WeightingModel(X, scale=1e3).add(far)
    fresh = weigh.weighting(np.vstack([X, far]), scale=1e3)
    np.testing.assert_allclose(model.weights, fresh.weights, rtol=1e-12)
    assert model.info.merged == fresh.info.merged == 1


def test_points_on_a_line_stay_apart_however_far_another_is():
    model = weigh.WeightingModel([[0.0], [1e-3]], scale=1e3).add([[1e17]])
    assert model.magnitude == pytest.approx(2 + np.tanh(0.5), rel=1e-9)


def test_integer_rows_may_be_followed_by_fractions():
    model = weigh.WeightingModel([[0], [2]]).add([[0.5]])
    check_fresh(model, np.array([[0.0], [2.0], [0.5]]))


# ---- removing


@pytest.mark.parametrize(
    "gone",
    [[0], [39], [7, 3], list(range(0, 40, 4)), list(range(10)), list(range(1, 40)), list(range(30, 40)), []],
)
def test_removing_equals_a_fresh_solve(gone):
    X = points(40)
    check_fresh(weigh.WeightingModel(X, scale=0.7).remove(gone), np.delete(X, gone, axis=0))


def test_one_of_two_copies_leaves_its_weight_to_the_other():
    X = points(10)[[0, 1, 2, 0, 3]]
    model = weigh.WeightingModel(X).remove(0)
    check_fresh(model, X[1:])
    check_fresh(model.add(X[[0]]), X[[1, 2, 3, 4, 0]])
    check_fresh(model.remove([2]), X[[1, 2, 4]])


@pytest.mark.parametrize("count", [1, 2, 31, 33, 40])
def test_removing_works_across_panels(count):
    X = points(230)
    gone = np.random.default_rng(count).choice(230, count, replace=False)
    check_fresh(weigh.WeightingModel(X).remove(gone), np.delete(X, gone, axis=0))


def test_when_rounding_spoils_the_quick_way_rotations_remove_the_rows(monkeypatch):
    X = points(40)
    model = weigh.WeightingModel(X)
    monkeypatch.setattr("steelyard.weigh._model._refactored", lambda *_: None)
    check_fresh(model.remove(np.arange(0, 40, 2)), X[1::2])


def test_a_near_copy_that_leaves_takes_its_noise_along():
    X = points(30)
    model = weigh.WeightingModel(np.vstack([X[:15], X[:1] + 1e-10, X[15:]])).remove([15])
    check_fresh(model, X)


@given(st.data())
@examples(20)
def test_any_course_of_joining_and_leaving_ends_at_the_fresh_solve(data):
    supply = points(12, 2)[np.random.default_rng(1).integers(0, 12, 60)]
    supply[::3] += points(20, 2, seed=4)
    rows = supply[:5]
    model = weigh.WeightingModel(rows)
    for _ in range(data.draw(st.integers(1, 5))):
        if data.draw(st.booleans()):
            start, count = data.draw(st.integers(0, 50)), data.draw(st.integers(1, 9))
            rows = np.vstack([rows, supply[start : start + count]])
            model = model.add(supply[start : start + count])
        elif len(rows) > 1:
            gone = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True, max_size=len(rows) - 1))
            rows, model = np.delete(rows, gone, axis=0), model.remove(gone)
    check_fresh(model, rows)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([5], "0..4"),
        ([-1], "0..4"),
        ([1, 1], "distinct"),
        (range(5), "at least one"),
        ([[1]], "1-dimensional"),
    ],
)
def test_rows_that_are_not_there_are_refused(indices, message):
    with pytest.raises(ValueError, match=message):
        weigh.WeightingModel(points(5)).remove(indices)


def test_masks_and_fractions_are_no_rows():
    for indices in ([True, False], [1.0]):
        with pytest.raises(TypeError, match="indices"):
            weigh.WeightingModel(points(5)).remove(indices)


# ---- scoring


@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_scores_of_new_points_are_those_of_the_reference(scale):
    X = points(50)[np.r_[:50, 3, 3]]
    new = np.vstack([points(30, seed=1), X[:4]])
    found = weigh.WeightingModel(X, scale=scale).score_new(new)
    np.testing.assert_allclose(found.weights, reference.new_weights(X, new, scale), atol=1e-10)
    np.testing.assert_allclose(found.gains, reference.differential_magnitude(X, new, scale), atol=1e-10)
    assert (found.copies[:30] == -1).all()
    assert found.copies[30:].tolist() == [0, 1, 2, 3]


def test_scores_foretell_what_adding_does():
    X, new = points(30), points(6, seed=5)
    model = weigh.WeightingModel(X)
    found = model.score_new(new)
    grown = [model.add(x[None]) for x in new]
    np.testing.assert_allclose(found.weights, [g.weights[-1] for g in grown], atol=1e-12)
    np.testing.assert_allclose(found.gains, [g.magnitude - model.magnitude for g in grown], atol=1e-12)


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-8, 1e-11])
def test_scores_beside_a_point_keep_their_digits(gap):
    # Between gaps a and b: weight (tanh(a/2) + tanh(b/2)) / 2, gain tanh(a/2) tanh(b/2) tanh((a + b)/2).
    x = np.array([0.0, 0.25, 0.75, 1.0])
    y = 0.25 + gap
    gap = y - 0.25
    near, far = np.tanh(gap / 2), np.tanh((0.75 - y) / 2)
    found = weigh.WeightingModel(x[:, None]).score_new([[y]])
    assert found.weights[0] == pytest.approx((near + far) / 2, rel=1e-14 / gap + 1e-12)
    assert found.gains[0] == pytest.approx(near * far * np.tanh(0.25), rel=1e-14 / gap + 1e-12)


def test_blocks_give_the_scores_of_one_block(monkeypatch):
    model, new = weigh.WeightingModel(points(20)), points(37, seed=1)
    whole = model.score_new(new)
    monkeypatch.setattr("steelyard.weigh._model._BLOCK_ENTRIES", 200)
    parts = model.score_new(new)
    np.testing.assert_allclose(parts.weights, whole.weights, rtol=1e-10)
    np.testing.assert_allclose(parts.gains, whole.gains, rtol=1e-10)


def test_leaving_one_out_is_what_the_magnitude_loses():
    X = points(25)[np.r_[:25, 4]]
    model = weigh.WeightingModel(X)
    falls = [model.magnitude - model.remove([i]).magnitude for i in range(26)]
    np.testing.assert_allclose(model.leave_one_out, falls, atol=1e-12)
    assert model.leave_one_out[4] == model.leave_one_out[25] == 0


# ---- arrays as they arrive


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_weights(variant):
    base = np.rint(8 * points(9))
    hostile.check_same(lambda a: weigh.WeightingModel(a).weights, base, variant)
    model = weigh.WeightingModel(points(9, seed=1))
    hostile.check_same(lambda a: model.add(a).weights, base, variant)
    hostile.check_same(lambda a: model.score_new(a).weights, base, variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(weigh.WeightingModel, points(6), variant, "X")
    model = weigh.WeightingModel(points(6))
    hostile.check_refused(model.add, points(6), variant, "points")
    hostile.check_refused(model.score_new, points(6), variant, "points")


def test_a_wrong_number_of_features_is_refused():
    for ask in (weigh.WeightingModel(points(4)).add, weigh.WeightingModel(points(4)).score_new):
        with pytest.raises(ValueError, match="points must have 3 features, got 2"):
            ask(points(3, 2))


def test_models_can_be_pickled_and_their_arrays_are_read_only():
    model = weigh.WeightingModel(points(8))
    assert model.info.residual < 1e-12
    again = pickle.loads(pickle.dumps(model)).add(points(3, seed=1))
    np.testing.assert_array_equal(again.weights, model.add(points(3, seed=1)).weights)
    with pytest.raises(ValueError, match="read-only"):
        model.weights[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        model.points[0] = 0
    assert "8 points" in repr(model)
