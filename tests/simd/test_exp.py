"""exp of arrays, on every instruction set."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steelyard import _core

pytestmark = [pytest.mark.smoke, pytest.mark.kernel]

SIZES = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97]


def grid64():
    rng = np.random.default_rng(0)
    return np.concatenate(
        [
            np.linspace(-708.3, 709.7, 100_001),
            rng.normal(size=100_000),
            rng.uniform(-1e-3, 1e-3, 50_000),
            (np.arange(-1020, 1023) + 0.5) * math.log(2),
            (np.arange(-1020, 1023) + 0.4999999) * math.log(2),
        ]
    )


def grid32():
    rng = np.random.default_rng(0)
    parts = [np.linspace(-87.3, 88.7, 100_001), rng.normal(size=100_000), rng.uniform(-1e-3, 1e-3, 50_000)]
    return np.concatenate(parts).astype(np.float32)


def worst_errors():
    """Largest relative errors; float64 against long double, float32 against float64."""
    x, y = grid64(), grid32()
    exact, exact32 = np.exp(x.astype(np.longdouble)), np.exp(y.astype(np.float64))
    return (
        float(np.max(np.abs(_core.testing._exp(x) - exact) / exact)),
        float(np.max(np.abs(_core.testing._exp_f32(y) - exact32) / exact32)),
    )


SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 710.0, 1e308, -709.0, -1e308, 5e-324, 709.78, -708.39]
SPECIAL32 = [0.0, -0.0, math.inf, -math.inf, math.nan, 89.0, 3e38, -88.0, -3e38, 1e-45, 88.72, -87.33]


def special_values():
    return _core.testing._exp(np.array(SPECIAL)), _core.testing._exp_f32(np.array(SPECIAL32, np.float32))


def sizes():
    """The same numbers in arrays of every size."""
    x = np.linspace(-5, 5, 97)
    return [(_core.testing._exp(x[:n]), _core.testing._exp_f32(x[:n].astype(np.float32))) for n in SIZES]


def test_errors_stay_near_the_last_bit(isa_level, on_isa):
    error64, error32 = on_isa(isa_level, worst_errors)
    assert error64 < 2.3e-16
    assert error32 < 1.2e-7


def test_special_values_keep_their_meaning(isa_level, on_isa):
    for got in on_isa(isa_level, special_values):
        assert got[0] == got[1] == 1
        assert got[2] == math.inf
        assert got[3] == 0
        assert math.isnan(got[4])
        assert got[5] == got[6] == math.inf
        assert got[7] == got[8] == 0
        assert got[9] == 1
        assert 0 < got[11] < 1 < got[10] < math.inf


def test_every_size_gives_the_same_numbers(isa_level, on_isa):
    answers = on_isa(isa_level, sizes)
    for n, (got64, got32) in zip(SIZES, answers, strict=True):
        assert len(got64) == len(got32) == n
        np.testing.assert_allclose(got64, answers[-1][0][:n], rtol=2.3e-16)
        np.testing.assert_allclose(got32, answers[-1][1][:n], rtol=1.2e-7)


def test_exp_rises_with_its_argument():
    x = np.sort(np.random.default_rng(3).uniform(-700, 700, 200_000))
    assert np.all(np.diff(_core.testing._exp(x)) >= 0)


def test_no_numbers_give_no_numbers():
    assert _core.testing._exp(np.zeros(0)).shape == (0,)
    assert _core.testing._exp_f32(np.zeros(0, np.float32)).shape == (0,)


def test_the_input_is_not_altered():
    x = np.ones(5)
    _core.testing._exp(x)
    assert np.array_equal(x, np.ones(5))


@pytest.mark.parametrize("wrong", [np.ones((2, 2)), np.ones(2, complex), ["a"]])
def test_nonsense_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        _core.testing._exp(wrong)
