"""`balance` and `match_samples` for scikit-learn; imported when first used, as scikit-learn is an extra."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import needs_sklearn
from .._validate import check_choice, real_array
from ._arms import ESTIMANDS
from ._balance import balance
from ._match import match_samples

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_array, validate_data
except ImportError as error:
    raise needs_sklearn("weigh") from error


class BalancingWeights(BaseEstimator):  # type: ignore[misc]
    """Weights that make the groups of a study alike; see `balance`.

    Parameters
    ----------
    estimand : {'ate', 'att', 'atc', 'population'}, default 'ate'
        As for `balance`. 'ate' needs no `treated`.
    treated : label, optional
        As for `balance`.
    kernel, scale, standardize, ridge, tol, n_threads
        As for `balance`.

    Attributes
    ----------
    weights_ : ndarray of float64, shape (n_samples,)
        Sum 1 an arm; for `sample_weight` of another estimator's `fit`.
    classes_ : ndarray
        The arms.
    balance_ : Balance
        The whole result: differences, effective sizes, effects.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Raises
    ------
    ValueError
        At `fit`, if a parameter or an argument does not fit.

    Examples
    --------
    >>> from steelyard import datasets, weigh
    >>> nsw = datasets.load_nsw().columns
    >>> X = np.column_stack([nsw["age"], nsw["educ"], nsw["re75"]])
    >>> weights = weigh.BalancingWeights(estimand="att").fit(X, nsw["treat"]).weights_
    >>> print(weights[nsw["treat"] == 0].sum().round(6))
    1.0
    """

    def __init__(
        self,
        estimand: str = "ate",
        *,
        treated: Any = None,
        kernel: str = "energy",
        scale: float | str = "median",
        standardize: bool = True,
        ridge: float = 0.0,
        tol: float = 1e-4,
        n_threads: int | None = None,
    ) -> None:
        self.estimand = estimand
        self.treated = treated
        self.kernel = kernel
        self.scale = scale
        self.standardize = standardize
        self.ridge = ridge
        self.tol = tol
        self.n_threads = n_threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BalancingWeights:
        """Weigh the rows.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Covariates.
        y : array_like, shape (n_samples,)
            The arm of each row.
        sample_weight : array_like, shape (n_samples,), optional
            As for `balance`.

        Returns
        -------
        BalancingWeights
            Itself.
        """
        word = check_choice(self.estimand, "estimand", ESTIMANDS)
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        if y.dtype.kind == "m":
            raise TypeError(f"y must hold labels, the arms, got dtype {y.dtype}")
        try:
            arms, treated = np.unique(y), self.treated
        except TypeError:
            raise TypeError("y must hold labels of one kind, the arms, none of them missing") from None
        if len(arms) < 2:
            raise ValueError(f"y must have at least two values, the arms, got {arms[0]!r} alone")
        if treated is None and word == "ate":
            treated = arms.tolist()[-1]
        self.balance_ = balance(
            X,
            y,
            treated=treated,
            estimand=word,
            kernel=self.kernel,
            scale=self.scale,
            standardize=self.standardize,
            ridge=self.ridge,
            sample_weight=sample_weight,
            tol=self.tol,
            n_threads=self.n_threads,
        )
        self.weights_ = self.balance_.weights.copy()
        self.classes_ = self.balance_.arms
        return self


class SampleMatcher(BaseEstimator):  # type: ignore[misc]
    """Weights that make one sample like another; see `match_samples`.

    Parameters
    ----------
    kernel, scale, standardize, upper, double, tol, n_threads
        As for `match_samples`.

    Attributes
    ----------
    weights_ : ndarray of float64, shape (n_samples,)
        Of the source, mean 1 (but with `double`); for `sample_weight` of another estimator's `fit`.
    target_weights_ : ndarray of float64, shape (n_targets,)
        Of the target.
    match_ : SampleMatch
        The whole result.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Raises
    ------
    ValueError
        At `fit`, if a parameter or an argument does not fit.

    Notes
    -----
    ``y`` of `fit` is the target sample, a table of its own with as many columns as ``X`` and any number of
    rows. scikit-learn's common checks, which hand over a column of labels there, hold but for those.

    Examples
    --------
    >>> from steelyard import weigh
    >>> rng = np.random.default_rng(0)
    >>> matcher = weigh.SampleMatcher(upper=10).fit(rng.normal(size=(90, 1)), rng.normal(1, 1, size=(50, 1)))
    >>> print(matcher.weights_.mean().round(6))
    1.0
    """

    def __init__(
        self,
        *,
        kernel: str = "gaussian",
        scale: float | str = "median",
        standardize: bool = True,
        upper: float = 1000.0,
        double: float | None = None,
        tol: float = 1e-6,
        n_threads: int | None = None,
    ) -> None:
        self.kernel = kernel
        self.scale = scale
        self.standardize = standardize
        self.upper = upper
        self.double = double
        self.tol = tol
        self.n_threads = n_threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        return tags

    def fit(self, X: Any, y: Any) -> SampleMatcher:
        """Weigh the source.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            The source: the rows to weight.
        y : array_like, shape (n_targets, n_features)
            The target: what they should be like.

        Returns
        -------
        SampleMatcher
            Itself.
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None: give the target sample")
        X = real_array(validate_data(self, X, ensure_min_samples=2), "X")
        y = real_array(check_array(y, input_name="y"), "y")
        if y.shape[1] != X.shape[1]:
            raise ValueError(f"y must have {X.shape[1]} columns, as X, got {y.shape[1]}")
        self.match_ = match_samples(
            X,
            y,
            kernel=self.kernel,
            scale=self.scale,
            standardize=self.standardize,
            upper=self.upper,
            double=self.double,
            tol=self.tol,
            n_threads=self.n_threads,
        )
        self.weights_ = self.match_.source_weights.copy()
        self.target_weights_ = self.match_.target_weights.copy()
        return self


# Their examples are looked for here, whatever module they name.
__test__ = {"BalancingWeights": BalancingWeights, "SampleMatcher": SampleMatcher}
