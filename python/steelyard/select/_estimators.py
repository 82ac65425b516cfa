"""k-means and k-medoids as scikit-learn estimators; imported when first used."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import needs_sklearn
from .._points import nearest_centers, shift_of
from .._validate import check_choice, check_count, check_threads
from ._kmeans import kmeans
from ._medoids import medoids

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise needs_sklearn("select") from error

from .._random_state import generator

Floats = npt.NDArray[np.float64]
_FLOATS = (np.float64, np.float32)


class _Centred(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """What both offer once `cluster_centers_` is known."""

    def _fit(self, X: Any, sample_weight: Any) -> None:
        """Clusters by the best of `n_init` starts."""
        starts = check_count(self.n_init, "n_init")
        rng = generator(self.random_state)
        found = [self._run(X, sample_weight, rng) for _ in range(starts)]
        self.result_: Any = min(found, key=lambda one: one.cost)
        self.labels_: npt.NDArray[np.intp] = np.array(self.result_.labels)
        self.inertia_: float = self.result_.cost
        self.n_iter_: int = max(1, self.result_.info.iterations)

    def _run(self, X: Any, sample_weight: Any, rng: np.random.Generator) -> Any:
        raise NotImplementedError

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def _read(self, X: Any) -> npt.NDArray[Any]:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=_FLOATS, order="C", reset=False))

    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """The nearest centre of each row.

        Parameters
        ----------
        X : array_like, shape (n, n_features)

        Returns
        -------
        ndarray of int, shape (n,)
        """
        X = _directions(self._read(X), self.metric)
        largest = max(float(np.abs(X).max()), float(np.abs(self.cluster_centers_).max()))
        shift = shift_of(largest, X)
        return nearest_centers(X, self.cluster_centers_, check_threads(self.n_threads), shift)[0]

    def transform(self, X: Any) -> Floats:
        """Distances to the centres.

        Parameters
        ----------
        X : array_like, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, n_clusters)
            Euclidean; for metric='cosine' between rows scaled to length 1.
        """
        X = _directions(self._read(X), self.metric).astype(np.float64)
        centers = self.cluster_centers_.astype(np.float64)
        return np.asarray(
            _core.weigh._cross_distances(X, centers, "euclidean", n_threads=check_threads(self.n_threads))
        )


def _directions(X: npt.NDArray[Any], metric: str) -> npt.NDArray[Any]:
    if metric != "cosine":
        return X
    size = np.linalg.norm(X, axis=1, keepdims=True)
    if not size.all():
        raise ValueError("X has rows that are 0, which have no direction: metric='cosine' can't place them")
    return np.asarray(X / size, dtype=X.dtype)


class KMeans(_Centred):
    """k-means, spherical k-means or k-medians; a scikit-learn estimator.

    Parameters
    ----------
    n_clusters : int, default 8
    init : {'k-means++', 'random'} or array_like of shape (n_clusters, n_features), default 'k-means++'
    n_init : int, default 1
        Starts, of which the cheapest end is kept.
    max_iter, tol, metric, power, n_local_trials, n_threads, progress : optional
        As for `kmeans`.
    random_state : None, int or RandomState, optional

    Attributes
    ----------
    cluster_centers_ : ndarray, shape (n_clusters, n_features)
        Fewer where fewer points differ.
    labels_ : ndarray of int, shape (n_samples,)
    inertia_ : float
        The cost: sum of weight * distance^power.
    result_ : KMeansResult
    n_iter_, n_features_in_ : int

    See Also
    --------
    kmeans : The function, which reads memory-mapped files where they lie.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.2], [9.0], [9.2]])
    >>> model = KMeans(2, random_state=0).fit(X)
    >>> print(np.sort(model.cluster_centers_[:, 0]).round(1), model.predict([[1.0]]) == model.labels_[0])
    [0.1 9.1] [ True]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-4,
        metric: str = "euclidean",
        power: int = 2,
        n_local_trials: int | None = None,
        random_state: Any = None,
        n_threads: int | None = None,
        progress: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.metric = metric
        self.power = power
        self.n_local_trials = n_local_trials
        self.random_state = random_state
        self.n_threads = n_threads
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:
        """Find the centres.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : None
            Not used.
        sample_weight : array_like, shape (n_samples,), optional

        Returns
        -------
        KMeans
            Itself.

        Raises
        ------
        ValueError
            As `kmeans` does.
        """
        check_count(self.n_clusters, "n_clusters")
        X = validate_data(self, X, dtype=_FLOATS, order="C")
        if len(X) < self.n_clusters:
            raise ValueError(f"X has n_samples={len(X)}, fewer than n_clusters={self.n_clusters}")
        self._fit(X, sample_weight)
        self.cluster_centers_ = self.result_.centers
        return self

    def _run(self, X: Any, sample_weight: Any, rng: np.random.Generator) -> Any:
        return kmeans(
            X,
            self.n_clusters,
            init=self.init,
            max_iter=self.max_iter,
            tol=self.tol,
            sample_weight=sample_weight,
            metric=self.metric,
            power=self.power,
            n_local_trials=self.n_local_trials,
            rng=rng,
            n_threads=self.n_threads,
            progress=self.progress,
        )


class KMedoids(_Centred):
    """k-medoids without a matrix of distances, and how cheap any can be; a scikit-learn estimator.

    Parameters
    ----------
    n_clusters : int, default 8
    metric : {'euclidean', 'cosine', 'precomputed'}, default 'euclidean'
        'precomputed': X holds what it costs to let one point stand for another.
    power : float, default 1
    init : {'k-means++', 'random'} or array_like of int, default 'k-means++'
    n_init : int, default 1
        Starts, of which the cheapest end is kept.
    max_iter, n_threads, progress : optional
        As for `medoids`.
    bound_iter : int, default 0
        Passes for ``result_.info.error_bound``: how much cheaper any medoids can be.
    random_state : None, int or RandomState, optional

    Attributes
    ----------
    medoid_indices_ : ndarray of int, shape (n_clusters,)
        Rows of X. Fewer where fewer points differ.
    cluster_centers_ : ndarray, shape (n_clusters, n_features)
        The medoids; of length 1 for metric='cosine'. Their rows of X for metric='precomputed'.
    labels_ : ndarray of int, shape (n_samples,)
    inertia_ : float
        The cost: sum of weight * distance^power.
    result_ : Medoids
    n_iter_, n_features_in_ : int

    See Also
    --------
    medoids : The function.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0]])
    >>> model = KMedoids(2, random_state=0).fit(X)
    >>> print(np.sort(model.medoid_indices_), model.predict([[4.0]]) == model.labels_[0])
    [1 4] [ True]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: str = "euclidean",
        power: float = 1.0,
        init: Any = "k-means++",
        n_init: int = 1,
        max_iter: int = 100,
        bound_iter: int = 0,
        random_state: Any = None,
        n_threads: int | None = None,
        progress: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.power = power
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.bound_iter = bound_iter
        self.random_state = random_state
        self.n_threads = n_threads
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._precomputed
        return tags

    @property
    def _precomputed(self) -> bool:
        return isinstance(self.metric, str) and self.metric == "precomputed"

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMedoids:
        """Find the medoids.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features), or (n_samples, n_samples) if metric='precomputed'
        y : None
            Not used.
        sample_weight : array_like, shape (n_samples,), optional

        Returns
        -------
        KMedoids
            Itself.

        Raises
        ------
        ValueError
            As `medoids` does.
        """
        check_choice(self.metric, "metric", ("euclidean", "cosine", "precomputed"))
        check_count(self.n_clusters, "n_clusters")
        X = validate_data(self, X, dtype=_FLOATS, order="C")
        if len(X) < self.n_clusters:
            raise ValueError(f"X has n_samples={len(X)}, fewer than n_clusters={self.n_clusters}")
        self._fit(X, sample_weight)
        self.medoid_indices_: npt.NDArray[np.intp] = np.array(self.result_.indices)
        self.cluster_centers_ = _directions(X[self.medoid_indices_], self.metric)
        return self

    def _run(self, X: Any, sample_weight: Any, rng: np.random.Generator) -> Any:
        return medoids(
            X,
            self.n_clusters,
            metric=self.metric,
            power=self.power,
            init=self.init,
            max_iter=self.max_iter,
            bound_iter=self.bound_iter,
            sample_weight=sample_weight,
            rng=rng,
            n_threads=self.n_threads,
            progress=self.progress,
        )

    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """The nearest medoid of each row.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            For metric='precomputed' what it costs to let the points of `fit`, the columns, stand for rows.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        return np.asarray(self.transform(X).argmin(axis=1)) if self._precomputed else super().predict(X)

    def transform(self, X: Any) -> Floats:
        """Distances to the medoids, as for `KMeans`; for metric='precomputed' their columns of X.

        Parameters
        ----------
        X : array_like, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, n_clusters)
        """
        return self._read(X)[:, self.medoid_indices_] if self._precomputed else super().transform(X)
