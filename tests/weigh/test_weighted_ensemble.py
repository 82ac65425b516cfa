"""The ensemble of scikit-learn's models: its checks, and that the weights are those of `ensemble_weights`."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, QuantileRegressor, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import weigh

MODELS = [("mean", DummyRegressor()), ("line", Ridge())]


@parametrize_with_checks(
    [
        weigh.WeightedEnsemble(MODELS, cv=2),
        weigh.WeightedEnsemble([("bayes", GaussianNB()), ("share", DummyClassifier())], loss="log", cv=2),
        weigh.WeightedEnsemble([("flat", QuantileRegressor(alpha=1.0))], loss="pinball", levels=0.5, cv=2),
    ]
)
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


def data(n=120):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, X @ [1.0, -1.0, 0.5] + np.sin(3 * X[:, 0]) + 0.3 * rng.normal(size=n)


def test_regressors_are_weighted_by_their_predictions_out_of_fold():
    X, y = data()
    models = [("line", LinearRegression()), ("tree", DecisionTreeRegressor(max_depth=4, random_state=0))]
    folds = KFold(4, shuffle=True, random_state=0)
    found = weigh.WeightedEnsemble(models, cv=folds).fit(X, y)
    P = np.stack([cross_val_predict(model, X, y, cv=folds) for _, model in models], axis=1)
    expected = weigh.ensemble_weights(P, y)
    np.testing.assert_array_equal(found.weights_, expected.weights)
    assert found.result_.loss <= expected.single_losses.min()
    mixed = np.stack([model.fit(X, y).predict(X[:5]) for _, model in models], axis=1) @ expected.weights
    np.testing.assert_allclose(found.predict(X[:5]), mixed)
    assert is_regressor(found)
    assert found.score(X, y) > 0.8


def test_a_model_without_weight_is_not_fitted_again():
    X = np.arange(20.0)[:, None]
    found = weigh.WeightedEnsemble([*MODELS[:1], ("line", LinearRegression())]).fit(X, 3 * X[:, 0])
    assert found.estimators_[0] is None
    np.testing.assert_allclose(found.predict([[40.0]]), [120.0])


def test_classifiers_give_mixed_probabilities():
    X, y = data()
    labels = np.where(y > 0.5, "high", np.where(y < -0.5, "low", "middle"))
    found = weigh.WeightedEnsemble([("bayes", GaussianNB()), ("share", DummyClassifier())], loss="log").fit(
        X, labels
    )
    chances = found.predict_proba(X)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_array_equal(found.predict(X), found.classes_[chances.argmax(axis=1)])
    assert is_classifier(found)
    assert found.score(X, labels) > 0.5
    with pytest.raises(AttributeError, match="no attribute 'predict_proba'"):
        weigh.WeightedEnsemble(MODELS).predict_proba  # noqa: B018


def test_quantile_regressors_are_fitted_for_each_level():
    X, y = data()
    models = [("flat", QuantileRegressor(alpha=10.0)), ("line", QuantileRegressor(alpha=0.0))]
    found = weigh.WeightedEnsemble(models, loss="pinball", levels=[0.1, 0.5, 0.9], groups="level").fit(X, y)
    assert found.weights_.shape == (3, 2)
    said = found.predict(X)
    assert said.shape == (120, 3)
    assert (np.diff(said, axis=1) >= 0).all()
    assert np.mean(y <= said[:, 2]) == pytest.approx(0.9, abs=0.06)
    assert found.score(X, y) == pytest.approx(-np.mean([
        np.maximum(t * (y - q), (t - 1) * (y - q)) for t, q in zip([0.1, 0.5, 0.9], said.T, strict=True)
    ]))  # fmt: skip


def test_parameters_of_the_models_can_be_searched():
    X, y = data(60)
    search = GridSearchCV(weigh.WeightedEnsemble(MODELS, cv=2), {"line__alpha": [1e-3, 1e3]}, cv=2).fit(X, y)
    assert search.best_params_ == {"line__alpha": 1e-3}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"estimators": []}, "estimators must be a list"),
        ({"estimators": [LinearRegression()]}, "estimators must be a list"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"loss": "pinball"}, "levels must be given"),
        ({"loss": "pinball", "levels": 0.5, "estimators": [("a", LinearRegression())]}, "quantile or alpha"),
    ],
)
def test_messages_name_the_parameter(arguments, says):
    with pytest.raises(ValueError, match=says):
        weigh.WeightedEnsemble(**{"estimators": MODELS, **arguments}).fit(*data(20))
