"""Draws the weights of a million points: python picture_of_a_million.py [FILE.pdf] [POINTS]."""

from __future__ import annotations

import sys
import time

import numpy as np

from steelyard import plotting, progress_bar, weigh


def scan(n: int) -> np.ndarray:
    """A disc with a hole and a notch."""
    x = np.random.default_rng(0).uniform(-1, 1, size=(2 * n, 2))
    hole = np.hypot(x[:, 0] - 0.3, x[:, 1] - 0.1) > 0.35
    notch = ~((x[:, 0] < -0.2) & (np.abs(x[:, 1] + 0.2) < 0.12))
    return x[(np.hypot(*x.T) < 1) & hole & notch][:n]


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else "million.pdf"
    x = scan(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    start = time.perf_counter()
    with progress_bar("weighing") as progress:
        found = weigh.weighting(x, scale=20.0, tol=1e-6, progress=progress)
    print(found)
    print(
        f"{time.perf_counter() - start:.0f} s; residual {found.info.residual:.1e}, {found.info.residual_kind}"
    )
    axes = plotting.plot_weights(found)
    axes.set_aspect("equal")
    axes.figure.savefig(path, dpi=300)


if __name__ == "__main__":
    main()
