"""Draws of Markov chains and how far they can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 256


def effective_sizes(draws: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Rank-normalised split R-hat and bulk effective sample size of each quantity.

    `draws` has shape (chains, draws, quantities). Quantities that never move have R-hat 1 and all draws,
    those that are not finite somewhere NaN.

    Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner, Bayesian Analysis 16 (2021).
    """
    chains, n, p = draws.shape
    r_hat, ess = np.ones(p), np.full(p, float(chains * n))
    if n < 4:
        return np.full(p, np.nan), np.full(p, np.nan)
    half = n // 2
    for start in range(0, p, _BLOCK):
        block = draws[:, :, start : start + _BLOCK].astype(np.float64)
        split = np.concatenate([block[:, :half], block[:, n - half :]])
        low, high = split.min(axis=(0, 1)), split.max(axis=(0, 1))
        finite = np.isfinite(low) & np.isfinite(high)
        lost = start + np.flatnonzero(~finite)
        r_hat[lost] = ess[lost] = np.nan
        moves = (high > low) & finite
        if not moves.any():
            continue
        where = start + np.flatnonzero(moves)
        z = _normal_scores(split[:, :, moves])
        spread = np.abs(split[:, :, moves] - np.median(split[:, :, moves], axis=(0, 1)))
        r_hat[where] = np.maximum(_r_hat(z), _r_hat(_normal_scores(spread)))
        ess[where] = _ess(z)
    return r_hat, ess


def _normal_scores(x: Floats) -> Floats:
    from scipy import special, stats

    chains, n, p = x.shape
    ranks = stats.rankdata(x.reshape(chains * n, p), axis=0)
    return np.asarray(special.ndtri((ranks - 0.375) / (chains * n + 0.25)).reshape(x.shape))


def _variances(x: Floats) -> tuple[Floats, Floats]:
    """Within chains, and the pooled estimate of the variance."""
    n = x.shape[1]
    within = x.var(axis=1, ddof=1).mean(axis=0)
    between = x.mean(axis=1).var(axis=0, ddof=1)
    return within, (n - 1) / n * within + between


def _r_hat(x: Floats) -> Floats:
    within, pooled = _variances(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(pooled / within)
    return np.where(within > 0, ratio, np.where(pooled > 0, np.inf, 1.0))


def _ess(x: Floats) -> Floats:
    """Autocorrelations by Fourier transform, summed over Geyer's initial monotone sequence."""
    chains, n, _ = x.shape
    centred = x - x.mean(axis=1, keepdims=True)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n].mean(axis=0) / n
    within, pooled = _variances(x)
    rho = 1.0 - (within - covariance * n / (n - 1)) / pooled
    rho[0] = 1.0
    pairs = rho[0 : n - n % 2 : 2] + rho[1:n:2]
    kept = np.logical_and.accumulate(pairs > 0, axis=0)
    falling = np.minimum.accumulate(np.where(kept, pairs, 0.0), axis=0)
    tau = np.maximum(-1.0 + 2.0 * falling.sum(axis=0), 1.0 / np.log10(chains * n))
    return np.asarray(chains * n / tau)
