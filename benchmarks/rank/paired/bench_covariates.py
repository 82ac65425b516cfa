"""Strengths net of style: 200 items, a million votes (about 20 % ties, half a win each), four covariates.

Timed: from integer arrays to strengths, coefficients and their robust standard errors. scikit-learn has no
standard errors, so its fit alone. Give a Python that has `arena-rank` in ARENA_RANK_PYTHON; it runs as a
process of its own with its regularisation off, on arrays of its own making, and its compilation left out (a
first call on a thousand votes). Errors are of the coefficients against steelyard's at a decrement of 1e-12.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile

import numpy as np
import pytest
from scipy import sparse

from steelyard.rank import Comparisons, bradley_terry

ITEMS, VOTES = 200, 1_000_000
BETA = np.array([0.5, 0.1, 0.05, 0.02])  # of one root mean square, as lengths and formatting have them


@functools.cache
def votes():
    """First and second item, covariates first less second, and 1, .5 or 0 for the first."""
    rng = np.random.default_rng(0)
    s = rng.normal(size=ITEMS)
    weight = (np.arange(ITEMS) + 1.0) ** -0.5
    edges = np.cumsum(weight / weight.sum())
    first, second = (np.minimum(np.searchsorted(edges, rng.random(VOTES)), ITEMS - 1) for _ in range(2))
    first, second = first[first != second], second[first != second]
    style = rng.normal(size=(ITEMS, 4))  # items have habits
    z = style[first] - style[second] + rng.standard_t(4, size=(len(first), 4))
    x, nu = s[first] - s[second] + z @ BETA, 0.6
    u = rng.random(len(x)) * (np.exp(x / 2) + np.exp(-x / 2) + nu)
    score = np.where(u < np.exp(x / 2), 1.0, np.where(u >= np.exp(x / 2) + np.exp(-x / 2), 0.5, 0.0))
    return first, second, z, score


def comparisons():
    first, second, z, score = votes()
    swap = score == 0
    return Comparisons.from_pairs(
        np.where(swap, second, first),
        np.where(swap, first, second),
        tie=score == 0.5,
        covariates=np.where(swap[:, None], -z, z),
    )


def fit(**options):
    found = bradley_terry(comparisons(), ties="half", covariates=True, standardize=False, **options)
    return found, found.coefficients.standard_errors()


@functools.cache
def exact():
    return fit(tol=1e-12)


def error(coefficients):
    return f"{np.abs(np.asarray(coefficients) - exact()[0].coefficients.values).max():.1e}"


def test_steelyard(benchmark):
    benchmark.group = "covariates"
    votes()
    found, _ = benchmark.pedantic(fit, rounds=5)
    benchmark.extra_info |= {
        "error": error(found.coefficients.values),
        "fit alone": f"{found.info.seconds:.2f} s",
        "decrement": f"{found.info.error_bound:.1e}",
    }


def test_davidson(benchmark):
    benchmark.group = "covariates, Davidson ties"
    found = benchmark.pedantic(bradley_terry, (comparisons(),), {"covariates": True}, rounds=3)
    benchmark.extra_info["decrement"] = f"{found.info.error_bound:.1e}"


def test_scikit_learn(benchmark):
    """Logistic regression on the sparse design, each tie as two half votes."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    first, second, z, score = votes()
    benchmark.group = "covariates"

    def run():
        m = len(first)
        rows = np.arange(m)
        strengths = sparse.csr_array(
            (np.r_[np.ones(m), -np.ones(m)], (np.r_[rows, rows], np.r_[first, second])), shape=(m, ITEMS)
        )
        design = sparse.hstack([strengths, sparse.csr_array(z)], format="csr")
        both = sparse.vstack([design, design], format="csr")
        model = linear_model.LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=1000)
        model.fit(both, np.r_[np.ones(m), np.zeros(m)], sample_weight=np.r_[score, 1 - score] + 1e-300)
        return model.coef_[0, ITEMS:]

    benchmark.extra_info["error"] = error(benchmark.pedantic(run, rounds=1))


ARENA_RANK = """
import json, sys, time
import numpy as np
import jax.numpy as jnp
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset
data = np.load(sys.argv[1])
def run(rows):
    first, second, z, score = (data[name][:rows] for name in ("first", "second", "z", "score"))
    items = int(data["items"])
    table = ContextualPairDataset(
        competitors=list(range(items)),
        pairs=jnp.asarray(np.column_stack([first, second]).astype(np.int32)),
        outcomes=jnp.asarray(score),
        features=jnp.asarray(z),
        weights=jnp.ones(len(first)),
    )
    model = ContextualBradleyTerry(items, z.shape[1], reg=0.0)
    found = model.compute_ratings_and_cis(table)
    return np.asarray(found["coeffs"]).tolist(), float(np.asarray(found["rating_lower"])[0])
run(1000)
start = time.perf_counter()
coefficients, _ = run(None)
print(json.dumps([time.perf_counter() - start, coefficients]))
"""


def test_arena_rank(benchmark):
    python = os.environ.get("ARENA_RANK_PYTHON")
    if python is None:
        pytest.skip("ARENA_RANK_PYTHON is not set")
    benchmark.group = "covariates"
    first, second, z, score = votes()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "votes.npz")
        np.savez(path, first=first, second=second, z=z, score=score, items=ITEMS)
        out = benchmark.pedantic(
            lambda: (
                subprocess.run(
                    [python, "-c", ARENA_RANK, path], capture_output=True, check=True, text=True
                ).stdout
            ),
            rounds=1,
        )
    seconds, coefficients = json.loads(out.strip().splitlines()[-1])
    benchmark.extra_info |= {"seconds without start": f"{seconds:.2f}", "error": error(coefficients)}
