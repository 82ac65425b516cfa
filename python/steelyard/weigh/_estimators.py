"""scikit-learn estimators; imported when first used, since scikit-learn is an extra."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import needs_sklearn, report
from .._progress import progress_of
from .._validate import (
    Progress,
    check_choice,
    check_count,
    check_flag,
    check_level,
    check_positive,
    check_threads,
    real_array,
)
from ._choice import Request
from ._model import WeightingModel
from ._scales import RULES, median_distance, resolve_scale
from ._spaces import Array, Space, check_space, parse_metric
from ._weighting import weighting

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise needs_sklearn("weigh") from error

KINDS = ("spread", "weight", "differential")
_BLOCK_ENTRIES = 4_000_000
_CV_GRID = np.geomspace(1e-2, 1e2, 17)  # of 1 / median distance


def _points_only(metric: str, who: str) -> None:
    if parse_metric(metric)[0] == "precomputed":
        raise ValueError(f"metric must be one of points for {who}, got 'precomputed'")


def _if_novelty(estimator: Any) -> bool:
    if not estimator.novelty:
        raise AttributeError("only with novelty=True; with novelty=False there is fit_predict")
    return True


def _if_not_novelty(estimator: Any) -> bool:
    if estimator.novelty:
        raise AttributeError("only with novelty=False; with novelty=True use predict on new data")
    return True


class MagnitudeOutlierDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Outliers: points that add much to the effective number of points.

    Features are taken as they are: standardise them first if their units differ.

    Parameters
    ----------
    kind : {'spread', 'weight', 'differential'}, default 'spread'
        What counts as outlying; about 1 for a point far from all others, near 0 for one among many.

        - 'spread': 1 / (1 + sum of the similarities to the other points), its share of Willerton's spread:
          a kernel density in disguise, without a linear system.
        - 'weight': the weight of the point in the set, which its copies share.
        - 'differential': by how much the magnitude would fall without it (grow with it, if it is new);
          near 0 for a point beside another, 0 for copies.

        Mean areas under the ROC curve on eight tables of ADBench (``benchmarks/weigh/bench_outliers.py``):
        spread .902, weight .881, differential .865; distance to the 5th neighbour .892, isolation forest
        .874, one-class SVM .841, LOF .779. All three are behind isolation forest and one-class SVM on
        cardio (by .08 to .18) and behind the 5th neighbour on Ionosphere and vowels.
        On 40 imbalanced tables of KEEL: spread .771, differential .751, weight .742; 5th neighbour .760,
        isolation forest .743, one-class SVM .719, LOF .713. Middle to upper field, not above it.
    scale : float or str, default 'fraction'
        As for `weighting`. A scale chosen by the fraction serves well; a small fixed one is near chance.
    fraction : float, default 0.3
        For scale='fraction': the magnitude as a fraction of the number of distinct points.
    metric : str, default 'euclidean'
        As for `weighting`, but not 'precomputed'.
    contamination : 'auto' or float in (0, 0.5], default 'auto'
        A float flags that share of the training points. 'auto' flags what scores nearer to 1, a point
        without neighbours, than to the mean score of the training points.
    novelty : bool, default False
        False: `fit_predict` judges the training points. True: `predict`, `decision_function` and
        `score_samples` judge any points; a copy of a training point is judged as that point.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    verbose : bool or int, default False
        Whether `fit` shows its progress, as `steelyard.progress_bar` does; 'spread' and 'differential' at a
        fixed scale are one step.

    Attributes
    ----------
    scores_ : ndarray, shape (n_samples,)
        Outlier scores of the training points as described under `kind`; large is outlying.
    negative_outlier_factor_ : ndarray, shape (n_samples,)
        ``-scores_``, under the name that scikit-learn's LocalOutlierFactor uses.
    offset_ : float
        ``decision_function(X) == score_samples(X) - offset_``; negative is an outlier.
    scale_ : float
        The scale in use, in units of 1 / distance.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Raises
    ------
    ValueError
        At `fit`, if a parameter or X does not fit.

    Notes
    -----
    'weight' costs what `weighting` costs, 'spread' what `spread` costs: O(n^2 d) time, or O(n) by a far field
    (euclidean, many points of up to 3 features), and O(n d) memory. 'differential', and
    'weight' with novelty=True, hold a dense Cholesky factor: O(n^3) time, 8 n^2 bytes, up to 30,000
    distinct points, positive definite metrics.

    References
    ----------
    .. [1] Bunch et al., "Practical applications of metric space magnitude and weighting vectors",
       arXiv 2006.14063; "Weighting vectors for machine learning", arXiv 2106.00827.
    .. [2] Willerton, "Spread: a measure of the size of metric spaces", IJCGA 25 (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard import weigh
    >>> X = np.append(np.random.default_rng(0).normal(size=(50, 2)), [[6.0, 6.0]], axis=0)
    >>> flags = weigh.MagnitudeOutlierDetector(contamination=0.02).fit_predict(X)
    >>> print(np.flatnonzero(flags == -1))
    [50]
    """

    def __init__(
        self,
        kind: str = "spread",
        *,
        scale: float | str = "fraction",
        fraction: float = 0.3,
        metric: str = "euclidean",
        contamination: float | str = "auto",
        novelty: bool = False,
        n_threads: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.kind = kind
        self.scale = scale
        self.fraction = fraction
        self.metric = metric
        self.contamination = contamination
        self.novelty = novelty
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> MagnitudeOutlierDetector:
        """Score the training points.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        MagnitudeOutlierDetector
            Itself.
        """
        check_choice(self.kind, "kind", KINDS)
        check_flag(self.novelty, "novelty")
        _points_only(self.metric, "MagnitudeOutlierDetector")
        contamination = self._contamination()
        X = real_array(validate_data(self, X, ensure_min_samples=2), "X")
        space = check_space(X, self.metric)
        with progress_of(self.verbose, "MagnitudeOutlierDetector") as progress:
            self._score(X, space, progress)
        if contamination is None:
            self.offset_ = -0.5 * (1.0 + float(self.scores_.mean()))
        else:
            self.offset_ = float(np.percentile(-self.scores_, 100.0 * contamination))
        return self

    def _score(self, X: Array, space: Space, progress: Progress | None) -> None:
        self.scale_ = self._chosen_scale(space, progress)
        if self.kind == "spread":
            self._space = space
            self.scores_ = self._spread_of_training(space, progress)
        elif self.kind == "weight" and not self.novelty:
            found = weighting(
                X, scale=self.scale_, metric=self.metric, n_threads=self.n_threads, progress=progress
            )
            self.scores_ = np.array(found.weights)
        else:
            self._model = WeightingModel(X, scale=self.scale_, metric=self.metric, n_threads=self.n_threads)
            scores = self._model.weights if self.kind == "weight" else self._model.leave_one_out
            self.scores_ = np.array(scores)

    @property
    def negative_outlier_factor_(self) -> Array:
        """The opposite of `scores_`."""
        return -self.scores_

    @available_if(_if_not_novelty)  # type: ignore[untyped-decorator]
    def fit_predict(self, X: Any, y: Any = None) -> npt.NDArray[np.intp]:
        """Judge the points themselves; only with novelty=False.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        ndarray of int, shape (n_samples,)
            -1 for outliers, 1 for the rest.
        """
        return _as_labels(-self.fit(X).scores_ - self.offset_)

    @available_if(_if_novelty)  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """Judge points; only with novelty=True.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray of int, shape (n_samples,)
            -1 for outliers, 1 for the rest.
        """
        return _as_labels(self.decision_function(X))

    @available_if(_if_novelty)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """``score_samples(X) - offset_``; only with novelty=True.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,)
            Negative for outliers.
        """
        return cast("Array", self.score_samples(X) - self.offset_)

    @available_if(_if_novelty)  # type: ignore[untyped-decorator]
    def score_samples(self, X: Any) -> Array:
        """The opposite of the outlier scores of new points; only with novelty=True.

        Each point is judged as if it alone joined the training points; a copy of a training point gets that
        point's score.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,)
        """
        check_is_fitted(self)
        X = real_array(validate_data(self, X, reset=False), "X")
        if self.kind == "spread":
            return -self._spread_of_new(X)
        found = self._model.score_new(X)
        scores = found.weights if self.kind == "weight" else found.gains
        return -np.where(found.copies >= 0, self.scores_[found.copies], scores)

    def _contamination(self) -> float | None:
        if isinstance(self.contamination, str):
            check_choice(self.contamination, "contamination", ("auto",))
            return None
        share = check_positive(self.contamination, "contamination")
        if share > 0.5:
            raise ValueError(f"contamination must be 'auto' or in (0, 0.5], got {share}")
        return share

    def _chosen_scale(self, space: Space, progress: Progress | None) -> float:
        fraction = check_level(self.fraction, "fraction")
        if not isinstance(self.scale, str):
            return check_positive(self.scale, "scale")
        check_choice(self.scale, "scale", RULES)
        if space.n_unique == 1 or (self.scale == "fraction" and fraction * space.n_unique <= 1.0):
            # Too few points for the rule: the magnitude is at least 1.
            return 1.0 / median_distance(space) if space.n_unique > 1 else 1.0
        request = Request(scale=1.0, threads=check_threads(self.n_threads), progress=progress)
        return resolve_scale(space, self.scale, fraction, request).scale

    def _spread_of_training(self, space: Space, progress: Progress | None) -> Array:
        counts = np.bincount(space.group, minlength=space.n_unique).astype(float)
        sums = _core.weigh._similarity_product(
            space.quick,
            [self.scale_ * space.unit],
            counts[:, None],
            n_threads=check_threads(self.n_threads),
            progress=progress,
        )
        return np.asarray(1.0 / sums[space.group, 0])

    def _spread_of_new(self, X: Array) -> Array:
        counts = np.bincount(self._space.group, minlength=self._space.n_unique).astype(float)
        step = max(1, _BLOCK_ENTRIES // self._space.n_unique)
        sums = []
        for i in range(0, len(X), step):
            k = np.exp(-self.scale_ * self._space.cross(X[i : i + step], n_threads=self.n_threads))
            sums.append(k @ counts + (k.max(axis=1) < 1.0))  # a copy meets itself already
        return np.asarray(1.0 / np.concatenate(sums))


def _as_labels(decision: Array) -> npt.NDArray[np.intp]:
    return np.where(decision < 0.0, -1, 1)


class WeightingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classification by where a point would weigh least: there it lies inside the class.

    Each class keeps its own weighting; a new point gets the weight it would have in each class.
    Standardise the features first if their units differ.

    Parameters
    ----------
    scale : float or 'cv', default 1.0
        t in exp(-t d). 1 suits standardised features. 'cv' takes the best of 17 scales between 1 / 100 and
        100 times 1 / (median distance), by accuracy in cross-validation; equal ones go to the middle one.
    rule : {'abs', 'cdf'}, default 'abs'
        - 'abs': the class with the smallest absolute weight.
        - 'cdf': the class with the smallest share of members whose absolute weight is below the new one;
          equal shares go by 'abs'. Behind 'abs' on all five tables of ``benchmarks/weigh``, far behind where
          one class surrounds another.
    metric : str, default 'euclidean'
        As for `weighting`, but not 'precomputed'; Z must be positive definite.
    cv : int, default 5
        Folds for scale='cv', stratified where every class has two members; at least 2.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    verbose : bool or int, default False
        Whether `fit` with scale='cv' shows its progress, as `steelyard.progress_bar` does.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    scale_ : float
        The scale in use.
    models_ : list of WeightingModel
        One for each class.
    cv_scales_, cv_accuracies_ : ndarray, shape (17,)
        With scale='cv': what was tried and how it did.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        If X had string column names.

    Raises
    ------
    ValueError
        At `fit`, if a parameter, X or y does not fit.

    Notes
    -----
    The weight of x in a class is (1 - k'w) / (1 - k'Z^-1 k), in blocks of 32 MB. For classes of n_c points:
    O(sum n_c^3) time and 8 sum n_c^2 bytes to fit, O(sum n_c^2) a new point. 'cv' fits 17 * cv times.

    References
    ----------
    .. [1] Bunch et al., "Practical applications of metric space magnitude and weighting vectors",
       arXiv 2006.14063.

    Examples
    --------
    >>> from steelyard import weigh
    >>> X, y = [[0.0], [1.0], [2.0], [5.0], [6.0]], ["low", "low", "low", "high", "high"]
    >>> print(*weigh.WeightingClassifier().fit(X, y).predict([[0.5], [5.6]]))
    low high
    """

    def __init__(
        self,
        scale: float | str = 1.0,
        *,
        rule: str = "abs",
        metric: str = "euclidean",
        cv: int = 5,
        n_threads: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.scale = scale
        self.rule = rule
        self.metric = metric
        self.cv = cv
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> WeightingClassifier:
        """Weigh the classes.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)

        Returns
        -------
        WeightingClassifier
            Itself.
        """
        check_choice(self.rule, "rule", ("abs", "cdf"))
        _points_only(self.metric, "WeightingClassifier")
        folds = check_count(self.cv, "cv", least=2)
        X, y = validate_data(self, X, y)
        X = real_array(X, "X")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        with progress_of(self.verbose, "WeightingClassifier") as progress:
            if isinstance(self.scale, str):
                check_choice(self.scale, "scale", ("cv",))
                self.scale_ = self._scale_by_cv(X, codes, folds, progress)
            else:
                self.scale_ = check_positive(self.scale, "scale")
        self.models_ = self._models(X, codes, self.scale_)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Class of each point.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,)
        """
        check_is_fitted(self)
        X = real_array(validate_data(self, X, reset=False), "X")
        return np.asarray(self.classes_[_nearest(self._distance_from(self.models_, X))])

    def decision_function(self, X: Any) -> Array:
        """How deep in each class: the opposite of the absolute weight, or with rule='cdf' of the share.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes the second less the first: positive is ``classes_[1]``.
        """
        check_is_fitted(self)
        X = real_array(validate_data(self, X, reset=False), "X")
        far = self._distance_from(self.models_, X)
        return far[:, 0] - far[:, 1] if far.shape[1] == 2 else -far

    def _models(self, X: Array, codes: npt.NDArray[np.intp], scale: float) -> list[WeightingModel]:
        return [
            WeightingModel(X[codes == c], scale=scale, metric=self.metric, n_threads=self.n_threads)
            for c in np.unique(codes)
        ]

    def _distance_from(self, models: list[WeightingModel], X: Array) -> Array:
        size = np.stack([np.abs(model.score_new(X).weights) for model in models], axis=1)
        if self.rule == "abs":
            return size
        share = np.empty_like(size)
        for c, model in enumerate(models):
            own = np.sort(np.abs(model.weights))
            share[:, c] = np.searchsorted(own, size[:, c]) / len(own)
        # Unequal shares of classes with a and b members differ by at least 1 / (a b).
        most = max(len(model) for model in models)
        return np.asarray(share + size / (1.0 + size) / (2.0 * most**2))

    def _scale_by_cv(
        self, X: Array, codes: npt.NDArray[np.intp], folds: int, progress: Progress | None
    ) -> float:
        space = check_space(X, self.metric)
        unit = 1.0 / median_distance(space) if space.n_unique > 1 else 1.0
        self.cv_scales_ = unit * _CV_GRID
        self.cv_accuracies_ = np.full(len(_CV_GRID), np.nan)
        if len(X) < 2:
            return unit
        fewest = int(np.bincount(codes).min())
        splitter = (
            StratifiedKFold(min(folds, fewest)) if fewest >= 2 else KFold(min(folds, len(X)), shuffle=False)
        )
        splits = list(splitter.split(X, codes))
        for i, scale in enumerate(self.cv_scales_):
            hits = 0
            for train, test in splits:
                present = np.unique(codes[train])
                models = self._models(X[train], codes[train], float(scale))
                hits += int((present[_nearest(self._distance_from(models, X[test]))] == codes[test]).sum())
            self.cv_accuracies_[i] = hits / len(X)
            report(progress, i + 1, len(_CV_GRID))
        best = np.flatnonzero(self.cv_accuracies_ == self.cv_accuracies_.max())
        return float(self.cv_scales_[best[len(best) // 2]])


def _nearest(far: Array) -> npt.NDArray[np.intp]:
    return np.asarray(np.argmin(far, axis=1))


# Their examples are looked for here, whatever module they name.
__test__ = {"MagnitudeOutlierDetector": MagnitudeOutlierDetector, "WeightingClassifier": WeightingClassifier}
