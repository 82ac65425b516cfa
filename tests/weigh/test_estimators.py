"""The scikit-learn estimators: scikit-learn's own checks, and what they say against the reference."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import weigh
from steelyard.reference import weigh as reference


@parametrize_with_checks(
    [
        weigh.MagnitudeOutlierDetector(),
        weigh.MagnitudeOutlierDetector(novelty=True),
        weigh.MagnitudeOutlierDetector("differential", novelty=True),
        weigh.MagnitudeOutlierDetector("weight", novelty=True),
        weigh.WeightingClassifier(),
        weigh.WeightingClassifier(rule="cdf"),
    ]
)
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


@pytest.mark.slow  # as many seconds as all others together
@parametrize_with_checks([weigh.WeightingClassifier("cv", cv=2)])
def test_scikit_learn_accepts_cross_validation(estimator, check):
    check(estimator)


def points(n, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# ---- importing


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_weigh_does_not_import_scikit_learn_before_it_must():
    code = """
import sys
from steelyard import weigh
assert "sklearn" not in sys.modules
assert "WeightingClassifier" in dir(weigh)
weigh.WeightingClassifier
assert "sklearn" in sys.modules
"""
    found = run(code)
    assert found.returncode == 0, found.stderr


def test_without_scikit_learn_the_extra_is_named():
    code = "import sys; sys.modules['sklearn'] = None; from steelyard import weigh; weigh.WeightingClassifier"
    found = run(code)
    assert "ImportError" in found.stderr
    assert 'pip install "steelyard[sklearn]"' in found.stderr


def test_what_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Detector'"):
        _ = weigh.Detector


# ---- outliers


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_scores_are_weights_losses_and_shares_of_spread(scale):
    X = points(40)
    weight, loss, share = (
        weigh.MagnitudeOutlierDetector(kind, scale=scale).fit(X).scores_
        for kind in ("weight", "differential", "spread")
    )
    np.testing.assert_allclose(weight, reference.weighting(X, scale), atol=1e-9)
    whole = reference.magnitude(X, scale)
    without = [reference.magnitude(np.delete(X, i, axis=0), scale) for i in range(40)]
    np.testing.assert_allclose(loss, whole - np.array(without), atol=1e-9)
    assert share.sum() == pytest.approx(reference.spread(X, scale), rel=1e-12)


@pytest.mark.parametrize("kind", ["weight", "differential", "spread"])
def test_scores_of_new_points_are_those_they_would_have_in_the_set(kind):
    X, new = points(30), points(5, seed=1)
    detector = weigh.MagnitudeOutlierDetector(kind, scale=1.2, novelty=True).fit(X)
    alone = weigh.MagnitudeOutlierDetector(kind, scale=1.2)
    joined = [alone.fit(np.vstack([X, x])).scores_[-1] for x in new]
    np.testing.assert_allclose(detector.score_samples(new), -np.array(joined), rtol=1e-8)


@pytest.mark.parametrize("kind", ["weight", "differential", "spread"])
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_training_points_keep_their_scores(kind, contamination):
    X = points(60)[np.r_[:60, 5, 5]]
    old = weigh.MagnitudeOutlierDetector(kind, contamination=contamination)
    new = clone(old).set_params(novelty=True).fit(X)
    np.testing.assert_array_equal(old.fit_predict(X), new.predict(X))
    np.testing.assert_allclose(new.score_samples(X), new.negative_outlier_factor_, rtol=1e-9)
    np.testing.assert_array_equal(new.decision_function(X), new.score_samples(X) - new.offset_)


@pytest.mark.parametrize("kind", ["weight", "differential", "spread"])
def test_a_distant_point_is_found(kind):
    X = np.append(points(80), [[9.0, 9.0]], axis=0)
    detector = weigh.MagnitudeOutlierDetector(kind)
    assert detector.fit_predict(X)[-1] == -1
    assert detector.scores_.argmax() == 80
    assert detector.scores_[-1] == pytest.approx(1, abs=0.15)


def test_the_name_score_is_left_to_scikit_learn():
    X, y = points(60), np.r_[np.ones(57), -np.ones(3)]
    X[57:] += 8.0
    detector = weigh.MagnitudeOutlierDetector(novelty=True, contamination=0.05)
    assert "score" not in detector.get_params()
    area = make_scorer(roc_auc_score, response_method="decision_function")
    folds = StratifiedKFold(3)
    assert cross_val_score(detector, X, y, scoring=area, cv=folds).min() == 1.0
    search = GridSearchCV(detector, {"kind": ["spread", "weight"]}, scoring=area, cv=folds).fit(X, y)
    assert search.best_score_ == 1.0
    with pytest.raises(TypeError, match="score"):
        cross_val_score(detector, X, y)  # as for scikit-learn's own: there is no score without a scorer
    with pytest.raises(TypeError, match="unexpected keyword"):
        weigh.MagnitudeOutlierDetector(score="spread")


def test_contamination_flags_that_share():
    X = points(100)
    flags = weigh.MagnitudeOutlierDetector(contamination=0.07).fit_predict(X)
    assert (flags == -1).sum() == 7


def test_copies_are_scored_alike_and_a_loss_of_one_costs_nothing():
    X = points(20)[np.r_[:20, 7]]
    for kind in ("weight", "differential", "spread"):
        scores = weigh.MagnitudeOutlierDetector(kind, scale=1.0).fit(X).scores_
        assert scores[7] == scores[20]
    assert weigh.MagnitudeOutlierDetector("differential", scale=1.0).fit(X).scores_[7] == 0


@pytest.mark.parametrize("kind", ["weight", "differential", "spread"])
def test_points_that_all_coincide_hold_no_outlier(kind):
    assert (weigh.MagnitudeOutlierDetector(kind).fit_predict(np.ones((9, 2))) == 1).all()


def test_two_points_are_too_few_for_the_fraction_but_are_scored():
    assert weigh.MagnitudeOutlierDetector().fit_predict([[0.0], [1.0]]).tolist() == [1, 1]


def test_methods_go_by_novelty():
    X = points(20)
    old, new = weigh.MagnitudeOutlierDetector(), weigh.MagnitudeOutlierDetector(novelty=True)
    assert not hasattr(old, "predict")
    assert not hasattr(old, "decision_function")
    assert not hasattr(old, "score_samples")
    assert not hasattr(new, "fit_predict")
    assert new.fit(X).predict(X).shape == (20,)


def test_blocks_give_the_spread_of_one_block(monkeypatch):
    detector = weigh.MagnitudeOutlierDetector("spread", novelty=True).fit(points(20))
    whole = detector.score_samples(points(33, seed=1))
    monkeypatch.setattr("steelyard.weigh._estimators._BLOCK_ENTRIES", 100)
    np.testing.assert_allclose(detector.score_samples(points(33, seed=1)), whole, rtol=1e-13)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"kind": "lof"}, "kind"),
        ({"scale": "auto"}, "scale"),
        ({"scale": 0.0}, "scale"),
        ({"fraction": 2.0}, "fraction"),
        ({"metric": "precomputed"}, "metric"),
        ({"contamination": 0.7}, "contamination"),
        ({"contamination": 0}, "contamination"),
        ({"contamination": "half"}, "contamination"),
    ],
)
def test_detectors_refuse_nonsense_by_name(options, name):
    with pytest.raises(ValueError, match=name):
        weigh.MagnitudeOutlierDetector(**options).fit(points(10))


# ---- classes


@pytest.mark.parametrize("rule", ["abs", "cdf"])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_classes_are_those_of_the_reference(rule, scale):
    X, y = points(60), np.array(["one", "two", "three"])[np.arange(60) % 3]
    X[y == "two"] += 2.0
    X[5] = X[8]  # copies within a class
    new = np.vstack([3 * points(80, seed=1), X])
    found = weigh.WeightingClassifier(scale, rule=rule).fit(X, y)
    np.testing.assert_array_equal(found.predict(new), reference.classify(X, y, new, scale, rule))
    np.testing.assert_array_equal(
        found.classes_[found.decision_function(new).argmax(axis=1)], found.predict(new)
    )


@pytest.mark.parametrize("rule", ["abs", "cdf"])
def test_the_decision_for_two_classes_is_one_number(rule):
    X, y = points(40), np.arange(40) % 2
    X[y == 1] += 1.5
    found = weigh.WeightingClassifier(rule=rule).fit(X, y)
    new = points(50, seed=2)
    np.testing.assert_array_equal(found.decision_function(new) > 0, found.predict(new) == 1)


def test_one_point_a_class_is_the_nearest_neighbour():
    X = points(5)
    new = points(40, seed=1)
    found = weigh.WeightingClassifier(0.7).fit(X, np.arange(5)).predict(new)
    np.testing.assert_array_equal(found, reference.distances(X, Y=new).argmin(axis=0))


def test_a_single_class_is_everywhere():
    found = weigh.WeightingClassifier().fit(points(5), ["a"] * 5)
    assert set(found.predict(points(9, seed=1))) == {"a"}
    assert found.decision_function(points(9, seed=1)).shape == (9, 1)


def test_cross_validation_finds_a_scale_that_works():
    X, y = points(120), np.arange(120) % 2
    X = np.where(y[:, None] == 1, X * 0.02, 1.0 + X * 0.02) * 1e-3
    poor = weigh.WeightingClassifier(1e-6).fit(X, y)
    found = weigh.WeightingClassifier("cv").fit(X, y)
    assert found.scale_ in found.cv_scales_
    assert found.cv_accuracies_.max() == 1.0
    assert found.score(X, y) == 1.0 >= poor.score(X, y)
    unit = 1 / np.median(reference.distances(X)[np.triu_indices(120, 1)])
    np.testing.assert_allclose(found.cv_scales_, unit * np.geomspace(0.01, 100, 17), rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_cross_validation_survives_a_single_point_in_a_class(n):
    X, y = points(n + 6), np.r_[np.arange(n), np.full(6, n)]
    X[n:] += 20.0
    found = weigh.WeightingClassifier("cv").fit(X, y)
    assert np.isfinite(found.cv_accuracies_).all()
    assert found.cv_accuracies_.max() >= 6 / (n + 6)
    assert (found.predict(X)[n:] == n).all()


def test_iris_is_told_apart():
    X, y = load_iris(return_X_y=True)
    for rule in ("abs", "cdf"):
        pipeline = make_pipeline(StandardScaler(), weigh.WeightingClassifier(rule=rule))
        assert cross_val_score(pipeline, X, y, cv=5).mean() > 0.9


def test_fitted_estimators_can_be_pickled():
    X, y = points(30), np.arange(30) % 3
    fitted = weigh.WeightingClassifier().fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"scale": "fraction"}, "scale"),
        ({"scale": -1.0}, "scale"),
        ({"rule": "max"}, "rule"),
        ({"cv": 1}, "cv"),
        ({"metric": "precomputed"}, "metric"),
    ],
)
def test_classifiers_refuse_nonsense_by_name(options, name):
    with pytest.raises(ValueError, match=name):
        weigh.WeightingClassifier(**options).fit(points(10), np.arange(10) % 2)
