"""Shared checks: what passes, what is refused, and that messages name the argument and what arrived."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from steelyard import _validate as v
from support import hostile

pytestmark = pytest.mark.smoke

NO_NUMBERS = [None, "1", True, np.bool_(True), [1.0], 1j, np.array([1.0, 2.0])]
NOT_FINITE = [math.nan, math.inf, -math.inf, np.float32("nan")]
NUMBERS = [1, 0.5, np.float32(0.5), np.int8(1), Fraction(1, 2)]


@pytest.mark.parametrize("check", [v.check_number, v.check_positive, v.check_nonnegative])
@pytest.mark.parametrize("value", NUMBERS)
def test_real_numbers_of_any_kind_become_floats(check, value):
    result = check(value, "scale")
    assert type(result) is float
    assert result == value


@pytest.mark.parametrize("check", [v.check_number, v.check_positive, v.check_nonnegative, v.check_level])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_a_type_error(check, value):
    with pytest.raises(TypeError, match="scale must be a number, got"):
        check(value, "scale")


@pytest.mark.parametrize("check", [v.check_number, v.check_positive, v.check_nonnegative, v.check_level])
@pytest.mark.parametrize("value", NOT_FINITE)
def test_nan_and_infinities_are_refused(check, value):
    with pytest.raises(ValueError, match="scale must be finite, got"):
        check(value, "scale")


def test_signs_are_checked():
    assert v.check_nonnegative(0, "prior") == 0
    with pytest.raises(ValueError, match=r"prior must be zero or positive, got -1\.0"):
        v.check_nonnegative(-1, "prior")
    with pytest.raises(ValueError, match=r"tol must be positive, got 0\.0"):
        v.check_positive(0, "tol")


def test_levels_lie_strictly_between_0_and_1_and_percentages_get_a_hint():
    assert v.check_level(0.95) == 0.95
    with pytest.raises(ValueError, match=r"did you mean 0\.95"):
        v.check_level(95)
    for value in (0, 1, -0.5):
        with pytest.raises(ValueError, match="level must lie strictly between 0 and 1"):
            v.check_level(value)


def test_counts_are_integers_of_at_least_the_least():
    assert v.check_count(np.int64(3), "rounds") == 3
    assert v.check_count(0, "rounds", least=0) == 0
    for value in (1.0, "1", None, True, np.bool_(False), [1]):
        with pytest.raises(TypeError, match="rounds must be an integer, got"):
            v.check_count(value, "rounds")
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        v.check_count(0, "rounds")


def test_choices_and_flags():
    assert v.check_choice("b", "method", ("a", "b")) == "b"
    for value in ("c", None, 1, ["a"], np.array(["a", "b"])):
        with pytest.raises(ValueError, match="method must be one of 'a', 'b', got"):
            v.check_choice(value, "method", ("a", "b"))
    assert v.check_flag(np.bool_(True), "home") is True
    for value in (1, "yes", None):
        with pytest.raises(TypeError, match="home must be True or False, got"):
            v.check_flag(value, "home")


def test_threads_default_to_the_environment(monkeypatch):
    monkeypatch.setenv("STEELYARD_NUM_THREADS", "3")
    assert v.check_threads(None) == 3
    assert v.check_threads(2) == 2
    for value in (0, -1):
        with pytest.raises(ValueError, match="n_threads"):
            v.check_threads(value)
    with pytest.raises(TypeError, match="n_threads"):
        v.check_threads(1.5)


def test_progress_is_callable_or_none():
    assert v.check_progress(None) is None
    assert v.check_progress(print) is print
    with pytest.raises(TypeError, match="progress must be callable"):
        v.check_progress(True)


def test_seeds_follow_spec_7():
    assert v.seed_words(7) == v.seed_words(7) == v.seed_words(np.random.default_rng(7))
    assert v.seed_words(7) != v.seed_words(8)
    generator = np.random.default_rng(7)
    assert v.seed_words(generator) != v.seed_words(generator)
    assert v.seed_words(None) != v.seed_words(None)
    assert v.seed_words(np.random.SeedSequence(7)) == v.seed_words(7)
    assert all(0 <= word < 2**64 for word in v.seed_words(7))
    with pytest.raises(TypeError):
        v.seed_words("seven")


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_vectors_of_any_layout_and_type_become_float64(variant):
    hostile.check_same(lambda a: v.check_vector(a, "weight"), np.arange(12.0), variant)
    assert v.check_vector(variant.make(np.arange(4.0)), "weight").dtype == np.float64


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"empty"}))
def test_nonsense_vectors_are_refused_by_name(variant):
    hostile.check_refused(lambda a: v.check_vector(a, "weight"), np.arange(12.0), variant, "weight")


def test_lengths_are_checked_and_the_first_bad_row_is_named():
    assert len(v.check_vector([], "weight")) == 0
    with pytest.raises(ValueError, match="weight must have length 3, got 2"):
        v.check_vector([1, 2], "weight", length=3)
    with pytest.raises(ValueError, match=r"2 entries that are NaN or infinite \(first: row 1\)"):
        v.check_vector([1, math.nan, math.inf], "weight")


def test_a_float64_vector_is_not_copied():
    a = np.arange(3.0)
    assert np.shares_memory(v.check_vector(a, "weight"), a)
