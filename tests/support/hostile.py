"""Arrays as they arrive: disguised ones must give a plain array's answer, spoilt ones be refused.

@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    hostile.check_same(total, np.arange(12.0), variant)

@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"empty"}))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(total, np.arange(12.0), variant, "values")
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Variant:
    """One way to spoil or to disguise an array; `rtol` for what loses digits on the way."""

    name: str
    make: Callable[[np.ndarray], Any]
    rtol: float = 0.0


def _strided(a: np.ndarray) -> np.ndarray:
    wide = np.full((*a.shape[:-1], 3 * a.shape[-1]), np.nan)
    wide[..., ::3] = a
    return wide[..., ::3]


def _negative(a: np.ndarray) -> np.ndarray:
    everywhere = tuple(slice(None, None, -1) for _ in a.shape)
    return a[everywhere].copy()[everywhere]


def _readonly(a: np.ndarray) -> np.ndarray:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


def _unaligned(a: np.ndarray) -> np.ndarray:
    raw = np.zeros(a.nbytes + 1, np.uint8)
    view = raw[1:].view(np.uint8)[: a.nbytes].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def _with(entry: Any, dtype: Any = float) -> Callable[[np.ndarray], np.ndarray]:
    def spoil(a: np.ndarray) -> np.ndarray:
        copy = a.astype(dtype)
        copy[tuple(size // 2 for size in a.shape)] = entry
        return copy

    return spoil


def _masked(a: np.ndarray) -> np.ma.MaskedArray:
    mask = np.zeros(a.shape, bool)
    mask.flat[a.size // 2] = True
    return np.ma.array(a, mask=mask)


VALID = (
    Variant("fortran", np.asfortranarray),
    Variant("strided", _strided),
    Variant("negative-strides", _negative),
    Variant("big-endian", lambda a: a.astype(">f8")),
    Variant("read-only", _readonly),
    Variant("unaligned", _unaligned),
    Variant("float32", lambda a: a.astype(np.float32), rtol=1e-5),
    Variant("float16", lambda a: a.astype(np.float16), rtol=1e-5),
    Variant("int64", lambda a: a.astype(np.int64)),
    Variant("uint8", lambda a: np.abs(a).astype(np.uint8)),
    Variant("bool", lambda a: a.astype(bool)),
    Variant("longdouble", lambda a: a.astype(np.longdouble)),
    Variant("list", lambda a: a.tolist()),
    Variant("unmasked", np.ma.array),
)

INVALID = (
    Variant("nan", _with(np.nan)),
    Variant("inf", _with(np.inf)),
    Variant("minus-inf", _with(-np.inf)),
    Variant("masked", _masked),
    Variant("complex", lambda a: a + 1j),
    Variant("object", lambda a: a.astype(object)),
    Variant("none-inside", _with(None, object)),
    Variant("strings", lambda a: a.astype(str)),
    Variant("bytes", lambda a: a.astype("S8")),
    Variant("dates", lambda a: a.astype("i8").astype("M8[D]")),
    Variant("records", lambda a: np.zeros(a.shape, dtype=[("a", float), ("b", float)])),
    Variant("scalar", lambda a: np.float64(1.0)),
    Variant("one-axis-more", lambda a: a[..., None]),
    Variant("empty", lambda a: a[:0]),
)


def params(variants: Collection[Variant], *, without: Collection[str] = ()) -> list[Any]:
    """For pytest.mark.parametrize; `without` names what means something else to the function at hand."""
    unknown = set(without) - {v.name for v in (*VALID, *INVALID)}
    assert not unknown, unknown
    return [pytest.param(v, id=v.name) for v in variants if v.name not in without]


def check_same(function: Callable[[Any], Any], array: np.ndarray, variant: Variant) -> None:
    """The function's numbers for the variant are those for a plain float64 array of equal values."""
    made = variant.make(array)
    before = np.array(made, copy=True)
    plain = np.array(made, dtype=np.float64, order="C", copy=True)
    answer = function(made)
    np.testing.assert_array_equal(made, before, err_msg="the input was altered")
    np.testing.assert_allclose(answer, function(plain), rtol=variant.rtol, atol=0)


def check_refused(function: Callable[[Any], Any], array: np.ndarray, variant: Variant, name: str) -> None:
    """ValueError or TypeError whose message names the argument."""
    with pytest.raises((ValueError, TypeError)) as caught:
        function(variant.make(array))
    assert name in str(caught.value), caught.value
