"""Similarity matrices from hom-objects and a multiplicative size map."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._spelling import shown
from .._validate import check_count, refuse_masked

Array = npt.NDArray[np.float64]

_RTOL = 1e-9
_ATOL = 1e-12  # of the square of the largest size: a determinant of a product loses digits where it is near 0


def similarity(
    hom: Any,
    size_map: Callable[[Any], Any],
    *,
    compose: Callable[[Any, Any], Any] | None = None,
    check: int = 1000,
) -> Array:
    """Similarity matrix Z_ij = size_map(hom[i][j]) of an enriched category.

    Parameters
    ----------
    hom : array_like, shape (n, n) or (n, n, m, m)
        Hom-objects C(i, j): numbers, +inf allowed, or matrices, all of one size. Nested sequences or one
        array.
    size_map : callable
        Takes a hom-object (a float, or an ndarray of shape (m, m), read-only) and returns a finite real
        number. It must be multiplicative, size_map(compose(a, b)) = size_map(a) * size_map(b): ``exp(-t *
        x)`` for distances, which compose by addition; ``x**t`` for gains or probabilities, which compose by
        multiplication; ``abs(det(A))`` for matrices. A trace, a norm or a largest entry is not.
    compose : callable, optional
        compose(C(i, j), C(j, k)) in that order; for matrices the product ``a @ b`` unless given. Numbers
        have no default, since metrics add and probabilities multiply: without `compose` nothing is checked
        for them.
    check : int, default 1000
        Composites on which multiplicativity is verified at most, spread evenly over all (i, j, k); 0 for
        none. For matrices under ``@`` the identity must have size 1 too. The default costs little next to
        n^2 sizes.

    Returns
    -------
    ndarray, shape (n, n)
        For `solve_similarity`.

    Raises
    ------
    TypeError
        If `hom` does not hold real numbers, or `size_map` returns something else than one.
    ValueError
        If `hom` has another shape or NaN entries, a size is not finite, or a composite shows that `size_map`
        is not multiplicative (to 1e-9 relative); the message names the hom-objects.

    Notes
    -----
    n^2 calls of `size_map`, and up to three more a composite. A check by sampling can refute a
    size map, not prove it. That C(i, j) composed with C(j, k) is comparable with C(i, k), as a category
    asks, is not looked at.

    References
    ----------
    .. [1] Huntsman, "Magnitude of arithmetic scalar and matrix categories", arXiv 2304.08334 (2023).

    Examples
    --------
    >>> import math, operator
    >>> distances = [[0.0, 1.0], [2.0, 0.0]]
    >>> similarity(distances, lambda x: math.exp(-x), compose=operator.add).round(4).tolist()
    [[1.0, 0.3679], [0.1353, 1.0]]
    """
    if not callable(size_map):
        raise TypeError(f"size_map must be callable, got {shown(size_map)}")
    if compose is not None and not callable(compose):
        raise TypeError(f"compose must be callable as compose(a, b) or None, got {shown(compose)}")
    check = check_count(check, "check", least=0)
    objects = _check_hom(hom)
    n = len(objects)
    Z = np.array([[_size(size_map, objects[i, j], f"hom[{i}][{j}]") for j in range(n)] for i in range(n)])
    if check and objects.ndim == 4 and compose is None:
        compose = operator.matmul
        unit = _size(size_map, np.eye(objects.shape[2]), "the identity")
        if abs(unit - 1.0) > _RTOL:
            raise ValueError(
                f"size_map is not multiplicative: the identity matrix must have size 1, got {unit:g}"
            )
    if check and compose is not None:
        _check_composites(objects, Z, size_map, compose, check)
    return Z


def _check_hom(hom: Any) -> Array:
    """Read-only, of shape (n, n) or (n, n, m, m)."""
    try:
        array = refuse_masked(hom, "hom")
    except ValueError as error:
        if "can't be read" not in str(error):
            raise
        raise ValueError("hom must hold n rows of n numbers, or of n matrices of one shape") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"hom must hold real numbers or matrices of them, got dtype {array.dtype}")
    pairs = array.shape[0::2] == array.shape[1::2]
    if array.ndim not in (2, 4) or not pairs or not array.size:
        raise ValueError(f"hom must have shape (n, n) or (n, n, m, m), none of them 0, got {array.shape}")
    objects = array.astype(np.float64)
    bad = np.argwhere(np.isnan(objects) | np.isneginf(objects) | (np.isinf(objects) & (objects.ndim == 4)))
    if len(bad):
        i, j = bad[0][:2]
        raise ValueError(
            f"hom has {len(bad)} entries that are NaN or infinite (first: in hom[{i}][{j}]); "
            f"only numbers may be +inf"
        )
    objects.flags.writeable = False
    return objects


def _size(size_map: Callable[[Any], Any], hom_object: Any, name: str) -> float:
    size = size_map(float(hom_object) if np.ndim(hom_object) == 0 else hom_object)
    if np.ndim(size) != 0 or isinstance(size, bool) or not isinstance(np.asarray(size).item(), numbers.Real):
        raise TypeError(f"size_map must return a real number, got {shown(size)} for {name}")
    if not np.isfinite(size):
        raise ValueError(f"size_map must return a finite number, got {size} for {name}")
    return float(size)


def _check_composites(
    objects: Array,
    Z: Array,
    size_map: Callable[[Any], Any],
    compose: Callable[[Any, Any], Any],
    count: int,
) -> None:
    """Compares sizes of composites with products of sizes on `count` triples (i, j, k), or on all."""
    n = len(Z)
    atol = _ATOL * float(np.abs(Z).max()) ** 2
    for triple in np.unique(np.linspace(0, n**3 - 1, min(count, n**3)).astype(np.int64)):
        i, j, k = (int(index) for index in np.unravel_index(triple, (n, n, n)))
        a, b = (x if x.ndim else float(x) for x in (objects[i, j], objects[j, k]))
        found = _size(size_map, compose(a, b), f"the composite of hom[{i}][{j}] and hom[{j}][{k}]")
        expected = Z[i, j] * Z[j, k]
        if abs(found - expected) > _RTOL * max(abs(found), abs(expected)) + atol:
            raise ValueError(
                f"size_map is not multiplicative: the composite of hom[{i}][{j}] and hom[{j}][{k}] has size "
                f"{found:.10g}, the product of their sizes is {expected:.10g}"
            )
