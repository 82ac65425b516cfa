"""Performance without labels against enumeration of all labels, plain convolution and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from steelyard import _core, weigh
from steelyard.reference import ensembles as reference
from support import hostile
from support.examples import examples
from support.threads import equal_over_threads

ALL = ("accuracy", "precision", "recall", "specificity", "f1", "auc")
BY_COUNTS = {
    "accuracy": sk.accuracy_score,
    "precision": lambda y, z: sk.precision_score(y, z, zero_division=0),
    "recall": lambda y, z: sk.recall_score(y, z, zero_division=0),
    "specificity": lambda y, z: sk.recall_score(1 - y, 1 - z, zero_division=0),
    "f1": lambda y, z: sk.f1_score(y, z, zero_division=0),
}


def enumerated(p, decided, function):
    """All values of a metric with their chances, sorted."""
    rows = []
    for labels in itertools.product((0, 1), repeat=len(p)):
        y = np.array(labels)
        rows.append((function(y, decided), np.prod(np.where(y == 1, p, 1 - p))))
    values, chances = np.array(sorted(rows)).T
    return values, chances


@pytest.mark.parametrize("name", BY_COUNTS)
@pytest.mark.parametrize("seed", range(2))
def test_metrics_of_counts_are_those_of_all_labels(name, seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 0.5, 5)
    decided = rng.integers(0, 2, 5)
    values, chances = enumerated(p, decided, BY_COUNTS[name])
    found = weigh.expected_performance(p, decided, metrics=name, level=0.8)
    assert found[name] == pytest.approx(values @ chances, abs=1e-14)
    below = np.cumsum(chances)
    assert found.lower[0] == pytest.approx(values[np.searchsorted(below, 0.1)], abs=1e-6)
    assert found.upper[0] == pytest.approx(values[np.searchsorted(below, 0.9)], abs=1e-6)
    assert found.kinds == ("exact",)


@given(st.integers(0, 1000), st.integers(2, 8), st.booleans())
@examples(20)
def test_area_is_that_of_all_labels(seed, n, ties):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.4, 1, n)
    scores = rng.integers(0, 3, n) if ties else rng.normal(size=n)
    value, deviation, exact = _core.weigh._expected_auc(p, scores.astype(float), 100)
    mean, variance = reference.expected_auc(p, scores)
    assert exact
    assert value == pytest.approx(mean, abs=1e-13)
    assert deviation**2 == pytest.approx(variance, abs=1e-12)


def test_a_row_is_no_pair_with_itself_and_ties_count_half():
    assert weigh.expected_performance([0.9, 0.1], metrics="auc")["auc"] == pytest.approx(0.81 / 0.82)
    assert weigh.expected_performance([0.3, 0.3], metrics="auc")["auc"] == pytest.approx(0.5)
    for order in ([0.2, 0.2, 0.7], [0.7, 0.2, 0.2], [0.2, 0.7, 0.2]):
        found = weigh.expected_performance(order, metrics="auc")["auc"]
        assert found == pytest.approx(reference.expected_auc(order, order)[0], abs=1e-14)


def test_rare_events_have_an_area():
    p = np.array([4e-7, 3e-7, 1e-9, 2e-7])
    found = weigh.expected_performance(p, metrics="auc")["auc"]
    assert found == pytest.approx(reference.expected_auc(p, p)[0], abs=1e-9)


@pytest.mark.parametrize("n", [50, 400, 3000])
@pytest.mark.parametrize("ties", [False, True])
def test_ratio_of_pairs_comes_near_the_exact_area(n, ties):
    p = np.random.default_rng(n).beta(0.4, 2, n)
    scores = np.round(p, 1) if ties else p
    exact = _core.weigh._expected_auc(p, scores, n)
    ratio = _core.weigh._expected_auc(p, scores, 0)
    assert exact[2]
    assert not ratio[2]
    assert ratio[0] == pytest.approx(exact[0], abs=0.3 / n)
    assert ratio[1] == pytest.approx(exact[1], rel=8 / n + 0.02)


def test_area_and_f1_are_those_of_simulated_labels():
    rng = np.random.default_rng(0)
    p = rng.beta(0.4, 2, 200)
    found = weigh.expected_performance(p, metrics=["auc", "f1"])
    draws = rng.random((2000, 200)) < p
    areas = np.array([reference.auc(y, p) for y in draws])
    f1 = np.array([reference.f1(y.astype(int), (p >= 0.5).astype(int)) for y in draws])
    for name, values in (("auc", areas), ("f1", f1)):
        assert found[name] == pytest.approx(values.mean(), abs=5 * values.std() / 2000**0.5)
        k = found.metrics.index(name)
        inside = np.mean((found.lower[k] - 1e-9 <= values) & (values <= found.upper[k] + 1e-9))
        assert 0.93 < inside < 0.99


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 130, 1000])
def test_count_law_is_that_of_plain_convolution(n):
    p = np.random.default_rng(n).beta(0.3, 0.3, n)
    p[: n // 10] = 0.0
    first, chances = _core.weigh._count_law(p)
    law = reference.count_law(p)
    np.testing.assert_allclose(
        chances, law[first : first + len(chances)], rtol=1e-11, atol=1e-25 * (4 + n / 8)
    )
    assert law.sum() - chances.sum() == pytest.approx(0, abs=1e-13)


def test_cells_have_laws_of_their_own():
    p = np.array([0.9, 0.6, 0.2])
    found = weigh.expected_performance(p)
    np.testing.assert_allclose(found.confusion, [[0.8, 0.5], [0.2, 1.5]])
    counts, chances = found.law("tp")
    np.testing.assert_array_equal(counts, [0, 1, 2])
    np.testing.assert_allclose(chances, [0.04, 0.42, 0.54])
    with pytest.raises(ValueError, match="cell must be one of"):
        found.law("tpr")


def test_many_rows_stay_exact():
    p = np.random.default_rng(0).beta(2, 5, 30_000)
    found = weigh.expected_performance(p, metrics=ALL)
    assert found["accuracy"] == pytest.approx(np.where(p >= 0.5, p, 1 - p).mean(), abs=1e-13)
    tp, fn = p[p >= 0.5].sum(), p[p < 0.5].sum()
    assert found["f1"] == pytest.approx(2 * tp / ((p >= 0.5).sum() + tp + fn), abs=1e-4)
    assert found["recall"] == pytest.approx(tp / (tp + fn), abs=1e-4)
    assert (found.lower < found.values).all()
    assert (found.values < found.upper).all()


@pytest.mark.parametrize("limit", [0, 1000])
def test_scores_that_differ_in_their_last_bits_alone_are_told_apart(limit):
    rng = np.random.default_rng(5)
    p, ranks = rng.random(300), rng.permutation(300) // 2
    near = 0.3 + ranks * 2.0**-54
    found, told = (_core.weigh._expected_auc(p, s, limit) for s in (near, ranks.astype(float)))
    assert found == told
    assert len(np.unique(near)) == 150


def test_every_number_of_threads_gives_the_same_bits():
    p = np.random.default_rng(0).random(20_000)
    equal_over_threads(
        lambda threads: weigh.expected_performance(
            p, metrics=["accuracy", "f1"], n_threads=threads
        ).to_frame()
    )


@given(st.integers(0, 1000), st.integers(1, 40))
@examples(15)
def test_pooled_neighbours_are_the_nearest_increasing_sequence(seed, n):
    rng = np.random.default_rng(seed)
    y, c = np.round(rng.normal(size=n), 1), rng.random(n) + 0.1
    np.testing.assert_allclose(_core.weigh._pool_neighbours(y, c), reference.isotonic(y, c), atol=1e-12)


def test_calibration_is_that_of_isotonic_regression():
    rng = np.random.default_rng(0)
    raw = np.round(rng.random(500), 2)
    y = rng.random(500) < raw**2
    weight = rng.random(500)
    new = rng.random(50)
    found = weigh.expected_performance(new, reference=(raw, y), weights=weight, metrics="accuracy")
    peer = IsotonicRegression(out_of_bounds="clip").fit(raw, y, sample_weight=weight).predict(new)
    np.testing.assert_allclose(found.probabilities, peer, atol=1e-12)


def test_weights_of_the_reference_undo_a_shift():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    z = rng.integers(0, 2, 20_000)  # what the classifier does not see
    y = rng.random(20_000) < np.where(z == 1, 0.9, 0.2)
    raw = 1 / (1 + np.exp(-x))
    plain = weigh.expected_performance(raw[:100], reference=(raw, y), metrics="accuracy")
    shifted = weigh.expected_performance(
        raw[:100], reference=(raw, y), weights=np.where(z == 1, 1.8, 0.2), metrics="accuracy"
    )
    assert plain.probabilities.mean() == pytest.approx(0.55, abs=0.05)
    assert shifted.probabilities.mean() == pytest.approx(0.83, abs=0.05)


P3 = np.array([0.2, 0.7, 0.4])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"probabilities": [0.2, 1.2]}, "probabilities must lie between 0 and 1, got 1.2 at 1"),
        ({"probabilities": []}, "probabilities must have at least one entry"),
        ({"probabilities": P3, "predictions": [0, 1, 2]}, "predictions must hold 0 and 1 alone, got 2"),
        ({"probabilities": P3, "predictions": [0, 1]}, "predictions must have length 3"),
        ({"probabilities": P3, "metrics": ["accuracy", "auroc"]}, "metrics must be one of"),
        ({"probabilities": P3, "metrics": []}, "metrics must name at least one"),
        ({"probabilities": P3, "weights": P3}, "weights must be None without a reference"),
        ({"probabilities": P3, "reference": (P3, [0, 1, 0]), "weights": [-1, 1, 1]}, "weights must be >= 0"),
        ({"probabilities": P3, "reference": (P3, [0, 1])}, r"reference\[1\] must have length 3"),
        ({"probabilities": [0.0, 0.0]}, "probabilities must leave both classes possible"),
        ({"probabilities": P3, "level": 95}, "level must lie strictly between 0 and 1"),
    ],
)
def test_messages_name_the_argument(arguments, says):
    with pytest.raises(ValueError, match=says):
        weigh.expected_performance(**arguments)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    p = np.linspace(0.1, 0.9, 12)
    hostile.check_refused(weigh.expected_performance, p, variant, "probabilities")
