"""Pools: regressions (`X`, `y`), losses (`predicted`, `loss`), votes (`P` of models, `truth`)."""

from __future__ import annotations

import numpy as np

from .registry import animal, kind, transformation, unit_of


def _rows(*keys):
    return lambda data, keep: {key: data[key][keep] for key in keys}


kind("regressions", size=lambda data: len(data["y"]), take=_rows("X", "y"))
kind("losses", size=lambda data: len(data["loss"]), take=_rows("predicted", "loss"))
kind("votes", size=lambda data: len(data["truth"]), take=_rows("P", "truth"))

# ---- regressions


def _answered(rng, X, noise=None):
    slope = rng.normal(size=X.shape[1])
    return {"X": X, "y": X @ slope + (rng.normal(size=len(X)) if noise is None else noise)}


@animal("regressions")
def plain_regression(rng, n):
    return _answered(rng, np.c_[np.ones(n + 2), rng.normal(size=(n + 2, int(rng.integers(1, 5))))])


@animal("regressions")
def outlying_rows(rng, n):
    return _answered(rng, rng.standard_cauchy((n + 2, int(rng.integers(1, 5)))))


@animal("regressions")
def dependent_columns(rng, n):
    X = rng.normal(size=(n + 2, 2))
    return _answered(rng, np.c_[X, X @ [1.0, -2.0]])


@animal("regressions")
def one_row_alone(rng, n):
    X = np.c_[np.ones(n + 2), np.zeros(n + 2)]
    X[rng.integers(n + 2), 1] = 1.0
    return _answered(rng, X)


@animal("regressions")
def exact_answers(rng, n):
    X = rng.normal(size=(n + 2, 3))
    return _answered(rng, X, np.zeros(n + 2))


@animal("regressions")
def few_distinct_rows(rng, n):
    X = rng.normal(size=(max(2, n // 6), 3))[rng.integers(0, max(2, n // 6), n + 2)]
    return _answered(rng, X)


@animal("regressions")
def uneven_noise(rng, n):
    X = np.c_[np.ones(n + 2), np.sort(rng.random(n + 2))]
    return _answered(rng, X, rng.normal(size=n + 2) * np.exp(3 * X[:, 1]))


@animal("regressions")
def columns_of_all_sizes_in_regression(rng, n):
    return _answered(rng, rng.normal(size=(n + 2, 4)) * 10.0 ** rng.uniform(-6, 6, 4))


@transformation("regressions")
def in_another_unit(rng, data):
    unit = 10.0 ** rng.choice([-100, -12, -3, 3, 12, 100])
    return {"X": data["X"] * unit, "y": data["y"]}


@transformation("regressions", "losses", "votes")
def sorted_by_class(rng, data):
    order = np.argsort(data[next(k for k in ("y", "loss", "truth") if k in data)], kind="stable")
    return {key: value[order] for key, value in data.items()}


# ---- losses


@animal("losses")
def well_predicted(rng, n):
    loss = rng.lognormal(size=n)
    return {"predicted": loss * np.exp(0.2 * rng.normal(size=n)), "loss": loss}


@animal("losses")
def badly_predicted(rng, n):
    return {"predicted": rng.lognormal(0, 2, n), "loss": rng.lognormal(0, 1, n)}


@animal("losses")
def right_or_wrong(rng, n):
    p = rng.beta(0.5, 2, n)
    return {"predicted": p, "loss": (rng.random(n) < p).astype(float)}


@animal("losses")
def some_predicted_zero(rng, n):
    loss = rng.random(n)
    return {"predicted": np.where(rng.random(n) < 0.3, 0.0, loss), "loss": loss}


@animal("losses")
def one_dominates(rng, n):
    loss = rng.random(n)
    loss[rng.integers(n)] = 1e3
    return {"predicted": loss * (1 + 0.1 * rng.random(n)), "loss": loss}


@animal("losses")
def steep_tail(rng, n):
    loss = np.abs(rng.standard_cauchy(n))
    return {"predicted": loss + 0.1 * rng.random(n), "loss": loss}


@animal("losses")
def constant_losses(rng, n):
    return {"predicted": np.ones(n), "loss": np.ones(n)}


@animal("losses")
def no_losses(rng, n):
    return {"predicted": rng.random(n), "loss": np.zeros(n)}


@transformation("losses")
def losses_in_another_unit(rng, data):
    unit = unit_of(rng)
    return {key: value * unit for key, value in data.items()}


# ---- votes of models


def _voted(rng, truth, accuracy, classes, together=0.0):
    """Predictions of models; with `together`, errors are common to all."""
    n, m = len(truth), len(accuracy)
    luck = np.where(rng.random(n)[:, None] < together, rng.random(n)[:, None], rng.random((n, m)))
    wrong = (truth[:, None] + rng.integers(1, max(classes, 2), (n, m))) % classes
    return {"P": np.where(luck < accuracy, truth[:, None], wrong), "truth": truth}


@animal("votes")
def close_models(rng, n):
    classes, m = int(rng.integers(2, 5)), int(rng.choice([2, 3, 5, 20]))
    return _voted(rng, rng.integers(0, classes, 3 * n), rng.uniform(0.7, 0.8, m), classes)


@animal("votes")
def far_models(rng, n):
    classes, m = int(rng.integers(2, 5)), int(rng.choice([2, 3, 5, 20]))
    return _voted(rng, rng.integers(0, classes, 3 * n), rng.uniform(0.3, 0.95, m), classes)


@animal("votes")
def models_with_common_errors(rng, n):
    return _voted(rng, rng.integers(0, 3, 3 * n), np.array([0.75, 0.8, 0.7]), 3, together=0.9)


@animal("votes")
def models_that_agree(rng, n):
    truth = rng.integers(0, 2, n)
    return {"P": np.repeat(rng.integers(0, 2, n)[:, None], 3, axis=1), "truth": truth}


@animal("votes")
def rare_class(rng, n):
    truth = (rng.random(4 * n) < 0.05).astype(np.int64)
    return _voted(rng, truth, np.array([0.9, 0.93, 0.95]), 2)


@animal("votes")
def many_classes(rng, n):
    return _voted(rng, rng.integers(0, 50, 2 * n), np.array([0.5, 0.6]), 50)
