"""Points: rows of `X`."""

from __future__ import annotations

import numpy as np

from .registry import animal, cast, kind, rounded_to, scaled, transformation, unit_of

kind("points", size=lambda data: len(data["X"]), take=lambda data, keep: {"X": data["X"][keep]})


def dimension(rng, most=6):
    return int(rng.integers(1, most + 1))


@animal("points")
def one_to_three(rng, n):
    return {"X": rng.normal(size=(1 + n % 3, dimension(rng)))}


@animal("points")
def normal(rng, n):
    return {"X": rng.normal(size=(n, dimension(rng)))}


@animal("points")
def uniform(rng, n):
    return {"X": rng.random((n, dimension(rng)))}


@animal("points")
def all_the_same(rng, n):
    return {"X": np.repeat(rng.normal(size=(1, dimension(rng))), n, axis=0)}


@animal("points")
def copies(rng, n):
    distinct = rng.normal(size=(max(1, n // 4), dimension(rng)))
    return {"X": distinct[rng.integers(0, len(distinct), n)]}


@animal("points")
def near_copies(rng, n):
    X = copies(rng, n)["X"]
    return {"X": X + 1e-9 * rng.normal(size=X.shape)}


@animal("points")
def copies_but_one_ulp(rng, n):
    X = copies(rng, n)["X"]
    return {"X": np.where(rng.random(X.shape) < 0.3, np.nextafter(X, np.inf), X)}


@animal("points")
def lattice(rng, n):
    d = int(rng.integers(1, 4))
    side = max(1, round(n ** (1 / d)))
    grid = np.stack(np.meshgrid(*[np.arange(float(side))] * d), -1).reshape(-1, d)
    return {"X": grid}


@animal("points")
def line(rng, n):
    return {"X": rng.random((n, 1)) * rng.normal(size=(1, dimension(rng, 4)))}


@animal("points")
def even_line(rng, n):
    return {"X": np.arange(float(n))[:, None]}


@animal("points")
def circle(rng, n):
    a = np.linspace(0, rng.choice([0.5, 2 * np.pi]), n)
    return {"X": np.c_[np.cos(a), np.sin(a)]}


@animal("points")
def helix(rng, n):
    a = np.sort(rng.random(n)) * 12
    return {"X": np.c_[np.cos(a), np.sin(a), a / 4]}


@animal("points")
def narrow_cone(rng, n):
    d = dimension(rng) + 1
    return {"X": rng.normal(size=d) + 10.0 ** rng.uniform(-6, -1) * rng.normal(size=(n, d))}


@animal("points")
def clusters_of_all_sizes(rng, n):
    k, d = int(rng.integers(2, 6)), dimension(rng)
    which = rng.choice(k, n, p=np.arange(1, k + 1) ** 2 / (np.arange(1, k + 1) ** 2).sum())
    centres, widths = 10 * rng.normal(size=(k, d)), 10.0 ** rng.uniform(-4, 1, k)
    return {"X": centres[which] + widths[which, None] * rng.normal(size=(n, d))}


@animal("points")
def sorted_by_class(rng, n):
    which = np.sort(rng.integers(0, 3, n))
    return {"X": 4.0 * which[:, None] + rng.normal(size=(n, dimension(rng)))}


@animal("points")
def cauchy(rng, n):
    return {"X": rng.standard_cauchy((n, dimension(rng)))}


@animal("points")
def cubed(rng, n):
    return {"X": rng.normal(size=(n, dimension(rng))) ** 3}


@animal("points")
def integers(rng, n):
    return {"X": rng.integers(-9, 10, (n, dimension(rng)))}


@animal("points")
def bits(rng, n):
    return {"X": rng.integers(0, 2, (n, dimension(rng, 10))).astype(float)}


@animal("points")
def equidistant(rng, n):
    return {"X": np.eye(n)}


@animal("points")
def columns_of_all_sizes(rng, n):
    d = dimension(rng)
    return {"X": rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-6, 6, d)}


@animal("points")
def one_far_away(rng, n):
    X = rng.normal(size=(n, dimension(rng)))
    X[-1] += 10.0 ** rng.uniform(2, 8)
    return {"X": X}


@transformation("points")
def in_another_unit(rng, data):
    X = scaled(data["X"], unit_of(rng))
    return None if X is None else {**data, "X": X}


@transformation("points")
def common_offset(rng, data):
    if data["X"].dtype.kind != "f":
        return None
    size = np.abs(data["X"]).max(initial=0) or 1.0
    with np.errstate(over="ignore"):
        X = data["X"] + size * rng.choice([1e3, 1e6, 1e12])
    return {**data, "X": X} if np.isfinite(X).all() and np.abs(X).max() < 1e153 else None


@transformation("points")
def rounded(rng, data):
    return {**data, "X": rounded_to(data["X"], int(rng.integers(1, 7)))}


@transformation("points")
def in_single(rng, data):
    X = cast(data["X"], np.float32)
    return None if X is None else {**data, "X": X}


@transformation("points")
def in_half(rng, data):
    X = cast(data["X"], np.float16)
    return None if X is None else {**data, "X": X}


@transformation("points")
def sorted_rows(rng, data):
    return {**data, "X": data["X"][np.argsort(data["X"][:, 0], kind="stable")]}
