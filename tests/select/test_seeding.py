"""k-means++ against its definition."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, ks_2samp

from steelyard import _core
from steelyard.reference import select as reference
from steelyard.select import kmeans, kmeans_plusplus
from support import hostile, isa, threads
from support.examples import examples

pytestmark = pytest.mark.kernel


def mixture(seed=0, n=2000, d=6, k=40, spread=5.0, dtype=float):
    rng = np.random.default_rng(seed)
    centers = spread * rng.normal(size=(k, d))
    return (centers[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(dtype)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("trials", [1, 2, 3])
def test_sequences_come_with_the_probabilities_of_the_definition(power, weighted, trials):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 2))
    w = np.array([1.0, 0.0, 3.0, 0.5, 2.0]) if weighted else None
    exact = reference.law(X, 3, w, power, trials)
    counts = dict.fromkeys(exact, 0)
    total = 3000
    for seed in range(total):
        drawn, *_ = _core.select._seed_centers(X, w, 3, power, (seed, 0), candidates=trials)
        counts[tuple(drawn.tolist())] += 1
    expected = np.array(list(exact.values())) * total
    observed = np.array(list(counts.values()))
    rare = expected < 5
    pooled = [np.append(part[~rare], part[rare].sum()) for part in (observed, expected)]
    kept = pooled[1] > 0
    statistic = ((pooled[0] - pooled[1])[kept] ** 2 / pooled[1][kept]).sum()
    assert statistic < chi2.ppf(0.9999, kept.sum() - 1)


@pytest.mark.parametrize("trials", [1, 5])
def test_costs_with_batches_are_distributed_as_those_of_the_definition(trials):
    # 150 seeds: more than one batch of 128 pending centres, or of 512 candidates.
    X = mixture(n=600)
    rng = np.random.default_rng(1)
    plain = [reference.kmeans_plusplus(X, 150, rng, trials=trials) for _ in range(30)]
    costs = [(reference.distances(X, X[drawn]) ** 2).sum() for drawn in plain]
    ours = [kmeans_plusplus(X, 150, n_local_trials=trials, rng=seed).cost for seed in range(100)]
    assert ks_2samp(costs, ours).pvalue > 1e-3


def test_the_best_of_many_candidates_finds_groups_that_are_apart():
    X = mixture(n=4000, k=60, spread=30.0)
    plain, greedy = (
        [kmeans_plusplus(X, 60, n_local_trials=trials, rng=seed).cost for seed in range(10)]
        for trials in (1, None)
    )
    assert np.median(greedy) < 0.6 * np.median(plain)
    known = kmeans(X, 60, n_local_trials=None, max_iter=1, tol=1, rng=0).info.trace["cost"][0]
    assert known == pytest.approx(kmeans_plusplus(X, 60, n_local_trials=None, rng=0).cost)


@examples(20)
@given(
    st.integers(0, 10**6),
    st.integers(1, 200),
    st.sampled_from([1.0, 2.0]),
    st.booleans(),
    st.sampled_from([1, 2, None]),
)
def test_cost_and_labels_are_those_of_the_seeds(seed, k, power, single, trials):
    X = mixture(seed, n=220, d=1 + seed % 18, dtype=np.float32 if single else float)
    found = kmeans_plusplus(X, k, power=power, n_local_trials=trials, rng=seed)
    assert len(set(found.indices.tolist())) == k
    gaps = np.linalg.norm(X[:, None].astype(float) - X[found.indices].astype(float), axis=2)
    np.testing.assert_array_equal(found.centers, X[found.indices])
    assert found.centers.dtype == X.dtype
    np.testing.assert_allclose(gaps[np.arange(220), found.labels], gaps.min(axis=1), rtol=1e-5, atol=1e-6)
    assert found.cost == pytest.approx((gaps.min(axis=1) ** power).sum(), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("trials", [1, 4])
def test_far_off_the_origin_nothing_cancels(trials):
    X = mixture(n=500)
    moved = X + 1e7
    found = kmeans_plusplus(moved, 20, n_local_trials=trials, rng=0)
    exact = (reference.distances(moved - 1e7, moved[found.indices] - 1e7) ** 2).sum()
    assert found.cost == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("trials", [1, 3])
def test_equal_points_are_drawn_once_and_too_large_a_k_is_said(trials):
    X = np.repeat(np.arange(4.0)[:, None], 50, axis=0)
    with pytest.warns(UserWarning, match="k=9, but only 4 points differ"):
        found = kmeans_plusplus(X, 9, n_local_trials=trials, rng=0)
    assert sorted(X[found.indices, 0]) == [0, 1, 2, 3]
    assert found.cost == 0
    with pytest.warns(UserWarning, match="only 2 points differ and have weight"):
        weighted = kmeans_plusplus(X, 3, sample_weight=np.r_[np.zeros(100), np.ones(100)], rng=0)
    assert weighted.indices.min() >= 100


@pytest.mark.parametrize("trials", [1, 4])
def test_half_precision_and_a_mapped_file_are_read_as_they_lie(trials, tmp_path):
    X = mixture(n=700, dtype=np.float16)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    want = kmeans_plusplus(X.astype(np.float32), 60, n_local_trials=trials, rng=0)
    for points in (X, mapped):
        found = kmeans_plusplus(points, 60, n_local_trials=trials, rng=0)
        np.testing.assert_array_equal(found.indices, want.indices)
        np.testing.assert_array_equal(found.labels, want.labels)
        assert found.centers.dtype == np.float32


def test_far_outliers_do_not_keep_the_rest_from_its_seeds():
    """Each candidate is nearer to all of the bulk than the seeds are: the longest lists there can be."""
    rng = np.random.default_rng(0)
    far = 4.0 ** np.arange(20)[:, None] + rng.normal(size=(20, 4))
    X = np.concatenate([rng.normal(size=(3000, 4)), far])
    found = kmeans_plusplus(X, 60, n_local_trials=6, rng=0)
    assert len(set(found.indices.tolist())) == 60
    assert found.cost == pytest.approx((reference.distances(X, X[found.indices]) ** 2).sum(), rel=1e-9)
    assert np.isin(np.arange(3010, 3020), found.indices).all()


def test_cosine_ignores_lengths():
    X = mixture(n=300)
    lengths = np.exp(np.random.default_rng(0).normal(size=(300, 1), scale=3))
    one, other = (kmeans_plusplus(Y, 12, metric="cosine", rng=0) for Y in (X, lengths * X))
    np.testing.assert_array_equal(one.indices, other.indices)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert one.cost == pytest.approx((2 - 2 * (unit @ unit[one.indices].T).max(axis=1)).sum(), rel=1e-9)


@pytest.mark.parametrize("trials", [1, None])
def test_threads_change_no_bit_and_a_seed_repeats(trials):
    X = mixture(n=20_000, d=9, dtype=np.float32)

    def call(n_threads):
        found = kmeans_plusplus(X, 150, n_local_trials=trials, rng=3, n_threads=n_threads)
        return found.indices, found.labels, found.cost

    indices, _, cost = threads.equal_over_threads(call)
    assert len(indices) == 150
    assert cost > 0


@pytest.mark.parametrize("level", isa.LEVELS)
def test_every_instruction_set_finds_the_same_cost_for_its_seeds(level):
    X = mixture()
    for indices, cost in isa.on_isa(level, seeds_and_costs):
        assert cost == pytest.approx((reference.distances(X, X[indices]) ** 2).sum(), rel=1e-10)


def seeds_and_costs():
    found = [kmeans_plusplus(mixture(), 100, n_local_trials=trials, rng=0) for trials in (1, 4)]
    return [(seeds.indices, seeds.cost) for seeds in found]


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    X = np.random.default_rng(0).integers(0, 3, (40, 3)).astype(float)
    hostile.check_same(lambda x: kmeans_plusplus(x, 4, rng=0).indices, X, variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(lambda x: kmeans_plusplus(x, 2), mixture(n=20), variant, "X")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"k": 21}, "k must be at most the number of points, 20, got 21"),
        ({"n_local_trials": 0}, "n_local_trials must be at least 1"),
        ({"power": 0}, "power must be positive"),
        ({"metric": "cityblock"}, "metric must be one of"),
        ({"sample_weight": -np.ones(20)}, "sample_weight must be >= 0"),
        ({"sample_weight": np.zeros(20)}, "not all zero"),
        ({"sample_weight": np.ones(3)}, "sample_weight must have length 20"),
    ],
)
def test_wrong_arguments_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        kmeans_plusplus(mixture(n=20), **({"k": 3} | options))
    with pytest.raises(ValueError, match="rows of zeros"):
        kmeans_plusplus(np.zeros((3, 2)), 2, metric="cosine")


def long_call():
    X = mixture(n=60_000, d=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kmeans_plusplus(X, 50_000, rng=0)


def long_greedy_call():
    kmeans_plusplus(mixture(n=60_000, d=40), 20_000, n_local_trials=None, rng=0)


@pytest.mark.parametrize("call", [long_call, long_greedy_call])
def test_ctrl_c_brings_the_seeds_so_far(ctrl_c, call):
    answer = ctrl_c(call, after=0.4, within="select._seed_centers")
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert len(answer.partial.indices) > 1


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("unit", [1e-100, 1e-3, 1.0, 1e3, 1e100])
def test_any_power_ends_and_high_ones_choose_the_farthest_point(unit, trials):
    X = unit * np.random.default_rng(0).normal(size=(30, 2))
    found = kmeans_plusplus(X, 5, power=1000, n_local_trials=trials, rng=1)
    assert len(set(found.indices)) == 5
    for k in range(1, 5):
        gaps = np.sqrt(((X[:, None] - X[found.indices[:k]]) ** 2).sum(axis=2)).min(axis=1)
        assert gaps[found.indices[k]] > 0.99 * gaps.max()
