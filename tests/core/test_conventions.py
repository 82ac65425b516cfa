"""Inputs of kinds that once crashed, hung or were misread: what is said of each, or done with it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from steelyard import datasets, metric, rank, select, weigh


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_iris_by_cosine_has_a_weighting_and_one_magnitude_by_every_way():
    X = datasets.load_iris().points()
    by_weights = weigh.weighting(X, metric="cosine", scale=1e4)
    along = weigh.magnitude_function(X, [1e3, 1e4, 1e5], metric="cosine").magnitudes
    assert (np.diff(along) > 0).all()
    assert by_weights.info.positive_definite
    assert along[1] == pytest.approx(by_weights.magnitude, rel=0.02)


@pytest.mark.parametrize("tau", [1e-17, 5e-324])
def test_a_bracket_of_glicko_that_no_longer_moves_ends(tau):
    found = rank.glicko2([0], [1], tau=tau)
    assert found.ratings[0] > found.ratings[1]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (lambda i: np.ones((len(i), 3)) * 1j, "dtype complex128: take real parts"),
        (lambda i: np.full((len(i), 3), None), "dtype object with entries such as None"),
        (lambda i: np.full((len(i), 3), "x"), r"\(text\): convert it"),
        (lambda i: [[1.0]] * (len(i) - 1) + [[1.0, 2.0]], "is ragged"),
    ],
)
def test_rows_that_a_function_makes_of_a_wrong_kind_are_named(row, says):
    with pytest.raises((TypeError, ValueError), match=rf"K\(indices\).*{says}"):
        weigh.solve_simplex_qp(row, np.zeros(3))


def games():
    return rank.Comparisons.from_pairs(["a", "b", "c"] * 4, ["b", "c", "a"] * 4, time=np.arange(12))


def from_frame(**options):
    frame = {"left": ["a"], "right": ["b"], "outcome": ["left"]}
    return rank.Comparisons.from_frame(frame, left="left", right="right", **options)


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda: from_frame(outcome=3), TypeError, "outcome must be a column name"),
        (
            lambda: rank.whole_history(games(), volatility=0.3, time_unit=1).strength(0, {1}),
            KeyError,
            "no item",
        ),
        (lambda: select.active_test([0.5], [0.5], 2**63), ValueError, r"n_pool must be below 2\*\*63"),
        (lambda: rank.bradley_terry(games(), prior=10**400), ValueError, "prior must be finite in float64"),
        (
            lambda: rank.bradley_terry(games(), max_iter=2**40),
            ValueError,
            "max_iter must be at most 2147483647",
        ),
        (lambda: select.kmeans(np.eye(3), 2, rng="a"), TypeError, "rng must be None, an integer"),
        (lambda: weigh.weighting([[1.0, 2.0], [3.0]]), ValueError, "X is ragged"),
    ],
)
def test_wrong_values_are_refused_by_name(call, kind, says):
    with pytest.raises(kind, match=says):
        call()


@pytest.mark.parametrize(("unit", "dtype"), [(1e-200, np.float64), (1e-25, np.float32)])
def test_points_in_tiny_units_are_as_many_clusters_as_they_are(unit, dtype):
    X = (np.random.default_rng(0).normal(size=(60, 2)) * unit).astype(dtype)
    found = select.kmeans(X, 3, rng=0)
    assert len(np.unique(found.labels)) == 3


def test_tables_of_mixed_nullable_numbers_are_numbers_and_others_are_told_apart():
    pd = pytest.importorskip("pandas")
    from scipy import sparse

    whole, half = [1, 2, 4], [0.5, 1.5, 2.5]
    frame = pd.DataFrame({"a": pd.array(whole, dtype="Int64"), "b": pd.array(half, dtype="Float64")})
    assert weigh.magnitude(frame, scale=1.0) == weigh.magnitude(np.c_[whole, half], scale=1.0)
    with pytest.raises(TypeError, match=r"sparse csr_matrix, and every entry is needed: X\.toarray\(\)"):
        weigh.weighting(sparse.csr_matrix(np.eye(3)))
    with pytest.raises(TypeError, match="column 'a' holds category; encode it"):
        weigh.weighting(pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.0, 2.0]}))
    with pytest.raises(TypeError, match=r"\(text\): convert it"):
        weigh.weighting(np.array([["1", "2"], ["3", "4"]]))


def test_a_row_with_nan_of_a_dask_array_is_numbered_over_all_blocks():
    array = pytest.importorskip("dask.array")
    from steelyard import dask

    X = np.random.default_rng(0).normal(size=(60, 2))
    X[30] = np.nan
    with pytest.raises(ValueError, match="first: row 30"):
        dask.kmeans(array.from_array(X, chunks=(20, 2)), 2, rng=0)


def test_distances_of_one_point_are_a_metric_in_either_form():
    for D in (np.zeros(0), [[0.0]]):
        assert metric.nearest_metric(D).objective == 0


def test_infinite_distances_are_told_to_become_nan():
    with pytest.raises(ValueError, match="write NaN where a pair is unknown"):
        metric.nearest_metric([1.0, np.inf, 2.0], missing="free")


def test_labels_are_of_the_kind_of_the_predictions():
    selector = select.ModelSelector(np.array([[0, 1], [1, 1], [0, 0], [1, 0]]), 0.3, rng=0)
    with pytest.raises(TypeError, match="label must be a number as the predictions are, got '0'"):
        selector.tell(0, "0")
    floats = select.ModelSelector(np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]), 0.3, rng=0)
    floats.tell(0, 0)
    assert floats.leader == 0


def test_objects_that_are_no_axes_are_refused():
    with pytest.raises(TypeError, match="ax must be matplotlib axes or None"):
        rank.bradley_terry(games()).plot(ax=3)
    with pytest.raises(TypeError, match="ax must be matplotlib axes or None"):
        rank.bradley_terry(games()).plot(ax=SimpleNamespace())
