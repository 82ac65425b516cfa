"""Points of a Parquet file, read block by block into a file of numbers that is mapped into memory."""

from __future__ import annotations

import errno
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .points import as_number, columns_of, number_columns, type_of
from .readers import quoted
from .source import Source
from .usage import UsageError

_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class StoredPoints:
    """Rows without gaps."""

    values: npt.NDArray[Any]  # (n, d), mapped; float32 where the file has no wider numbers
    names: tuple[str, ...]  # of the d columns
    rows: npt.NDArray[np.int64]  # in the file, from 0
    aside: npt.NDArray[np.float64] | None  # of the column set aside
    dropped: int


def store_points(source: Source, aside: str | None) -> StoredPoints:
    """All columns of numbers but the one set aside: 4 or 8 bytes a number on disk, 16 bytes a row in memory.

    The clusters go over the points many times, and decoding them costs more than reading numbers. The file
    lies where temporary files do, has no name, and goes with the process.
    """
    with source.reading():
        names = number_columns(source)
        if aside is not None and aside not in names:
            raise UsageError(f"--losses: {source.name} has no column of numbers {aside!r}")
        chosen = [name for name in names if name != aside]
        if not chosen:
            raise UsageError(f"{source.name} has no column of numbers beside {aside!r}")
        single = all(type_of(source, name) == "FLOAT" for name in chosen)
        dtype: np.dtype[Any] = np.dtype(np.float32 if single else np.float64)
        places = [names.index(name) for name in chosen]
        wanted = ", ".join(f"{as_number(source, name)} AS {quoted(name)}" for name in names)
        relation = source.relation.project(wanted)
        total = int(source.relation.aggregate("count(*)").fetchall()[0][0])
        each = max(1, _BLOCK_BYTES // (8 * len(names)))
        with tempfile.TemporaryFile() as file:
            kept, losses = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
            for start in range(0, total, each):
                block = columns_of(relation.limit(each, start).fetchnumpy(), names, np.dtype(np.float64))
                whole = np.flatnonzero(np.isfinite(block).all(axis=1))
                _write(file, block[whole][:, places].astype(dtype))
                kept.append(start + whole)
                if aside is not None:
                    losses.append(block[whole, names.index(aside)])
            rows = np.concatenate(kept)
            if len(rows) < 2:
                raise UsageError(
                    f"{source.name} has {len(rows)} rows with all of {', '.join(names)}; give at least two"
                )
            file.flush()
            values = np.memmap(file, dtype=dtype, mode="r", shape=(len(rows), len(chosen)))
    told = None if aside is None else np.concatenate(losses)
    return StoredPoints(values, tuple(chosen), rows, told, total - len(rows))


def _write(file: Any, block: npt.NDArray[Any]) -> None:
    try:
        file.write(block.tobytes())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        folder = tempfile.gettempdir()
        raise UsageError(
            f"no room in {folder} for the numbers of the file; set TMPDIR to a folder that has"
        ) from None
