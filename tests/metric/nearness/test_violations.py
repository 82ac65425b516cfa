"""Violations counted one by one, and what the report says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from steelyard import metric
from steelyard.reference import metric as reference

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize("n", [*range(3, 10), 15, 16, 17, 31, 33, 65])
@pytest.mark.parametrize("tol", [0.0, 0.3])
def test_counts_are_those_of_the_reference(n, tol):
    d = squareform(np.random.default_rng(n).normal(size=n * (n - 1) // 2))
    broken = reference.violations(d, tol)
    report = metric.violations(d, tol=tol, top=5)
    assert report.n_broken == len(broken)
    assert report.n_pairs == len({(i, j) for i, j, _ in broken})
    assert report.largest == max(broken.values(), default=0.0)
    most = {}
    for (i, j, _), excess in broken.items():
        most[i, j] = max(most.get((i, j), 0.0), excess)
    assert report.total == pytest.approx(sum(most.values()))
    np.testing.assert_allclose(report.worst["excess"], sorted(most.values(), reverse=True)[:5])
    for i, j, k, excess in report.worst:
        assert d[i, j] - (d[i, k] + d[j, k]) == excess


def test_integers_are_counted_exactly():
    d = np.random.default_rng(0).integers(0, 4, size=190).astype(float)
    assert metric.violations(d).n_broken == len(reference.violations(squareform(d)))


@given(st.integers(0, 10_000))
def test_points_have_a_metric(seed):
    d = pdist(np.random.default_rng(seed).random((30, 3)), "cityblock")
    report = metric.violations(d, tol=1e-12)
    assert report.is_metric
    assert report.n_triangles == 30 * 29 * 28 // 2
    assert len(report.worst) == 0


def test_the_report_reads_well():
    report = metric.violations([[0, 1, 5, 0], [1, 0, 2, 0], [5, 2, 0, -1], [0, 0, -1, 0]])
    assert "not a metric" in repr(report)
    assert "1 pair below zero" in repr(report)
    assert "2 pairs of different items at distance zero" in repr(report)
    assert not report.is_pseudometric
    assert set(report.to_frame()) == {"i", "j", "k", "excess"}
    assert repr(metric.violations([0.0, 1.0, 1.0])).startswith("ViolationReport: 3 items, pseudometric")


def test_any_number_of_threads_gives_the_same_bits(equal_over_threads):
    d = np.random.default_rng(1).normal(size=200 * 199 // 2)

    def call(threads):
        report = metric.violations(d, n_threads=threads)
        return report.n_broken, report.total, report.worst

    broken, total, worst = equal_over_threads(call)
    assert broken > 0 < total
    assert len(worst) == 10


def counted():
    return metric.violations(np.random.default_rng(2).normal(size=100 * 99 // 2)).n_broken


def test_every_instruction_set_counts_the_same(isa_level, on_isa):
    assert on_isa(isa_level, counted) == counted()


def test_none_of_the_worst_can_be_asked_for():
    report = metric.violations([1.0, 5.0, 1.0], top=0)
    assert len(report.worst) == 0
    assert report.largest == 3.0
    with pytest.raises(ValueError, match="top must be at least 0"):
        metric.violations([1.0, 5.0, 1.0], top=-1)
    with pytest.raises(ValueError, match="tol must be zero or positive"):
        metric.violations([1.0, 5.0, 1.0], tol=-1.0)


def test_progress_rises_to_the_number_of_rows():
    seen = []
    metric.violations(np.ones(45), n_threads=1, progress=lambda *step: seen.append(step))
    assert seen == sorted(seen)
    assert seen[0] == (0, 10)
    assert seen[-1] == (10, 10)
