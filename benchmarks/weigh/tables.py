"""Labelled tables for the pages on outliers, classes and queries."""

from __future__ import annotations

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


def labelled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features as they are, and classes."""
    if name == "ionosphere":
        path = next((p for p in adbench() if "onosphere" in p.name), None)
        if path is None:
            pytest.skip(f"no Ionosphere in {ADBENCH}")
        return outlier_set(path)[1:]
    return BUNDLED[name](return_X_y=True)
