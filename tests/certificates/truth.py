"""Truth from outside that several families need: ball arithmetic, exact rationals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat, fmpq

BITS = 256
flint.ctx.prec = BITS


def ball(value: float) -> arb:
    """A float64 as it is."""
    return arb(float(value))


def middle(matrix: arb_mat) -> arb_mat:
    """Without radii: iterations that correct themselves need not carry them."""
    return arb_mat([[x.mid() for x in row] for row in matrix.table()])


def column(values: Sequence[Any]) -> arb_mat:
    return arb_mat([[x if isinstance(x, arb) else ball(x)] for x in values])


def matrix(values: Any) -> arb_mat:
    return arb_mat([[ball(x) for x in row] for row in np.asarray(values, dtype=float).tolist()])


def inner(a: arb_mat, b: arb_mat) -> arb:
    return (a.transpose() * b)[0, 0]


def upper(x: arb) -> float:
    """A float that is no less than any number in the ball."""
    return float(x.upper())


def norm(delta: arb_mat, H: arb_mat) -> float:
    """sqrt(delta' H delta)."""
    square = inner(delta, H * delta)
    return float(square.mid().sqrt()) if square.mid() > 0 else 0.0


def in_bits_enough(work: Callable[[], Any]) -> Any:
    """What `work` gives; with four times the bits where chances vanish in those of the rest."""
    try:
        return work()
    except ZeroDivisionError:
        with flint.ctx.workprec(4 * BITS):
            return work()


def newton(
    derivatives: Callable[[arb_mat], tuple[arb_mat, arb_mat]], start: arb_mat, *, most: int = 60
) -> tuple[arb_mat, arb_mat, float]:
    """The maximum of a concave function, its negative Hessian there, and what error is left, in its norm.

    `derivatives` gives gradient and negative Hessian, made regular. Newton's method squares its error in a
    step, so that the last decrement but one bounds what the last step leaves over.
    """
    at, before = start, float("inf")
    for _ in range(most):
        g, H = derivatives(at)
        step = middle(middle(H).solve(middle(g), algorithm="approx"))
        decrement = norm(step, H)
        at = middle(at + step * _damping(decrement))
        if decrement < 1e-45:
            return at, H, before if before < 1e-10 else decrement
        before = decrement
    raise ArithmeticError(f"no truth: Newton's decrement is {decrement:.3g} after {most} steps")


def _damping(decrement: float) -> arb:
    """Full steps near the optimum; of a self-concordant length far from it."""
    return arb(1) if decrement < 0.3 else arb(1) / (1 + ball(decrement))


def rational(value: float) -> fmpq:
    """A float64 as the fraction that it is."""
    return fmpq(*float(value).as_integer_ratio())
