"""Signed graphs to cluster: two public networks, and graphs made like large ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from steelyard import metric

FOLDER = Path(os.environ.get("STEELYARD_GRAPHS", "nowhere"))


def network(name):
    """Signs of bitcoinotc.csv or wikielections.csv.gz (SNAP), from STEELYARD_GRAPHS; None without."""
    file = FOLDER / {"bitcoinotc": "bitcoinotc.csv", "wikielections": "wikielections.csv.gz"}[name]
    if not file.exists():
        return None
    rows = np.genfromtxt(file, delimiter=",", encoding="utf-8-sig", usecols=(0, 1, 2))
    i, j, sign = rows[:, 0].astype(int), rows[:, 1].astype(int), np.sign(rows[:, 2])
    kept = (i != j) & (sign != 0)
    i, j, sign = i[kept], j[kept], sign[kept]
    n = int(max(i.max(), j.max())) + 1
    keys, place = np.unique(np.minimum(i, j) * n + np.maximum(i, j), return_inverse=True)
    total = np.sign(np.bincount(place, weights=sign))
    keys, total = keys[total != 0], total[total != 0]
    return n, keys // n, keys % n, total


def camps(n, m, groups=40, seed=0):
    """Power-law degrees; most nodes in one camp; 5 % disagree within a camp, 45 % across."""
    rng = np.random.default_rng(seed)
    share = (np.arange(n) + 1.0) ** -0.62
    node = rng.permutation(n)
    i, j = (node[rng.choice(n, m, p=share / share.sum())] for _ in range(2))
    i, j = i[i != j], j[i != j]
    keys = np.unique(np.minimum(i, j) * n + np.maximum(i, j))
    low, high = keys // n, keys % n
    camp = np.where(rng.random(n) < 0.8, 0, rng.integers(1, groups, n))
    wrong = rng.random(len(keys)) < np.where(camp[low] == camp[high], 0.05, 0.45)
    return n, low, high, np.where(wrong, -1.0, 1.0)


def voxels(side, seed=0):
    """Noisy weights between neighbours in a volume of Voronoi cells of some 4,000 voxels each."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, side, (max(20, side**3 // 4000), 3))
    at = np.stack(np.unravel_index(np.arange(side**3), (side,) * 3), axis=1)
    cell = cKDTree(centres).query(at + 2 * np.sin(0.3 * at[:, [1, 2, 0]]))[1]
    u, v = metric.grid_edges((side,) * 3)
    return side**3, u, v, np.where(cell[u] == cell[v], 1.5, -1.0) + rng.normal(size=len(u))


INSTANCES = {
    "bitcoinotc": lambda: network("bitcoinotc"),
    "wikielections": lambda: network("wikielections"),
    "camps 2,000": lambda: camps(2_000, 12_000),
    "camps 131,828": lambda: camps(131_828, 760_000),
    "camps 1,000,000": lambda: camps(1_000_000, 10_000_000),
    "voxels 64^3": lambda: voxels(64),
    "voxels 100^3": lambda: voxels(100),
}
