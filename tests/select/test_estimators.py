"""The estimators: scikit-learn's checks, and the answers of the functions and of other packages."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import cluster
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import select

STARTS = "draws its start: zero weight is not absence, and twice the weight not two points"


def expected(estimator):
    return {f"check_sample_weight_equivalence_on_{kind}_data": STARTS for kind in ("dense",)}


@pytest.mark.filterwarnings("ignore:k=8, but only:UserWarning")  # some checks have four points
@parametrize_with_checks(
    [select.KMeans(random_state=0), select.KMedoids(random_state=0)], expected_failed_checks=expected
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def blobs(seed=0, d=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, d)) + np.repeat(rng.normal(size=(3, d)) * 8, 20, axis=0)


def test_centres_are_those_of_scikit_learn_from_the_same_start():
    X = blobs(d=5)
    model = select.KMeans(3, init=X[[0, 20, 40]], tol=0).fit(X)
    peer = cluster.KMeans(3, init=X[[0, 20, 40]], n_init=1, tol=0).fit(X)
    np.testing.assert_allclose(model.cluster_centers_, peer.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, peer.labels_)
    new = blobs(1, 5)
    np.testing.assert_array_equal(model.predict(new), peer.predict(new))
    np.testing.assert_allclose(model.transform(new), peer.transform(new))
    assert model.inertia_ == pytest.approx(peer.inertia_)


def test_medoids_are_those_of_the_function():
    X = blobs()
    model = select.KMedoids(3, bound_iter=50, random_state=0).fit(X)
    assert model.result_.info.error_bound < 0.05
    np.testing.assert_array_equal(model.cluster_centers_, X[model.medoid_indices_])
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_allclose(model.transform(X).min(axis=1).sum(), model.inertia_)
    D = np.linalg.norm(X[:, None] - X, axis=2)
    table = select.KMedoids(3, metric="precomputed", init=model.medoid_indices_).fit(D)
    assert table.inertia_ == pytest.approx(model.inertia_)
    np.testing.assert_array_equal(table.predict(D), table.labels_)
    assert list(model.get_feature_names_out()) == ["kmedoids0", "kmedoids1", "kmedoids2"]


@pytest.mark.parametrize("kind", [select.KMeans, select.KMedoids])
def test_the_cheapest_of_several_starts_is_kept(kind):
    X = np.random.default_rng(3).uniform(size=(80, 2))
    one = [kind(8, init="random", random_state=s).fit(X).inertia_ for s in range(5)]
    best = kind(8, init="random", n_init=20, random_state=0).fit(X).inertia_
    assert best <= np.median(one)


@pytest.mark.parametrize("kind", [select.KMeans, select.KMedoids])
def test_directions_are_clustered_by_cosine(kind):
    X = blobs(2) * np.linspace(0.1, 9, 60)[:, None]
    model = kind(3, metric="cosine", random_state=0).fit(X)
    np.testing.assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1)
    np.testing.assert_array_equal(model.predict(5 * X), model.labels_)


@pytest.mark.parametrize("kind", [select.KMeans, select.KMedoids])
def test_what_does_not_fit_is_named(kind):
    for change in ({"n_clusters": 0}, {"n_clusters": 61}, {"n_init": 0}, {"metric": "taxi"}):
        with pytest.raises(ValueError, match=next(iter(change))):
            kind(**{"n_clusters": 2, **change}).fit(blobs())
