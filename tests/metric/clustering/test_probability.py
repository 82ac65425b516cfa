"""Probabilities in matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from steelyard import metric


def matched(n=12, seed=0):
    p = np.random.default_rng(seed).uniform(0.02, 0.98, (n, n))
    return np.triu(p, 1) + np.triu(p, 1).T


@pytest.mark.parametrize("relax", [True, False])
def test_log_odds_of_probabilities_are_signed_weights(relax):
    p = matched()
    c = np.log(p + np.eye(12)) - np.log1p(-p) + np.log(0.2 / 0.8)
    options = {"relax": relax, "rng": 0, "tol": 1e-6}
    found = metric.correlation_clustering(p, formulation="probability", prior=0.2, **options)
    signed = metric.correlation_clustering(c * (1 - np.eye(12)), formulation="signed", **options)
    assert found.formulation == "probability"
    assert found.cost == pytest.approx(signed.cost)
    np.testing.assert_array_equal(found.labels, signed.labels)


def test_matrices_and_edges_answer_alike():
    p = matched()
    u, v = np.triu_indices(12, 1)
    one = metric.correlation_clustering(p, formulation="probability", relax=False, rng=0)
    other = metric.cluster_edges(u, v, p[u, v], 12, formulation="probability", rng=0)
    assert (one.cost, one.lower_bound) == (other.cost, other.lower_bound)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_a_zero_in_an_array_is_a_probability_and_an_unlisted_pair_of_a_sparse_one_is_none():
    p = np.array([[0.0, 0.9, 0.9], [0.9, 0.0, 0.0], [0.9, 0.0, 0.0]])
    dense = metric.correlation_clustering(p, formulation="probability", rng=0)
    assert dense.cost == pytest.approx(np.log(9))
    assert dense.labels[1] != dense.labels[2]
    listed = metric.correlation_clustering(sparse.csr_array(p), formulation="probability", rng=0)
    assert listed.cost == 0
    assert listed.n_clusters == 1


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"S must lie in 0 \.\. 1 for formulation='probability'"):
        metric.correlation_clustering([[0, 1.5], [1.5, 0]], formulation="probability")
    with pytest.raises(ValueError, match="prior goes with formulation='probability'"):
        metric.correlation_clustering([[0, 1.0], [1.0, 0]], prior=0.3)
