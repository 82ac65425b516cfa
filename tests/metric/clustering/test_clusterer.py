"""The estimator: scikit-learn's checks, and the answers of `correlation_clustering`."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist, squareform
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import metric


@parametrize_with_checks([metric.CorrelationClusterer()])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def blobs(seed=0):
    return np.random.default_rng(seed).normal(size=(30, 2)) + np.repeat([[0, 0], [5, 0], [0, 5]], 10, axis=0)


@pytest.mark.parametrize("name", ["euclidean", "cityblock", "chebyshev", "hamming"])
def test_distances_are_those_of_scipy(name):
    X = blobs().round()
    model = metric.CorrelationClusterer(name, random_state=0).fit(X)
    S = squareform(np.exp(-pdist(X, name) / model.scale_))
    found = metric.correlation_clustering(S, formulation="graph", labels=model.labels_, rng=0)
    assert model.cost_ == pytest.approx(found.cost, rel=1e-3)


def test_points_are_clustered_by_their_similarities():
    X = blobs()
    model = metric.CorrelationClusterer(random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_, np.repeat([0, 1, 2], 10))
    d = pdist(X)
    assert model.scale_ == pytest.approx(np.median(d))
    S = squareform(np.exp(-d / model.scale_))
    found = metric.correlation_clustering(S, formulation="graph", rng=0)
    assert model.cost_ == pytest.approx(found.cost)
    assert 0 < model.lower_bound_ <= model.cost_ == model.result_.cost


def test_similarities_may_come_with_x_dense_or_sparse():
    S = np.exp(-squareform(pdist(blobs())) / 5)
    labels = metric.CorrelationClusterer("precomputed", random_state=0).fit_predict(S)
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 10))
    near = sparse.csr_array(np.where(S > 0.3, S, 0.0))
    model = metric.CorrelationClusterer("precomputed", random_state=0, relax=False).fit(near)
    np.testing.assert_array_equal(model.labels_, labels)
    assert model.scale_ is None
    assert model.result_.cycles is not None


def test_resolution_scale_metric_and_formulation_count():
    X = blobs()
    fine = metric.CorrelationClusterer(resolution=0.9, random_state=0).fit(X)
    assert fine.result_.n_clusters > 3
    assert metric.CorrelationClusterer(scale=100.0).fit(X).result_.n_clusters == 1
    assert metric.CorrelationClusterer("cityblock", random_state=0).fit(X).result_.n_clusters == 3
    with pytest.raises(ValueError, match="square"):
        metric.CorrelationClusterer("precomputed").fit(X)
    with pytest.raises(ValueError, match="scale must be positive"):
        metric.CorrelationClusterer(scale=-1.0).fit(X)
    same = metric.CorrelationClusterer().fit(np.ones((4, 2)))
    assert (same.result_.n_clusters, same.cost_) == (1, 0.0)
