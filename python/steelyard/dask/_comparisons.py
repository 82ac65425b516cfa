"""Votes counted partition by partition."""

from __future__ import annotations

from typing import Any

from ..rank import Comparisons


def comparisons(frame: Any, **columns: Any) -> Comparisons:
    """Count a Dask data frame, partition by partition.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame, or sequence of delayed data frames
    **columns
        Of `steelyard.rank.Comparisons.from_frame`.

    Returns
    -------
    Comparisons
        The sum of the partitions' tables, added in pairs; empty partitions are left out.
    """
    import dask

    parts = frame.to_delayed() if hasattr(frame, "to_delayed") else list(frame)
    tables = [dask.delayed(_counted)(part, columns) for part in parts]
    if not tables:
        raise ValueError("frame has no partitions")
    while len(tables) > 1:
        pairs = [tables[k : k + 2] for k in range(0, len(tables), 2)]
        tables = [dask.delayed(_added)(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    (table,) = dask.compute(tables[0])
    if table is None:
        raise ValueError("frame has no rows")
    return table  # type: ignore[no-any-return]


def _counted(part: Any, columns: dict[str, Any]) -> Any:
    return Comparisons.from_frame(part, **columns) if len(part) else None


def _added(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b
