"""Information-theoretic metric learning as scikit-learn estimators; imported when first used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, needs_sklearn
from .._info import Info
from .._progress import progress_of
from .._spelling import shown
from .._validate import (
    check_choice,
    check_count,
    check_positive,
    check_progress,
    check_room,
    check_steps,
    real_array,
    seed_words,
)

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_array
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise needs_sklearn("metric") from error

from .._random_state import generator

Array = npt.NDArray[np.float64]
VARIANTS = ("itml", "project-and-forget")
# Points that the default bounds are taken from, at most.
_MOST_POINTS = 1500


@dataclass(frozen=True, kw_only=True)
class MetricLearningInfo(Info):
    """Info of a learned metric. `error_bound` is (objective - lower_bound) / max(objective, 1), in nats;
    ``trace`` has it a sweep as last computed.

    Attributes
    ----------
    objective : float
        LogDet divergence from the prior plus gamma times that of the slacks, at the matrix returned. For
        variant='project-and-forget' that of its own problem: gamma = 1, squared bounds over gamma.
    lower_bound : float
        No matrix has an objective below this.
    active : int
        Constraints with a positive dual.
    steps : int
        Constraints looked at.
    """

    objective: float
    lower_bound: float
    active: int
    steps: int


class _Mahalanobis(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both estimators offer once `components_` is known."""

    def __init__(
        self,
        gamma: float = 1.0,
        *,
        prior: Any = "identity",
        variant: str = "itml",
        tol: float = 1e-3,
        max_iter: int = 1000,
        random_state: Any = None,
        progress: Any = None,
        verbose: bool | int = False,
    ) -> None:
        self.gamma = gamma
        self.prior = prior
        self.variant = variant
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.progress = progress
        self.verbose = verbose

    def transform(self, X: Any) -> Array:
        """Map points so that Euclidean distances are the learned ones.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples, n_features)
            ``X @ components_.T``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(X @ self.components_.T)

    def get_mahalanobis_matrix(self) -> Array:
        """The matrix A of the squared distance (x - y)' A (x - y).

        Returns
        -------
        ndarray, shape (n_features, n_features)
            Symmetric positive definite.
        """
        check_is_fitted(self)
        return np.asarray(self.components_.T @ self.components_)

    def pair_distance(self, pairs: Any) -> Array:
        """Learned distances within pairs.

        Parameters
        ----------
        pairs : array_like, shape (n_pairs, 2, n_features)

        Returns
        -------
        ndarray, shape (n_pairs,)
        """
        check_is_fitted(self)
        pairs = _check_pairs(pairs, self.n_features_in_)
        moved = (pairs[:, 0] - pairs[:, 1]) @ self.components_.T
        return np.asarray(np.sqrt(np.square(moved).sum(axis=1)))

    def pair_score(self, pairs: Any) -> Array:
        """The opposite of `pair_distance`: large for similar points.

        Parameters
        ----------
        pairs : array_like, shape (n_pairs, 2, n_features)

        Returns
        -------
        ndarray, shape (n_pairs,)
        """
        return -self.pair_distance(pairs)

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def _learn(self, X: Array, pairs: _Pairs, bounds: Any, rng: np.random.Generator) -> None:
        gamma = check_positive(self.gamma, "gamma")
        variant = check_choice(self.variant, "variant", VARIANTS)
        tol = check_positive(self.tol, "tol")
        sweeps = check_steps(self.max_iter, "max_iter")
        root = _root_of_prior(self.prior, X)
        near, far = _bounds((X - X[0]) @ root, bounds, rng)
        points, pairs = _in_units_of_the_prior(X, pairs, None if _is_identity(root) else root)
        # In about units of the far bound neither squares nor their inverses over- or underflow; a power of
        # two rounds nothing.
        unit = math.ldexp(1.0, math.frexp(far)[1] - 1)
        words = seed_words(rng)
        # The paper's step alpha = s/2 (1/p - gamma/xi) is that of gamma = 1 for squared bounds over gamma.
        shrink = 1.0 if variant == "itml" else gamma
        with progress_of(self.verbose, type(self).__name__, check_progress(self.progress)) as progress:
            found = _core.metric._learn_metric(
                np.ascontiguousarray(points / unit),
                pairs.first,
                pairs.second,
                pairs.similar,
                pairs.labels,
                (near / unit) ** 2 / shrink,
                (far / unit) ** 2 / shrink,
                gamma / shrink,
                tol,
                sweeps,
                words,
                progress,
            )
        self.bounds_ = np.array([near, far])
        self.components_ = _components(found["matrix"], root)
        self.info_ = _info(found, tol, near, far)
        self.n_iter_ = self.info_.iterations
        finish(self, type(self).__name__, info=self.info_)


@dataclass(frozen=True)
class _Pairs:
    """Listed pairs, or all pairs of labelled points."""

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    similar: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int32] | None = None


def _listed(first: Any, second: Any, similar: Any) -> _Pairs:
    return _Pairs(
        np.ascontiguousarray(first, np.int32),
        np.ascontiguousarray(second, np.int32),
        np.ascontiguousarray(similar, np.int8),
    )


def _is_identity(root: Array) -> bool:
    return bool((root == np.eye(len(root))).all())


def _in_units_of_the_prior(X: Array, pairs: _Pairs, root: Array | None) -> tuple[Array, _Pairs]:
    """Points and pairs of them, with as many digits of each difference as there can be.

    What is rounded before it is subtracted costs the difference of near points its digits: the differences of
    listed pairs are taken first, and stand as points beside the origin.
    """
    if root is None:
        return X, pairs
    if pairs.labels is not None:
        return (X - X[0]) @ root, pairs
    apart = (X[pairs.first] - X[pairs.second]) @ root
    count = np.arange(len(apart))
    return np.vstack([apart, np.zeros_like(X[:1])]), _listed(
        count, np.full_like(count, len(apart)), pairs.similar
    )


def _info(found: dict[str, Any], tol: float, near: float, far: float) -> MetricLearningInfo:
    raw = found["info"]
    bound = raw["error_bound"] if np.isfinite(raw["error_bound"]) else None
    notes = [] if raw["converged"] else [f"bounded to {raw['error_bound']:.1e}; raise max_iter or tol"]
    if found["skipped"]:
        notes.append(f"{found['skipped']} pairs of equal points say nothing")
    if near > far:
        notes.append(f"near={near:g} exceeds far={far:g}: distances between them suit both kinds of pairs")
    return MetricLearningInfo.from_core(
        raw,
        error_bound=bound,
        tol=tol,
        objective=found["upper"],
        lower_bound=found["lower"],
        active=found["active"],
        steps=found["steps"],
        message="; ".join(notes),
    )


def _root_of_prior(prior: Any, X: Array) -> Array:
    """L with A0 = L L'."""
    d = X.shape[1]
    if isinstance(prior, str):
        check_choice(prior, "prior", ("identity", "covariance"))
        if prior == "identity":
            return np.eye(d)
        covariance = np.atleast_2d(np.cov(X, rowvar=False))
        values = np.linalg.eigvalsh(covariance)
        if not values[0] > 1e-12 * values[-1]:
            raise ValueError(
                "prior='covariance' needs linearly independent features; drop some or take prior='identity'"
            )
        lower = np.linalg.cholesky(covariance)
        return np.linalg.inv(lower).T
    matrix = real_array(prior, "prior").astype(np.float64)
    if matrix.shape != (d, d) or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise ValueError(
            f"prior must be a finite symmetric matrix of shape {(d, d)}, got shape {matrix.shape}"
        )
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        raise ValueError("prior must be positive definite") from None


def _bounds(points: Array, bounds: Any, rng: np.random.Generator) -> tuple[float, float]:
    """Distances that similar pairs should not exceed and dissimilar ones should."""
    if bounds is not None:
        given = real_array(bounds, "bounds").astype(np.float64)
        if given.shape != (2,) or not np.isfinite(given).all() or not (given > 0).all():
            raise ValueError(f"bounds must be two positive distances (near, far), got {shown(bounds)}")
        if not 1e-100 < given[0] / given[1] < 1e100:
            raise ValueError(f"bounds must be within a factor of 1e100 of each other, got {shown(bounds)}")
        return float(given[0]), float(given[1])
    if len(points) > _MOST_POINTS:
        points = points[rng.choice(len(points), _MOST_POINTS, replace=False)]
    centred = points - points.mean(axis=0)
    norms = np.square(centred).sum(axis=1)
    squares = norms[:, None] + norms - 2.0 * (centred @ centred.T)
    apart = np.sqrt(np.maximum(squares[np.triu_indices(len(points), 1)], 0.0))
    near, far = np.percentile(apart, (5.0, 50.0)) if len(apart) else (0.0, 0.0)
    if not far > 0:
        raise ValueError("X must have points that differ: their distances give the bounds")
    return max(float(near), 1e-4 * float(far)), float(far)


def _components(matrix: Array, root: Array) -> Array:
    """C with C'C = root matrix root'."""
    try:
        return np.asarray((root @ np.linalg.cholesky(matrix)).T)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        tiny = np.finfo(float).eps * values.max()
        return np.asarray((root @ (vectors * np.sqrt(np.maximum(values, tiny)))).T)


def _check_pairs(pairs: Any, features: int | None) -> Array:
    pairs = check_array(
        pairs, allow_nd=True, ensure_2d=False, dtype=np.float64, input_name="pairs", ensure_min_samples=1
    )
    if pairs.ndim != 3 or pairs.shape[1] != 2 or pairs.shape[2] < 1:
        raise ValueError(f"pairs must have shape (n_pairs, 2, n_features), got {pairs.shape}")
    if features is not None and pairs.shape[2] != features:
        raise ValueError(f"pairs must have {features} features, got {pairs.shape[2]}")
    if (largest := float(np.abs(pairs).max())) > 1e153:
        raise ValueError(f"pairs must lie within +-1e153, or squares overflow; got {largest:.3g}: scale them")
    return np.asarray(pairs)


class ITML(_Mahalanobis):
    """A Mahalanobis metric under which similar pairs are near and dissimilar ones far.

    The matrix nearest to a prior in LogDet divergence, with slack: information-theoretic metric learning
    [1]_, with a proven gap.

    Parameters
    ----------
    gamma : float, default 1.0
        Weight of the slacks: large values hold the pairs to their bounds.
    prior : {'identity', 'covariance'} or array_like of shape (n_features, n_features), default 'identity'
        'covariance': the inverse of the points' covariance. A matrix must be positive definite.
    variant : {'itml', 'project-and-forget'}, default 'itml'
        The step of [1]_, or that of the truly stochastic variant of [2]_. They agree for gamma = 1; otherwise
        the latter solves the problem of [1]_ with gamma = 1 and bounds divided by sqrt(gamma), which is what
        `info_` then speaks of.
    tol : float, default 1e-3
        Stop when the duality gap is at most tol times the objective (or tol, if that is below 1).
    max_iter : int, default 1000
        Sweeps of as many random steps as there are pairs. Random order matters: in cyclic order the same data
        can take hundreds of times as many. `ITMLSupervised` on all pairs takes each pair once a sweep, by
        random groups of points.
    random_state : int, RandomState or None, default None
        Order of the steps.
    progress : callable, optional
        Called as progress(sweep, max_iter).
    verbose : bool or int, default False
        Whether `fit` shows its progress, as `steelyard.progress_bar` does; `progress` goes first.

    Attributes
    ----------
    components_ : ndarray, shape (n_features, n_features)
        ``components_.T @ components_`` is the learned matrix.
    bounds_ : ndarray, shape (2,)
        Distances, under the prior, that similar pairs should not exceed and dissimilar pairs should.
    info_ : MetricLearningInfo
    n_iter_ : int
    n_features_in_ : int

    Notes
    -----
    Fitted on pairs (tag ``three_d_array``): the checks of scikit-learn's `check_estimator` that fit rows of a
    table are refused. `ITMLSupervised` takes rows and passes them all.

    Squared distances are held to squared bounds; metric-learn 0.7.0 holds squared distances to bounds that
    are not squared, so that its results differ in scale. O(n_features^2) a step; memory 8 bytes a pair beside
    the points (with a prior, the differences of the pairs).

    References
    ----------
    .. [1] J. V. Davis, B. Kulis, P. Jain, S. Sra and I. S. Dhillon, "Information-theoretic metric learning",
       ICML (2007).
    .. [2] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).

    Examples
    --------
    The second feature is noise:

    >>> import numpy as np
    >>> from steelyard import metric
    >>> rng = np.random.default_rng(0)
    >>> pairs = rng.normal(size=(200, 2, 2))
    >>> y = np.where(np.abs(pairs[:, 0, 0] - pairs[:, 1, 0]) < 1, 1, -1)
    >>> A = metric.ITML(random_state=0).fit(pairs, y).get_mahalanobis_matrix()
    >>> bool(A[0, 0] > 5 * A[1, 1])
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, pairs: Any, y: Any, bounds: Any = None) -> ITML:
        """Learn from pairs.

        Parameters
        ----------
        pairs : array_like, shape (n_pairs, 2, n_features)
        y : array_like of 1 and -1, shape (n_pairs,)
            Similar and dissimilar.
        bounds : sequence of two floats, optional
            Distances near, far > 0. Default: the 5th and 50th percentile of the distances between the
            points of all pairs (of 1,500 of them, if there are more). The 95th instead of the 50th, as Davis
            et al. have it, asks most dissimilar pairs to move apart: fewer neighbours were right on digits.
            near above far, as metric-learn takes it too, leaves distances between them alone;
            ``info_.message`` says so.

        Returns
        -------
        ITML
            Itself.
        """
        pairs = _check_pairs(pairs, None)
        kinds = real_array(y, "y")
        if kinds.shape != (len(pairs),) or not np.isin(kinds, (-1, 1)).all():
            raise ValueError(f"y must be 1 (similar) or -1 (dissimilar) for each of {len(pairs)} pairs")
        self.n_features_in_ = pairs.shape[2]
        X, place = np.unique(pairs.reshape(-1, pairs.shape[2]), axis=0, return_inverse=True)
        first, second = place.reshape(-1, 2).T
        rng = generator(self.random_state)
        self._learn(X, _listed(first, second, kinds == 1), bounds, rng)
        return self


class ITMLSupervised(_Mahalanobis):
    """A Mahalanobis metric from labels: points of a class near, points of different classes far.

    `ITML` on pairs of labelled points; they are not stored where all are used.

    Parameters
    ----------
    gamma : float, default 1.0
        As for `ITML`.
    n_constraints : int or 'all', default 1000
        Pairs of each kind to draw, or all pairs.
    prior, variant, tol, max_iter
        As for `ITML`.
    random_state : int, RandomState or None, default None
        Pairs drawn and order of the steps.
    progress : callable, optional
        Called as progress(sweep, max_iter).
    verbose : bool or int, default False
        Whether `fit` shows its progress, as `steelyard.progress_bar` does; `progress` goes first.

    Attributes
    ----------
    components_ : ndarray, shape (n_features, n_features)
    bounds_ : ndarray, shape (2,)
    info_ : MetricLearningInfo
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Notes
    -----
    With n_constraints='all' a sweep is n (n - 1) / 2 steps; 8 bytes a pair and three copies of the points are
    held. The pairs of 16 points at a time share their products with the matrix: with many features a step is
    several times cheaper than on pairs that were drawn or given. With a prior beside it, bounds are those of
    the points times the prior's root, as float64 rounds them. Accuracies of 5 nearest neighbours beside
    metric-learn's are in benchmarks/README.md.

    References
    ----------
    See `ITML`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from steelyard import metric
    >>> X, y = load_iris(return_X_y=True)
    >>> model = metric.ITMLSupervised(n_constraints="all", random_state=0).fit(X, y)
    >>> model.transform(X).shape
    (150, 4)
    >>> bool(model.info_.error_bound <= 1e-3)
    True
    """

    def __init__(
        self,
        gamma: float = 1.0,
        *,
        n_constraints: int | str = 1000,
        prior: Any = "identity",
        variant: str = "itml",
        tol: float = 1e-3,
        max_iter: int = 1000,
        random_state: Any = None,
        progress: Any = None,
        verbose: bool | int = False,
    ) -> None:
        super().__init__(
            gamma,
            prior=prior,
            variant=variant,
            tol=tol,
            max_iter=max_iter,
            random_state=random_state,
            progress=progress,
            verbose=verbose,
        )
        self.n_constraints = n_constraints

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any, bounds: Any = None) -> ITMLSupervised:
        """Learn from labels.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)
            Class labels of any kind; the number -1 means unlabelled, as elsewhere in scikit-learn: such
            points are left out.
        bounds : sequence of two floats, optional
            Distances near, far > 0. Default: as for `ITML`.

        Returns
        -------
        ITMLSupervised
            Itself.

        Raises
        ------
        ValueError
            If y has -1 and fewer than two classes beside it, as where -1 and 1 were meant as two classes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        X, y = _labelled(X, y)
        _, labels = np.unique(y, return_inverse=True)
        rng = generator(self.random_state)
        if isinstance(self.n_constraints, str):
            check_choice(self.n_constraints, "n_constraints", ("all",))
            none = np.zeros(0, np.int32)
            pairs = _Pairs(none, none, np.zeros(0, np.int8), labels.astype(np.int32))
        else:
            pairs = _drawn(
                labels, check_room(check_count(self.n_constraints, "n_constraints"), "n_constraints", 4), rng
            )
        self._learn(X, pairs, bounds, rng)
        return self


def _labelled(X: Array, y: npt.NDArray[Any]) -> tuple[Array, npt.NDArray[Any]]:
    """The rows whose label is not -1."""
    if y.dtype.kind not in "if" or not (y == -1).any():
        return X, y
    known = y != -1
    kinds = np.unique(y[known])
    if known.sum() < 2 or len(kinds) < 2:
        named = f"{known.sum()} labelled points" + (f", all {kinds[0]}" if len(kinds) == 1 else "")
        raise ValueError(
            f"y must have two classes beside -1, which means unlabelled, got {named}; where -1 is a class, "
            "call it 0"
        )
    return X[known], y[known]


def _drawn(labels: npt.NDArray[np.intp], count: int, rng: np.random.Generator) -> _Pairs:
    """`count` random pairs within classes and as many between them, as far as there are any."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    n = len(labels)
    parts = []
    social = np.flatnonzero(sizes[labels] > 1)
    if len(social):
        first = social[rng.integers(0, len(social), count)]
        own = labels[first]
        # Any other member: the k-th after this one, round about.
        rank = np.empty(n, np.intp)
        rank[order] = np.arange(n) - starts[labels[order]]
        shift = 1 + (rng.random(count) * (sizes[own] - 1)).astype(np.intp)
        second = order[starts[own] + (rank[first] + shift) % sizes[own]]
        parts.append((first, second, np.ones(count, bool)))
    if len(sizes) > 1:
        first = rng.integers(0, n, count)
        own = labels[first]
        shift = (rng.random(count) * (n - sizes[own])).astype(np.intp)
        second = order[(starts[own + 1] + shift) % n]
        parts.append((first, second, np.zeros(count, bool)))
    return _listed(*(np.concatenate(column) for column in zip(*parts, strict=True)))


# Their examples are looked for here, whatever module they name.
__test__ = {"ITML": ITML, "ITMLSupervised": ITMLSupervised}
