"""What K models said (`P`, n x K), what came (`y`), and the level of a quantile (`level`)."""

from __future__ import annotations

import numpy as np

from .registry import animal, kind, rounded_to, scaled, transformation, unit_of


def _take(data, keep):
    return {"P": data["P"][keep], "y": data["y"][keep], "level": data["level"]}


def _complete(rng, data):
    return {"level": float(np.clip(rng.beta(0.6, 0.6), 0.01, 0.99)), **data}


kind("predictions", size=lambda data: len(data["y"]), take=_take, complete=_complete)


def _models(rng):
    return int(rng.integers(1, 6))


@animal("predictions")
def noisy_models(rng, n):
    y = rng.normal(size=n)
    return {"P": y[:, None] + rng.normal(size=(n, _models(rng))) * rng.uniform(0.1, 2, n)[:, None], "y": y}


@animal("predictions")
def models_much_alike(rng, n):
    y = rng.standard_t(3, size=n)
    common = y + rng.normal(size=n)
    return {"P": common[:, None] + 10.0 ** rng.uniform(-9, -1) * rng.normal(size=(n, _models(rng))), "y": y}


@animal("predictions")
def the_same_model_twice(rng, n):
    y = rng.normal(size=n)
    P = y[:, None] + rng.normal(size=(n, _models(rng)))
    return {"P": np.c_[P, P[:, 0]], "y": y}


@animal("predictions")
def one_model_is_right(rng, n):
    y = rng.normal(size=n)
    P = rng.normal(size=(n, _models(rng)))
    P[:, -1] = y
    return {"P": P, "y": y}


@animal("predictions")
def constants_and_integers(rng, n):
    k = _models(rng)
    P = rng.integers(-3, 4, (n, k)).astype(float)
    if rng.random() < 0.3:
        P[:] = P[0]
    return {"P": P, "y": rng.integers(-3, 4, n).astype(float)}


@animal("predictions")
def heavy_tails_far_from_zero(rng, n):
    y = 1e6 + rng.standard_cauchy(n)
    return {"P": y[:, None] + rng.standard_cauchy((n, _models(rng))), "y": y}


@transformation("predictions")
def another_unit(rng, data):
    unit = unit_of(rng)
    P, y = scaled(data["P"], unit), scaled(data["y"], unit)
    return None if P is None or y is None else {**data, "P": P, "y": y}


@transformation("predictions")
def rounded(rng, data):
    digits = int(rng.integers(1, 4))
    return {**data, "P": rounded_to(data["P"], digits), "y": rounded_to(data["y"], digits)}


@transformation("predictions")
def repeated_rows(rng, data):
    rows = rng.integers(0, len(data["y"]), len(data["y"]))
    return {**data, "P": data["P"][rows], "y": data["y"][rows]}
