"""Random numbers: known answers of Philox, the law of every draw, independence of streams."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from steelyard import _core

pytestmark = pytest.mark.smoke

SIZE = 40_000
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10 as Salmon et al. (SC'11) define it."""
    c, k = list(counter), list(key)
    for _ in range(10):
        even, odd = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [odd >> 32 ^ c[1] ^ k[0], odd & MASK, even >> 32 ^ c[3] ^ k[1], even & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def words(value):
    return [value & MASK, value >> 32]


def draw(kind, *law, seed=12345, stream=0, size=SIZE):
    return _core.testing._random(kind, size, seed, stream, *law)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_the_formula_gives_the_published_answers_of_random123(counter, key, expected):
    def numbers(text):
        return [int(word, 16) for word in text.split()]

    assert philox(numbers(counter), numbers(key)) == numbers(expected)


@pytest.mark.parametrize("seed", [0, 1, 0xDEADBEEF, 2**63 + 12345, 2**64 - 1])
@pytest.mark.parametrize("stream", [0, 1, 2**32 - 1, 2**32, 2**64 - 1])
def test_bits_are_philox_blocks_keyed_by_the_seed_and_counted_per_stream(seed, stream):
    expected = [word for block in range(5) for word in philox([block, 0, *words(stream)], words(seed))]
    assert draw("bits", seed=seed, stream=stream, size=10).view(np.uint32).tolist() == expected


LAWS = {
    "uniform": ("uniform", (), stats.uniform()),
    "uniform_open": ("uniform_open", (), stats.uniform()),
    "exponential": ("exponential", (), stats.expon()),
    "normal": ("normal", (), stats.norm()),
    **{f"gamma {a}": ("gamma", (a,), stats.gamma(a)) for a in (0.05, 0.5, 1.0, 1.5, 2.0, 3.0, 17.5, 1e4)},
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_continuous_laws_pass_kolmogorov_smirnov(law, seed):
    kind, parameters, expected = LAWS[law]
    assert stats.kstest(draw(kind, *parameters, seed=seed), expected.cdf).pvalue > 1e-4


@pytest.mark.parametrize("seed", [1, 2])
def test_the_tails_of_the_normal_are_right(seed):
    x = draw("normal", seed=seed, size=4_000_000)
    for edge in (3.0, 3.6541528853610088, 4.0, 4.5):
        for count in ((x > edge).sum(), (x < -edge).sum()):
            assert stats.binomtest(int(count), len(x), stats.norm.sf(edge)).pvalue > 1e-4
    # the innermost and the middle of the ziggurat
    for low, high in ((-0.05, 0.05), (0.2, 0.3), (1.0, 1.1)):
        share = stats.norm.cdf(high) - stats.norm.cdf(low)
        assert stats.binomtest(int(((x > low) & (x < high)).sum()), len(x), share).pvalue > 1e-4


def chi_square_p(values, law, low, high):
    """Pearson's test with cells joined until each expects 10 or more."""
    grid = np.arange(low, high + 1)
    expected = law.pmf(grid) * len(values)
    observed = np.bincount(values - low, minlength=len(grid)).astype(float)
    cells, current = [], [0.0, 0.0]
    for o, e in zip(observed, expected, strict=True):
        current = [current[0] + o, current[1] + e]
        if current[1] >= 10:
            cells.append(current)
            current = [0.0, 0.0]
    cells[-1] = [cells[-1][0] + current[0], cells[-1][1] + current[1]]
    o, e = np.array(cells).T
    return stats.chi2.sf(((o - e) ** 2 / e).sum(), len(o) - 1) if len(o) > 1 else 1.0


@pytest.mark.parametrize(
    ("n", "p"),
    [
        (1, 0.3),
        (10, 0.5),
        (19, 0.5),
        (20, 0.5),
        (21, 0.5),
        (50, 0.9),
        (100, 0.0999),
        (100, 0.1001),
        (1000, 0.004),
        (1000, 0.3),
        (1000, 0.97),
        (1_000_000, 1e-6),
        (1_000_000, 2e-5),
        (10_000, 0.5),
    ],
)
def test_binomials_have_the_exact_law(n, p):
    values = draw("binomial", n, p)
    law = stats.binom(n, p)
    assert values.min() >= 0
    assert values.max() <= n
    low, high = int(min(values.min(), law.ppf(1e-6))), int(max(values.max(), law.ppf(1 - 1e-6)))
    assert chi_square_p(values, law, low, high) > 1e-4


def test_large_binomials_have_mean_and_variance():
    n, p = 10**12, 0.37
    values = draw("binomial", n, p).astype(float)
    z = (values - n * p) / np.sqrt(n * p * (1 - p))
    assert stats.kstest(z, stats.norm.cdf).pvalue > 1e-4


def test_binomials_at_the_edges():
    assert set(draw("binomial", 0, 0.5, size=10)) == {0}
    assert set(draw("binomial", 7, 0.0, size=10)) == {0}
    assert set(draw("binomial", 7, 1.0, size=10)) == {7}


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 100, 1000])
def test_below_is_uniform(n):
    counts = np.bincount(draw("below", n), minlength=n)
    assert len(counts) == n
    assert n == 1 or stats.chisquare(counts).pvalue > 1e-4


def test_below_is_unbiased_for_sizes_near_the_word():
    n = 3 * 2**61  # a remainder would fall on the lower half twice as often
    share = (draw("below", n) < n // 2).mean()
    assert abs(share - 0.5) < 0.02


def test_uniforms_stay_in_their_intervals_on_a_fine_grid():
    x = draw("uniform", size=1_000_000)
    assert x.min() >= 0
    assert x.max() < 1
    assert np.array_equal(x * 2.0**53, np.floor(x * 2.0**53))
    y = draw("uniform_open", size=1_000_000)
    assert y.min() > 0
    assert y.max() < 1


def test_successive_draws_are_uncorrelated():
    x = draw("normal", size=500_000)
    for lag in (1, 2, 3, 4, 7):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / np.sqrt(len(x))
    squares = x**2
    assert abs(np.corrcoef(squares[:-1], squares[1:])[0, 1]) < 5 / np.sqrt(len(x))


def test_streams_and_seeds_are_uncorrelated():
    streams = np.array([draw("normal", seed=s, stream=k, size=20_000) for s in (0, 1) for k in range(10)])
    correlation = np.corrcoef(streams) - np.eye(len(streams))
    assert np.abs(correlation).max() < 5.5 / np.sqrt(20_000)


def test_a_stream_does_not_depend_on_the_thread_that_draws_it():
    expected = [draw("gamma", 2.5, stream=k, size=2000).tobytes() for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda k: draw("gamma", 2.5, stream=k, size=2000).tobytes(), range(40)))
    assert answers == expected


def test_an_unknown_law_is_refused():
    with pytest.raises(ValueError, match="kind"):
        draw("cauchy")


@pytest.mark.parametrize("games", [1, 2, 7])
@pytest.mark.parametrize("z", [0.0, 0.3, -2.0, 3.2, 8.0, 60.0, 3000.0])
def test_polya_gamma_has_its_laplace_transform(games, z):
    """E exp(-t omega) = (cosh(z / 2) / cosh(sqrt(z^2 / 4 + t / 2)))^n, to five standard errors."""
    omega = draw("polya_gamma", games, z)
    mean = games * (0.25 if z == 0 else np.tanh(z / 2) / (2 * z))

    def log_cosh(x):
        return x + np.log1p(np.exp(-2 * x)) - np.log(2)

    for t in np.array([0.1, 1.0, 10.0]) / mean:
        found = np.exp(-t * omega)
        expected = np.exp(games * (log_cosh(abs(z) / 2) - log_cosh(np.sqrt(z * z / 4 + t / 2))))
        assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(SIZE)
    assert abs(omega.mean() - mean) < 5 * omega.std() / np.sqrt(SIZE)


def test_polya_gamma_has_its_density():
    """P(PG(1, 0) <= x) summed from the tails' exponentials, on both sides of the sampler's cut."""
    n = np.arange(200)[:, None]

    def survival(x):
        rate = (n + 0.5) ** 2 * np.pi**2 / 2
        return (np.pi * (n + 0.5) * (-1.0) ** n * np.exp(-rate * 4 * x) / rate).sum(axis=0)

    found = stats.kstest(
        draw("polya_gamma", 1, 0.0), lambda x: 1 - survival(np.maximum(np.atleast_1d(x), 1e-3))
    )
    assert found.pvalue > 1e-3


def test_polya_gamma_at_the_ends():
    assert (draw("polya_gamma", 0, 1.0, size=10) == 0).all()
    assert np.isnan(draw("polya_gamma", 1, np.nan, size=2)).all()
    for z in (1e8, 1e300):
        np.testing.assert_allclose(draw("polya_gamma", 1, z, size=10) * z, 0.5, rtol=1e-2)
