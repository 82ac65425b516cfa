"""Tables of answers as they arrive: one byte an answer, or a list a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import real_array
from .._table import given_labels

Values = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]

NONE = 2
_BLOCK = 1 << 24  # entries that are looked at together
_SPARSE = 0.05  # a sparse table with fewer answers is kept as lists


@dataclass(frozen=True, eq=False)
class Answers:
    """What kernels take, and the counts that starts and checks need."""

    arrays: tuple[Any, ...]
    right: Counts
    wrong: Counts
    shape: tuple[int, int]
    core: Any = None  # made of the arrays; not pickled

    def __post_init__(self) -> None:
        make = _core.rank._Responses.dense if len(self.arrays) == 1 else _core.rank._Responses.lists
        more = () if len(self.arrays) == 1 else (self.shape[1],)
        object.__setattr__(self, "core", make(*self.arrays, *more))

    def __reduce__(self) -> tuple[Any, ...]:
        return Answers, (self.arrays, self.right, self.wrong, self.shape)

    @property
    def n_answers(self) -> int:
        return int(self.right.sum() + self.wrong.sum())


def read_answers(responses: Any) -> Answers:
    """0 wrong, 1 right; NaN, masked or (of a sparse matrix) not listed: no answer."""
    from scipy import sparse  # its older versions load scipy.linalg

    if sparse.issparse(responses):
        return _lists(sparse.csr_array(responses))
    masked = isinstance(responses, np.ma.MaskedArray)
    mask = np.ma.getmaskarray(responses) if masked else None
    array = real_array(responses.data if masked else responses, "responses")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"responses must have shape (n_persons, n_items), got {array.shape}")
    codes = np.empty(array.shape, dtype=np.uint8)
    right, wrong = np.zeros((2, array.shape[1]), dtype=np.int64)
    step = max(1, _BLOCK // array.shape[1])
    for begin in range(0, len(array), step):
        part = slice(begin, begin + step)
        own = _codes(array[part], None if mask is None else mask[part], begin)
        codes[part] = own
        right += (own == 1).sum(axis=0)
        wrong += (own == 0).sum(axis=0)
    return _checked(Answers((codes,), right, wrong, array.shape))


def _codes(values: Values, mask: Values | None, begin: int) -> npt.NDArray[np.uint8]:
    gone = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    gone = gone if mask is None else gone | mask
    right = values == 1
    odd = ~(gone | right | (values == 0))
    if odd.any():
        i, j = np.argwhere(odd)[0]
        raise ValueError(f"responses must be 0, 1 or NaN, got {values[i, j]} at ({i + begin}, {j})")
    return np.where(gone, NONE, right).astype(np.uint8)


def _lists(table: Any) -> Answers:
    if table.dtype.kind not in "fiub":
        raise TypeError(f"responses must hold real numbers, got dtype {table.dtype}")
    table.sum_duplicates()
    table.sort_indices()
    values = table.data
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if len(wrong):
        i = np.searchsorted(table.indptr, wrong[0], side="right") - 1
        raise ValueError(
            f"responses must be 0, 1 or NaN, got {values[wrong[0]]} at ({i}, {table.indices[wrong[0]]})"
        )
    persons, items = map(int, table.shape)
    listed, codes = table.indices.astype(np.int32), values.astype(np.uint8)
    counts = np.bincount(listed, minlength=items)
    right = np.bincount(listed[codes == 1], minlength=items)
    if persons * items and len(codes) / (persons * items) > _SPARSE:
        dense = np.full((persons, items), NONE, dtype=np.uint8)
        dense[np.repeat(np.arange(persons), np.diff(table.indptr)), listed] = codes
        arrays: tuple[Any, ...] = (dense,)
    else:
        arrays = (table.indptr.astype(np.int64), listed, codes)
    return _checked(Answers(arrays, right, counts - right, (persons, items)))


def _checked(answers: Answers) -> Answers:
    if answers.n_answers == 0:
        raise ValueError("responses has no answers")
    return answers


def labels_of(persons: Any, items: Any, shape: tuple[int, int]) -> tuple[Values, Values]:
    """Labels of both sides, as many as there are rows and columns."""
    who = np.arange(shape[0]) if persons is None else given_labels(persons, "persons")
    what = np.arange(shape[1]) if items is None else given_labels(items, "items")
    for labels, size, name in ((who, shape[0], "persons"), (what, shape[1], "items")):
        if len(labels) != size:
            raise ValueError(f"{name} must have {size} labels, got {len(labels)}")
    return who, what
