"""Correlation clustering as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import needs_sklearn
from .._progress import progress_of
from .._validate import check_choice, check_positive, check_threads
from ._clustering import correlation_clustering
from ._pairs import Array

try:
    from sklearn.base import BaseEstimator, ClusterMixin
    from sklearn.utils.validation import validate_data
except ImportError as error:
    raise needs_sklearn("metric") from error

from .._random_state import generator

METRICS = ("euclidean", "cityblock", "chebyshev", "hamming", "precomputed")


class CorrelationClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters without their number, with a bound on what any clusters cost; a scikit-learn estimator.

    Parameters
    ----------
    metric : {'euclidean', 'cityblock', 'chebyshev', 'hamming', 'precomputed'}, default 'euclidean'
        A distance d of points: similarities are then exp(-d / scale). 'precomputed': X holds similarities,
        dense or sparse, as `correlation_clustering` takes them.
    resolution : float, default 0.5
        For formulation='graph': pairs with a higher similarity agree. Higher makes smaller clusters.
    scale : float, optional
        Default: the median distance. At resolution .5 pairs nearer than .69 scale agree.
    formulation : {'graph', 'signed', 'wang', 'probability', 'auto'}, default 'graph'
        What similarities say: see `correlation_clustering`.
    relax, tol, max_iter, max_seconds, n_threads, progress : optional
        As for `correlation_clustering`.
    random_state : None, int or RandomState, optional
        For pivots and the local search.
    verbose : bool or int, default False
        Whether `fit` shows its progress, as `steelyard.progress_bar` does; `progress` goes first.

    Attributes
    ----------
    labels_ : ndarray, shape (n_samples,)
        Numbered by first appearance.
    cost_, lower_bound_ : float
        What the labels cost, and what any must cost: proven.
    result_ : CorrelationClustering
        The same, with `info` and, without the relaxation, the cycles that prove the bound.
    scale_ : float or None
        Of the similarities; None where they came with X.
    n_features_in_ : int
        Columns of X.
    n_iter_ : int
        Steps or stages, at least 1.

    See Also
    --------
    correlation_clustering, cluster_edges : With links, graphs, and lists of edges.

    Notes
    -----
    Distances are held for all pairs: 8 n^2 bytes for them and some 50 n^2 for the clustering. For more than a
    few thousand points give sparse similarities, or the edges of a graph of neighbours to `cluster_edges`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1]])
    >>> model = CorrelationClusterer(random_state=0).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1])
    >>> bool(model.lower_bound_ <= model.cost_)
    True
    """

    def __init__(
        self,
        metric: Any = "euclidean",
        *,
        resolution: float = 0.5,
        scale: float | None = None,
        formulation: str = "graph",
        relax: bool | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        random_state: Any = None,
        n_threads: int | None = None,
        progress: Any = None,
        verbose: bool | int = False,
    ) -> None:
        self.metric = metric
        self.resolution = resolution
        self.scale = scale
        self.formulation = formulation
        self.relax = relax
        self.tol = tol
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.n_threads = n_threads
        self.progress = progress
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.sparse = self._precomputed
        return tags

    @property
    def _precomputed(self) -> bool:
        return isinstance(self.metric, str) and self.metric == "precomputed"

    def fit(self, X: Any, y: Any = None) -> CorrelationClusterer:
        """Cluster the rows of X, or by the similarities X.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features), or (n_samples, n_samples) if metric='precomputed'
            Points, or similarities, which may be scipy.sparse.
        y : None
            Not used.

        Returns
        -------
        CorrelationClusterer
            Itself.

        Raises
        ------
        ValueError
            As `correlation_clustering` does. Points that are all the same are no error: all pairs agree.
        """
        check_choice(self.metric, "metric", METRICS)
        X = validate_data(
            self, X, dtype=np.float64, accept_sparse=["csr", "coo"] if self._precomputed else False
        )
        S: Any = X
        self.scale_ = None if self.scale is None else check_positive(self.scale, "scale")
        if not self._precomputed:
            S = self._similarities(X)
        with progress_of(self.verbose, "CorrelationClusterer", self.progress) as progress:
            found = correlation_clustering(
                S,
                formulation=self.formulation,
                resolution=self.resolution,
                relax=self.relax,
                tol=self.tol,
                max_iter=self.max_iter,
                max_seconds=self.max_seconds,
                rng=generator(self.random_state),
                n_threads=self.n_threads,
                progress=progress,
            )
        self.result_ = found
        self.labels_: npt.NDArray[np.intp] = np.array(found.labels)
        self.n_iter_ = max(1, found.info.iterations)
        self.cost_, self.lower_bound_ = found.cost, found.lower_bound
        return self

    def _similarities(self, X: Array) -> Array:
        distances = _core.weigh._cross_distances(X, X, self.metric, n_threads=check_threads(self.n_threads))
        if self.scale_ is None:
            pairs = distances[np.triu_indices(len(X), 1)]
            self.scale_ = (
                (float(np.median(pairs)) if len(pairs) else 0.0) or float(pairs.max(initial=0.0)) or 1.0
            )
        S = np.exp(-distances / self.scale_)
        return np.asarray((S + S.T) / 2)
