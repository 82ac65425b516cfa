"""Nearest metrics, projections, clusterings and learned metrics against exact rationals, HiGHS and enumeration."""

from __future__ import annotations

import functools
import itertools
import warnings
from fractions import Fraction

import numpy as np
from scipy import sparse
from scipy.optimize import isotonic_regression, linprog

from steelyard import metric

from .trials import Claim, trial

EPS = float(np.finfo(float).eps)
