"""Tables of scores, models by samples with gaps, as matrices of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._validate import check_nonnegative, check_threads, refuse_masked

Floats = npt.NDArray[np.float64]


def count_score_table(
    table: Any, higher_is_better: Any, tolerance: Any, n_threads: Any = None
) -> tuple[Floats, Floats | None]:
    """Wins and ties of each pair of models; None if there are no ties."""
    columns = read_score_table(table)
    samples, models = columns.shape[1], columns.shape[0]
    higher = np.asarray(higher_is_better)
    if higher.dtype.kind != "b" or higher.shape not in ((), (samples,)):
        raise ValueError(
            f"higher_is_better must be True or False, or one a sample ({samples}), got shape "
            f"{higher.shape} of {higher.dtype}"
        )
    direction = np.where(np.broadcast_to(higher, samples), 1, -1).astype(np.int8)
    wins, ties = _core._count_scores(
        models,
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int32),
        columns.data,
        direction,
        check_nonnegative(tolerance, "tolerance"),
        n_threads=check_threads(n_threads),
    )
    if not wins.any() and not ties.any():
        raise ValueError("table has no sample with scores of two models: there is nothing to compare")
    return wins, ties if ties.any() else None


def read_score_table(table: Any, name: str = "table") -> Any:
    """csc columns, one a sample, of the scores that are there."""
    from scipy import sparse  # its older versions load scipy.linalg

    if sparse.issparse(table):
        if table.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, got dtype {table.dtype}")
        found = sparse.coo_array(table)
        values, (rows, cols) = found.data.astype(np.float64), found.coords
        if len(np.unique(rows.astype(np.int64) * found.shape[1] + cols)) < len(rows):
            raise ValueError(f"{name} lists an entry twice; call sum_duplicates() if their sum is meant")
    else:
        array = refuse_masked(table, name)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
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
