"""Numbers that no float64 or kernel holds, and what is no number: an error that names the argument."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from steelyard import ConvergenceWarning, _core, build_info, metric, rank, select, weigh
from steelyard import _validate as v
from steelyard._spelling import shown

pandas = pytest.importorskip("pandas")
sparse = pytest.importorskip("scipy.sparse")

HUGE = [10**400, -(10**400), 10**5000, Fraction(10**400), Fraction(10**400, 3)]


def games():
    return rank.Comparisons.from_pairs(["a", "b", "c"] * 4, ["b", "c", "a"] * 4)


@pytest.mark.parametrize("value", HUGE, ids=shown)
@pytest.mark.parametrize("check", [v.check_number, v.check_positive, v.check_nonnegative, v.check_level])
def test_numbers_beyond_float64_are_refused_by_name(check, value):
    with pytest.raises(ValueError, match=r"^scale must be finite in float64, got") as caught:
        check(value, "scale")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [2**31, 2**63, 10**400, 10**5000, -1, -(10**5000)], ids=shown)
def test_numbers_of_steps_are_refused_beyond_32_bits(value):
    with pytest.raises(ValueError, match=r"^max_iter must be"):
        v.check_steps(value, "max_iter")
    assert v.check_steps(2**31 - 1, "max_iter") == 2**31 - 1


@pytest.mark.parametrize("value", [2**31, 2**40, 2**63, 10**5000], ids=shown)
def test_solvers_name_the_number_of_steps(value):
    X = np.random.default_rng(0).normal(size=(20, 2))
    d = np.abs(X @ X.T)[np.triu_indices(20, 1)]
    calls = (
        lambda: rank.bradley_terry(games(), max_iter=value),
        lambda: rank.plackett_luce([["a", "b"], ["b", "a"]], max_iter=value),
        lambda: metric.nearest_metric(d, max_iter=value),
        lambda: metric.correlation_clustering(np.eye(3), max_iter=value),
        lambda: select.kmeans(X, 2, max_iter=value),
        lambda: weigh.solve_simplex_qp(np.eye(2), [0.0, 0.0], max_iter=value),
        lambda: metric.ITML(max_iter=value).fit([[[0.0], [1.0]], [[0.0], [3.0]]], [1, -1]),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"^max_iter must be"):
            call()


def test_what_a_message_shows_is_short_whatever_arrives():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert shown(Broken()) == "<Broken>"
    assert shown(10**5000) == "an integer of 16610 bits"
    assert shown([0] * 10_000).endswith("...")
    assert shown(-7) == "-7"


@pytest.mark.parametrize(
    "rng",
    ["a", -1, 1.5, [1, -2], object(), -(10**5000)],
    ids=["text", "negative", "fraction", "list", "object", "huge"],
)
def test_a_seed_that_is_none_is_refused_by_name(rng):
    with pytest.raises((TypeError, ValueError), match=r"^rng must be None, an integer >= 0"):
        select.kmeans(np.eye(4), 2, rng=rng)


# ---- threads


def test_more_threads_than_can_be_of_use_are_not_started(run_python):
    code = """
from pathlib import Path
import numpy as np
from steelyard import weigh, _core
X = np.random.default_rng(0).normal(size=(3000, 3))
found = weigh.weighting(X, n_threads=100_000, method="cg", tol=1e-4)
count = int(Path("/proc/self/status").read_text().split("Threads:")[1].split()[0])
print(count <= _core._most_threads() + 8, found.info.message)
"""
    few, said = run_python(code, OPENBLAS_NUM_THREADS="1").split(" ", 1)
    assert few == "True"
    assert "n_threads=100000 is more than can be of use here" in said
    assert f"{_core._most_threads()} were allowed" in said


@pytest.mark.parametrize("n_threads", [2**31, 2**62])
def test_every_solver_says_that_threads_were_capped(n_threads):
    X = np.random.default_rng(0).normal(size=(20, 2))
    fit = rank.bradley_terry(games(), n_threads=n_threads)
    orders = [["a", "b"], ["b", "c"], ["c", "a"]]
    infos = [
        fit.info,
        fit.bootstrap(2, rng=0, n_threads=n_threads).info,
        rank.plackett_luce(orders, n_threads=n_threads).info,
        metric.nearest_metric([1.0, 1.0, 1.0], n_threads=n_threads).info,
        metric.correlation_clustering(np.eye(3), n_threads=n_threads).info,
        weigh.weighting(X, n_threads=n_threads).info,
        weigh.max_diversity(X, n_threads=n_threads).info,
        weigh.magnitude_function(X, [1.0], n_threads=n_threads).info,
        weigh.solve_simplex_qp(np.eye(2), [0.0, 0.0], n_threads=n_threads).info,
        select.kmeans(X, 2, n_threads=n_threads).info,
    ]
    for info in infos:
        assert f"n_threads={n_threads} is more" in info.message
    assert "n_threads" not in rank.bradley_terry(games(), n_threads=2).info.message


def test_the_cap_leaves_room_for_every_processor(monkeypatch):
    most = _core._most_threads()
    assert most >= max(64, build_info()["threads"])
    assert v.check_threads(most) == most
    assert v.check_threads(most + 1) == most
    monkeypatch.setenv("STEELYARD_NUM_THREADS", "99999999999999999999")
    assert v.check_threads(None) == most


# ---- arrays


def test_columns_of_numbers_of_which_some_are_nullable_are_read():
    frame = pandas.DataFrame(
        {"a": pandas.array([1, 2, 3], "Int64"), "b": pandas.array([1.5, 2, 2], "Float64")}
    )
    np.testing.assert_array_equal(v.real_array(frame, "X"), [[1, 1.5], [2, 2], [3, 2]])
    np.testing.assert_array_equal(v.real_array(frame["a"], "X"), [1, 2, 3])
    holes = pandas.Series(pandas.array([1, None], "Int64"))
    np.testing.assert_array_equal(v.real_array(holes, "x"), [1, np.nan])
    with pytest.raises(ValueError, match=r"x has 1 entries that are NaN"):
        v.check_vector(holes, "x")


ODD = [
    (sparse.csr_array(np.eye(3)), r"X is a sparse csr_array, and every entry is needed: X\.toarray\(\)"),
    ([[1.0, 2.0], [3.0]], "X is ragged: its rows differ in length"),
    ([["1", "2"]], r"got dtype <U1 \(text\)"),
    ([[1j]], "got dtype complex128: take real parts"),
    (np.array([["2020-01-01"]], "M8[D]"), r"\(times\): subtract a start"),
    ([[1.0, None]], "with entries such as None"),
    ([[Decimal(1)]], "with entries such as Decimal"),
    (pandas.DataFrame({"a": [1.0], "b": ["x"]}), "column 'b' holds"),
    (pandas.DataFrame({"a": pandas.Categorical(["x"])}), "column 'a' holds category"),
    ({1, 2}, "got dtype object, from {1, 2}"),
]


@pytest.mark.parametrize(("values", "words"), ODD)
def test_what_holds_no_real_numbers_is_told_what_to_do(values, words):
    for call in (lambda: v.real_array(values, "X"), lambda: weigh.weighting(values)):
        with pytest.raises((TypeError, ValueError), match=words):
            call()


def test_rows_made_by_a_function_are_checked_like_a_matrix():
    K = np.diag([1.0, 2.0, 3.0])
    ways = {
        "complex": lambda rows: K[rows] * 1j,
        "object": lambda rows: K[rows].astype(object),
        "text": lambda rows: K[rows].astype(str),
        "ragged": lambda rows: [[1, 2, 3], [1]],
        "nothing": lambda rows: None,
        "masked": lambda rows: np.ma.masked_less(K[rows], 0.5),
        "nan": lambda rows: K[rows] * np.nan,
        "short": lambda rows: K[rows][:, :2],
    }
    for way, rows in ways.items():
        with pytest.raises((TypeError, ValueError), match=r"^K\(indices\)"):
            weigh.solve_simplex_qp(rows, [0.0, 0.0, 0.0])
        if way in ("masked", "object"):
            continue  # a kernel can't see masks, and takes objects that are floats
        with pytest.raises((TypeError, ValueError), match=r"K\(indices\)"):
            _core.linalg._simplex_qp(rows, np.zeros(3), np.zeros(3), np.ones(3), 1.0, 1e-8)
    same = weigh.solve_simplex_qp(lambda rows: K[rows].astype(np.longdouble), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(same.x, np.array([6.0, 3.0, 2.0]) / 11, rtol=1e-8)


# ---- overflow within


@pytest.mark.parametrize("total", [1e308, -1e308, 1e200])
def test_an_objective_beyond_float64_is_said_and_ends(total):
    with pytest.warns(ConvergenceWarning, match="the objective is beyond float64: give K, q"):
        found = weigh.solve_simplex_qp(np.eye(2), [0.0, 0.0], total=total, lower=min(total, 0.0))
    assert not found.info.converged


def test_probabilities_so_small_that_a_loss_overflows_are_refused():
    with pytest.raises(ValueError, match=r"probabilities are too small for the losses: 1.0 / 5e-324"):
        select.active_test([1.0, 0.0, 2.0], [5e-324, 0.5, 0.5], 4)
    huge = select.active_test([1.0, 0.0, 2.0], [1 / 3, 1 / 2, 1.0], 2**63 - 1)
    assert np.isfinite([huge.risk, huge.standard_error]).all()
