"""Tables of scores, models by samples with gaps, as comparisons within samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._spelling import shown
from ..._validate import check_nonnegative, check_threads, is_one, real_array
from .labels import encode_one, given_labels
from .matrices import count_matrices
from .votes import Columns, Extras

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]
MOST_ROWS = 2**26


class Scores(NamedTuple):
    """The scores that are there, sample by sample: those of sample k at starts[k] .. starts[k + 1]."""

    labels: Values
    starts: npt.NDArray[np.int64]
    model: npt.NDArray[np.int32]
    score: Floats
    direction: npt.NDArray[np.int8]
    tolerance: float

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Models scored on each sample."""
        return np.diff(self.starts)


def count_score_table(
    table: Any, higher_is_better: Any, tolerance: Any, items: Any = None, cluster: Any = False
) -> Columns:
    """Wins and ties of each pair of models; within each cluster of samples, where there are any."""
    scores = _read(table, higher_is_better, tolerance, items)
    labels, codes = _read_clusters(cluster, len(scores.sizes))
    if scores.sizes.max(initial=0) < 2:
        raise ValueError("table has no sample with scores of two models: there is nothing to compare")
    return _merged(scores) if codes is None else _kept(scores, labels, codes)


def _read(table: Any, higher_is_better: Any, tolerance: Any, items: Any) -> Scores:
    columns = read_score_table(table)
    models, samples = columns.shape
    higher = np.asarray(higher_is_better)
    if higher.dtype.kind != "b" or higher.shape not in ((), (samples,)):
        raise ValueError(
            f"higher_is_better must be True or False, or one a sample ({samples}), got shape "
            f"{higher.shape} of {higher.dtype}"
        )
    labels = np.arange(models) if items is None else given_labels(items, "items")
    if len(labels) != models:
        raise ValueError(f"items must have {models} labels, one a model, got {len(labels)}")
    return Scores(
        labels,
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int32),
        columns.data,
        np.where(np.broadcast_to(higher, samples), 1, -1).astype(np.int8),
        check_nonnegative(tolerance, "tolerance"),
    )


def _read_clusters(cluster: Any, samples: int) -> tuple[Values, npt.NDArray[np.int32] | None]:
    """Labels, and each sample's position in them; None to merge all samples."""
    if isinstance(cluster, bool | np.bool_):
        labels = np.arange(samples)
        return labels, labels.astype(np.int32) if cluster else None
    if isinstance(cluster, str) or is_one(cluster, "cluster"):
        raise TypeError(f"cluster must be True, False or one label a sample, got {shown(cluster)}")
    labels, codes = encode_one(cluster, "cluster")
    if len(codes) != samples:
        raise ValueError(f"cluster must have {samples} labels, one a sample, got {len(codes)}")
    return labels, codes


def _merged(scores: Scores) -> Columns:
    wins, ties = _core.rank._count_scores(len(scores.labels), *scores[1:], n_threads=check_threads(None))
    return count_matrices(wins, ties if ties.any() else None, scores.labels)


def _kept(scores: Scores, labels: Values, codes: npt.NDArray[np.int32]) -> Columns:
    """One row a pair and cluster, from the comparisons of one left model after the other."""
    useful = scores.sizes > 1  # a cluster without comparisons is none
    scores = _of_samples(scores, useful)
    present, places = np.unique(codes[useful], return_inverse=True)
    rows = _most_rows(scores, places)
    if rows > MOST_ROWS:
        raise ValueError(
            f"cluster would keep up to {rows:,} rows, one a pair of models and cluster, and the most is "
            f"{MOST_ROWS:,}; give labels that join samples into fewer clusters, or cluster=False"
        )
    cluster = np.repeat(places, scores.sizes)
    order = np.argsort(scores.model, kind="stable")
    starts = np.searchsorted(scores.model[order], np.arange(1, len(scores.labels)))
    parts = [_rows_of(scores, cluster, len(present), own) for own in np.split(order, starts)]
    left = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[0]) for part in parts])
    columns = list(zip(*parts, strict=True))
    del parts
    right, codes, wins, losses, ties = (np.concatenate(columns.pop(0)) for _ in range(5))
    extras, drawn = Extras(codes, labels[present]), ties if ties.any() else None
    return Columns(scores.labels, left, right, wins, losses, drawn, None, None, None, None, extras)


def _of_samples(scores: Scores, wanted: npt.NDArray[np.bool_]) -> Scores:
    listed = np.repeat(wanted, scores.sizes)
    return scores._replace(
        starts=np.append(0, np.cumsum(scores.sizes[wanted])),
        model=scores.model[listed],
        score=scores.score[listed],
        direction=scores.direction[wanted],
    )


def _most_rows(scores: Scores, places: npt.NDArray[np.intp]) -> int:
    """Each cluster has a row a comparison, or a row a pair of its models, whichever are fewer."""
    n, m = len(scores.labels), scores.sizes
    models = np.bincount(np.unique(np.repeat(places, m) * n + scores.model) // n)
    return int(np.minimum(np.bincount(places, m * (m - 1) / 2), models * (models - 1) / 2).sum())


def _rows_of(
    scores: Scores, cluster: npt.NDArray[np.intp], clusters: int, own: npt.NDArray[np.intp]
) -> tuple[Any, ...]:
    """Right models, clusters, wins, losses and ties of one left model, whose scores are at `own`."""
    sample = np.searchsorted(scores.starts, own, side="right") - 1
    behind = scores.starts[sample + 1] - own - 1
    first = np.repeat(own, behind)
    begin = np.cumsum(behind) - behind
    second = first + 1 + np.arange(len(first)) - np.repeat(begin, behind)
    with np.errstate(over="ignore"):  # a lead beyond the largest double is a lead
        lead = np.repeat(scores.direction[sample], behind) * (scores.score[first] - scores.score[second])
    rows, row = np.unique(scores.model[second] * np.int64(clusters) + cluster[second], return_inverse=True)
    tied = np.abs(lead) <= scores.tolerance
    outcomes = (lead > 0) & ~tied, (lead < 0) & ~tied, tied
    sums = (np.bincount(row, outcome, len(rows)) for outcome in outcomes)
    return (rows // clusters).astype(np.int32), (rows % clusters).astype(np.int32), *sums


def read_score_table(table: Any, name: str = "table") -> Any:
    """csc columns, one a sample, of the scores that are there."""
    from scipy import sparse  # its older versions load scipy.linalg

    if sparse.issparse(table):
        if table.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, got dtype {table.dtype}")
        found = sparse.coo_array(table)
        there = ~np.isnan(found.data)
        values = found.data[there].astype(np.float64)
        rows, cols = (place[there] for place in found.coords)
        if len(np.unique(rows.astype(np.int64) * found.shape[1] + cols)) < len(rows):
            raise ValueError(f"{name} lists an entry twice; call sum_duplicates() if their sum is meant")
    else:
        array = real_array(table, name)
        if array.ndim != 2:
            raise ValueError(f"{name} must have shape (n_models, n_samples), got {array.shape}")
        rows, cols = np.nonzero(~np.isnan(array))
        values = array[rows, cols].astype(np.float64)
        found = array
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has entries that are infinite; leave out what was not scored")
    columns = sparse.csc_array((values, (rows, cols)), shape=found.shape)
    columns.sort_indices()
    return columns
