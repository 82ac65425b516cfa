"""The ensemble as a scikit-learn estimator; imported when first used, since scikit-learn is an extra."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import needs_sklearn
from .._spelling import shown
from .._validate import check_choice, check_threads
from ._ensembles import LOSSES, ensemble_weights

try:
    from sklearn.base import clone
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import check_cv, cross_val_predict
    from sklearn.utils import ClassifierTags, RegressorTags
    from sklearn.utils.metaestimators import _BaseComposition, available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise needs_sklearn("weigh") from error

Floats = npt.NDArray[np.float64]

_LEAST = 1e-15  # probability that a model is taken to give what it calls impossible


def _if_classes(estimator: Any) -> bool:
    if estimator.loss != "log":
        raise AttributeError("only with loss='log'")
    return True


class WeightedEnsemble(_BaseComposition):  # type: ignore[misc]
    """Models together, weighted by how well they do out of fold.

    Each model predicts every row while fitted to the others' folds; `ensemble_weights` finds the convex
    combination that does best on those; models with weight are fitted again to all rows.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Regressors; classifiers with `predict_proba` for loss='log'; for loss='pinball' regressors with a
        parameter ``quantile`` (else ``alpha``), which is set to each level in turn.
    loss : {'squared', 'pinball', 'log'}, default 'squared'
        As for `ensemble_weights`; 'log' makes it a classifier.
    levels : float or array_like or None, default None
        Quantiles for loss='pinball'; a number makes `predict` give one column as a plain array.
    groups : None, 'level' or sequence of labels
        As for `ensemble_weights`.
    cv : int, splitter or iterable, default 5
        Folds, as scikit-learn takes them; each row must be predicted once.
    n_threads : int, optional
        Default: see `steelyard.build_info`.

    Attributes
    ----------
    weights_ : ndarray, shape (n_estimators,), or (levels, n_estimators) with groups
    result_ : EnsembleWeights
        With the losses of each model alone, out of fold, and the gap.
    estimators_ : list
        Fitted to all rows; None where the weight is 0. With 'pinball' lists, one model a level.
    classes_ : ndarray
        With loss='log'.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Raises
    ------
    ValueError
        At `fit`, if a parameter, X or y does not fit.

    Notes
    -----
    Fits each model cv times, and once more those that have weight. Probabilities below 1e-15 count as that,
    so that no row makes all losses infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import LinearRegression
    >>> from steelyard.weigh import WeightedEnsemble
    >>> X = np.arange(20.0)[:, None]
    >>> models = [("mean", DummyRegressor()), ("line", LinearRegression())]
    >>> WeightedEnsemble(models).fit(X, 2 * X[:, 0]).predict([[30.0]]).round(3)
    array([60.])
    """

    def __init__(
        self,
        estimators: Any,
        *,
        loss: str = "squared",
        levels: Any = None,
        groups: Any = None,
        cv: Any = 5,
        n_threads: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.loss = loss
        self.levels = levels
        self.groups = groups
        self.cv = cv
        self.n_threads = n_threads

    def get_params(self, deep: bool = True) -> Any:
        """Parameters, those of the models as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default True

        Returns
        -------
        dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> WeightedEnsemble:
        """Set parameters, those of the models as ``name__parameter``.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        WeightedEnsemble
            Itself.
        """
        self._set_params("estimators", **params)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.loss == "log":
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            # `score` of quantiles is a loss, at most 0.
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags(poor_score=self.loss == "pinball")
        return tags

    def fit(self, X: Any, y: Any) -> WeightedEnsemble:
        """Predict out of fold, weigh, and fit again.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)

        Returns
        -------
        WeightedEnsemble
            Itself.
        """
        kind = check_choice(self.loss, "loss", LOSSES)
        check_threads(self.n_threads)
        models = self._models()
        X, y = validate_data(self, X, y, ensure_min_samples=2, y_numeric=kind != "log")
        if kind == "log":
            check_classification_targets(y)
            self.classes_, y, sizes = np.unique(y, return_inverse=True, return_counts=True)
            if sizes.min() < 2:
                rare = self.classes_[sizes.argmin()]
                raise ValueError(
                    f"y must hold two rows or more of each class, to hold out one; {shown(rare)} has one"
                )
        folds = list(check_cv(self.cv, y, classifier=kind == "log").split(X, y))
        parts = [self._variants(model) for model in models]
        columns = [self._out_of_fold(own, X, y, folds) for own in parts]
        options: dict[str, Any] = {"loss": kind, "n_threads": self.n_threads}
        if kind == "pinball":
            options |= {"levels": np.atleast_1d(self.levels), "groups": self.groups}
        self.result_ = ensemble_weights(np.stack(columns, axis=1), y, **options)
        self.weights_ = self.result_.weights
        used = [bool(column.any()) for column in np.atleast_2d(self.weights_).T]
        fitted = [
            [clone(one).fit(X, y) for one in own] if u else None for own, u in zip(parts, used, strict=True)
        ]
        self.estimators_: list[Any] = fitted if kind == "pinball" else [own and own[0] for own in fitted]
        return self

    def predict(self, X: Any) -> Any:
        """The combined prediction: a number, quantiles in order, or the likeliest class.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,), or (n_samples, levels)
        """
        mixed = self._mixed(X)
        if self.loss == "log":
            return self.classes_[mixed.argmax(axis=1)]
        return mixed[:, 0] if self.loss == "pinball" and np.ndim(self.levels) == 0 else mixed

    @available_if(_if_classes)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Floats:
        """Mixed probabilities of the classes; only with loss='log'.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        return self._mixed(X)

    def score(self, X: Any, y: Any) -> float:
        """R^2, accuracy with 'log', minus the mean pinball loss with 'pinball'.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)

        Returns
        -------
        float
        """
        predicted = self.predict(X)
        if self.loss == "log":
            return float(accuracy_score(y, predicted))
        if self.loss == "squared":
            return float(r2_score(y, predicted))
        levels = np.atleast_1d(self.levels)
        above = np.asarray(y, dtype=float)[:, None] - predicted.reshape(-1, len(levels))
        return -float(np.maximum(levels * above, (levels - 1) * above).mean())

    def _models(self) -> list[Any]:
        pairs = self.estimators
        if not isinstance(pairs, list | tuple) or not pairs:
            raise ValueError(f"estimators must be a list of (name, estimator), not empty, got {shown(pairs)}")
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise ValueError("estimators must be a list of (name, estimator)")
        self._validate_names([name for name, _ in pairs])
        return [model for _, model in pairs]

    def _variants(self, model: Any) -> list[Any]:
        """The model, or with 'pinball' one for each level."""
        if self.loss != "pinball":
            return [model]
        if self.levels is None:
            raise ValueError("levels must be given with loss='pinball': one for each quantile")
        known = model.get_params(deep=False)
        name = next((n for n in ("quantile", "alpha") if n in known), None)
        if name is None:
            raise ValueError(
                f"estimators must have a parameter quantile or alpha with loss='pinball', got {shown(model)}"
            )
        return [clone(model).set_params(**{name: float(level)}) for level in np.atleast_1d(self.levels)]

    def _out_of_fold(self, own: list[Any], X: Any, y: Any, folds: list[Any]) -> Floats:
        """Shape (n,), (n, classes) or (n, levels)."""
        if self.loss != "log":
            columns = [cross_val_predict(one, X, y, cv=folds) for one in own]
            return np.asarray(
                columns[0] if self.loss == "squared" else np.stack(columns, axis=1), dtype=float
            )
        found = cross_val_predict(own[0], X, y, cv=folds, method="predict_proba")
        found = np.maximum(np.asarray(found, dtype=float), _LEAST)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def _mixed(self, X: Any) -> Floats:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        tail = {"squared": (), "log": (len(getattr(self, "classes_", ())),)}.get(
            self.loss, (np.size(self.levels),)
        )
        columns = []
        for own in self.estimators_:
            if own is None:
                columns.append(np.zeros((len(X), *tail)))
            elif self.loss == "pinball":
                columns.append(np.stack([one.predict(X) for one in own], axis=1))
            else:
                columns.append(own.predict_proba(X) if self.loss == "log" else own.predict(X))
        return self.result_.predict(np.stack(columns, axis=1))
