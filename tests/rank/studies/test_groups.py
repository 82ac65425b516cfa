"""Boards by group: the column, the shrinkage and its width, the differences that are real."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, optimize

from steelyard import DisconnectedError
from steelyard.rank import Comparisons, bradley_terry, fit_groups
from steelyard.rank._chances import outcome_chances
from steelyard.rank._paired import TeamPoint
from steelyard.rank._studies.group_bend import second_order
from steelyard.rank._studies.group_volume import estimated_log_volume
from steelyard.rank._studies.groups import _Shrunk
from steelyard.reference import rank as reference

SHARES = np.array([0.6, 0.25, 0.1, 0.05])


def grouped(width, *, n=10, games=1500, seed=0, ties=0.0, items=None):
    """Games in four groups of unequal size, whose strengths differ by `width`; and the true strengths."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n) + width * rng.normal(size=(len(SHARES), n))
    g = rng.choice(len(SHARES), games, p=SHARES)
    a = rng.integers(0, n, games)
    b = (a + rng.integers(1, n, games)) % n
    won = rng.random(games) < 1 / (1 + np.exp(s[g, b] - s[g, a]))
    table = Comparisons.from_pairs(
        np.where(won, a, b), np.where(won, b, a), tie=rng.random(games) < ties,
        group=np.array(list("wxyz"))[g],
        items=range(n),
    )  # fmt: skip
    return table, s - s.mean(axis=1, keepdims=True)


class TestColumn:
    def test_it_is_kept_by_sums_parts_and_pickles(self):
        a = Comparisons.from_pairs(["x", "y"], ["y", "z"], group=["en", "de"])
        b = Comparisons.from_pairs(["x", "z"], ["y", "x"], group=["fr", "de"])
        both = pickle.loads(pickle.dumps(a + b))
        assert both.group_labels.tolist() == ["de", "en", "fr"]
        rows = zip(both.to_frame()["left"].tolist(), both.to_frame()["group"].tolist(), strict=True)
        assert sorted(rows) == [("x", "de"), ("x", "en"), ("x", "fr"), ("y", "de")]
        assert both.subset(["x", "y"]).group_labels.tolist() == ["en", "fr"]
        assert "3 groups" in repr(both)

    def test_equal_pairs_of_two_groups_are_two_rows_and_one_to_other_fits(self):
        table = Comparisons.from_pairs(list("aab"), list("bba"), group=[1, 2, 1])
        assert table.n_rows == 2
        plain = Comparisons.from_pairs(list("aab"), list("bba"))
        np.testing.assert_allclose(bradley_terry(table).strengths, bradley_terry(plain).strengths, atol=1e-12)

    def test_frames_name_the_column(self):
        frame = {"left": ["a", "b"], "right": ["b", "a"], "won": ["left", "tie"], "tongue": ["en", "de"]}
        table = Comparisons.from_frame(frame, left="left", right="right", outcome="won", group="tongue")
        assert table.group_labels.tolist() == ["de", "en"]
        with pytest.raises(ValueError, match="no column 'lang'"):
            Comparisons.from_frame(frame, left="left", right="right", outcome="won", group="lang")

    def test_tables_with_and_without_groups_do_not_add_up(self):
        with pytest.raises(ValueError, match="has group"):
            Comparisons.from_pairs(["a"], ["b"], group=[1]) + Comparisons.from_pairs(["a"], ["b"])


class TestShrinkage:
    def test_the_optimum_is_that_of_the_penalised_likelihood(self):
        table, _ = grouped(0.5, n=4, games=300, ties=0.2)
        fit = fit_groups(table, width=0.4, ties="half", tol=1e-10)
        n, groups = 4, 4
        weights = [table.left_wins + 0.5 * table.ties, table.right_wins + 0.5 * table.ties]

        def loss(p):
            m, d = np.append(0.0, p[: n - 1]), p[n - 1 :].reshape(groups, n)
            s = m + d
            x = s[table.group, table.left] - s[table.group, table.right]
            lost = weights[0] @ np.logaddexp(0, -x) + weights[1] @ np.logaddexp(0, x)
            return lost + 0.5 * (d**2).sum() / 0.16

        found = optimize.minimize(loss, np.zeros(n - 1 + groups * n), tol=1e-12)
        s = np.append(0.0, found.x[: n - 1]) + found.x[n - 1 :].reshape(groups, n)
        np.testing.assert_allclose(fit.strengths, s - s.mean(axis=1, keepdims=True), atol=1e-4)
        assert fit.info.error_bound < 1e-10

    def test_a_narrow_width_is_the_pooled_fit_and_a_wide_one_the_groups_apart(self):
        table, _ = grouped(0.5, n=5, games=2000)
        pooled = bradley_terry(table).strengths
        np.testing.assert_allclose(
            fit_groups(table, width=1e-4).strengths, np.tile(pooled, (4, 1)), atol=1e-5
        )
        apart = fit_groups(table, shrink=False)
        np.testing.assert_allclose(fit_groups(table, width=1e4).strengths, apart.strengths, atol=1e-5)
        one = bradley_terry(table._part(table.group == 1, None))
        np.testing.assert_allclose(apart.strengths[1], one.strengths, atol=1e-9)
        np.testing.assert_allclose(apart.standard_errors[1], one.standard_errors(), rtol=1e-6)

    def test_the_width_is_where_the_integrated_likelihood_is_largest(self):
        # Two items and two groups: the difference of a group is one number, integrated by quadrature.
        won = np.array([70, 35])
        first = np.repeat(["a", "b", "a", "b"], [70, 30, 35, 65])
        second = np.where(first == "a", "b", "a")
        table = Comparisons.from_pairs(first, second, group=np.repeat([1, 2], 100))
        fit = fit_groups(table)

        def evidence(width):
            # x = m + e with e of variance 2 width^2; m flat.
            spread = np.sqrt(2) * width

            m, z = np.linspace(-4, 4, 161), np.linspace(-6, 6, 121)
            x = m[:, None] + spread * z
            value = np.ones(len(m))
            for k in won:
                log = -k * np.logaddexp(0, -x) - (100 - k) * np.logaddexp(0, x) + 65.0
                value *= integrate.trapezoid(np.exp(log - 0.5 * z**2), z, axis=1)
            return width * np.exp(-width) * integrate.trapezoid(value, m)  # with the prior of the width

        widths = np.exp(np.linspace(np.log(0.1), np.log(4), 40))
        best = widths[np.argmax([evidence(w) for w in widths])]
        assert fit.width == pytest.approx(best, rel=0.15)

    @pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
    def test_terms_of_second_order_are_what_laplace_leaves_out(self, ties):
        # One group of two items, the whole held: what is left is the lead x = d_a - d_b.
        table = Comparisons.from_pairs(
            list("aabab"), list("bbaba"), tie=[False, False, False, True, False], group=[1] * 5
        )
        width, problem = 0.8, _Shrunk(table, ties, False, 0.5, 1).at_width(0.8)
        out = problem.fit(problem.start(), tol=1e-10, max_iter=50, n_threads=1)
        at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        lead = np.linspace(-6, 6, 4001)
        log = -(lead**2) / (4 * width**2)
        a, b, d, e = at.free
        nu = math.exp(at.tie) if problem.model != "none" else 0.0
        for k, n in zip(problem.games.outcome, problem.games.weight, strict=True):
            win, tie, loss = outcome_chances(lead + a - b, problem.model, nu)
            log += n * np.log({1: win, -1: loss, 0: tie if nu else np.sqrt(win * loss)}[int(k)])
        best, step = int(log.argmax()), lead[1] - lead[0]
        assert lead[best] == pytest.approx(d - e, abs=step)
        bend = (2 * log[best] - log[best - 1] - log[best + 1]) / step**2
        missed = np.log(np.exp(log - log.max()).sum() * step) - 0.5 * np.log(2 * np.pi / bend)
        assert second_order(problem, at, width, 100, False) == pytest.approx(missed, rel=0.1)

    def test_a_width_from_few_games_comes_with_a_warning(self):
        table, _ = grouped(0.4, games=50)
        with pytest.warns(UserWarning, match="games an item and group, from which the width can hardly"):
            fit = fit_groups(table, prior=0.5)
        assert fit_groups(table, prior=0.5, width=fit.width).width == fit.width  # given, without one

    @pytest.mark.parametrize(("width", "low", "high"), [(0.0, 0.0, 0.13), (0.4, 0.28, 0.55), (1.0, 0.7, 1.4)])
    def test_the_width_of_simulated_groups_is_found(self, width, low, high):
        found = [fit_groups(grouped(width, n=12, games=3000, seed=seed)[0]).width for seed in (0, 1, 2)]
        assert low <= np.mean(found) <= high

    @pytest.mark.filterwarnings("ignore::steelyard.DisconnectedWarning")
    def test_shrunk_boards_lie_nearer_to_the_truth_than_pooled_or_separate_ones(self):
        errors = np.zeros(3)
        for seed in range(4):
            table, truth = grouped(0.4, seed=seed)
            pooled = np.tile(bradley_terry(table).strengths, (4, 1))
            fits = fit_groups(table).strengths, pooled, fit_groups(table, shrink=False, prior=0.5).strengths
            errors += [np.square(s - truth).mean() for s in fits]
        assert errors[0] < 0.9 * errors[1]
        assert errors[0] < 0.9 * errors[2]

    def test_true_strengths_lie_in_their_intervals(self):
        inside = []
        for seed in range(6):
            table, truth = grouped(0.5, seed=seed)
            fit = fit_groups(table)
            inside.append(np.abs(fit.strengths - truth) < 1.96 * fit.standard_errors)
        assert 0.9 < np.mean(inside) < 0.99


class TestDifferences:
    @pytest.mark.filterwarnings("ignore::steelyard.DisconnectedWarning")
    @pytest.mark.parametrize("shrink", [True, False])
    def test_groups_that_are_alike_rarely_differ(self, shrink):
        real = 0
        for seed in range(12):
            table, _ = grouped(0.0, n=6, games=1200, seed=seed)
            real += fit_groups(table, shrink=shrink, prior=0 if shrink else 0.1).differences()["real"].any()
        assert real <= 3  # one in twenty at most

    @pytest.mark.parametrize("shrink", [True, False])
    def test_an_item_that_is_better_in_one_group_is_found_with_the_right_sign(self, shrink):
        table, truth = grouped(1.2, n=8, games=6000)
        fit = fit_groups(table, shrink=shrink, prior=0 if shrink else 0.1)
        found = fit.differences()
        assert found["real"].sum() > 5
        place = {label: k for k, label in enumerate("wxyz")}
        for k in np.flatnonzero(found["real"]):
            a, b, i = place[found["group_a"][k]], place[found["group_b"][k]], int(found["item"][k])
            assert (truth[a, i] - truth[b, i]) * found["difference"][k] > 0

    def test_differences_beyond_memory_are_refused_before_any_work(self):
        fit = fit_groups(grouped(0.5)[0], width=0.5)
        with pytest.raises(MemoryError, match=r"60 differences between 4 groups ask for .* GB"):
            fit.differences(draws=1, max_memory=9000)

    def test_errors_of_differences_are_those_of_the_draws(self):
        fit = fit_groups(grouped(0.5)[0])
        found = fit.differences(draws=4000)
        from steelyard.rank._studies.group_fits import _gaussian

        noise = _gaussian(fit._covariances[0], 4000, np.random.default_rng(3)).reshape(4000, 4, 10)
        k = int(np.flatnonzero((found["group_a"] == "w") & (found["group_b"] == "z"))[0])
        i = int(found["item"][k])
        spread = (noise[:, 0, i] - noise[:, 3, i]).std()
        assert found["standard_error"][k] == pytest.approx(spread, rel=0.05)


class TestResult:
    def test_items_that_a_group_lacks_have_no_strength_there_apart_and_one_shrunk(self):
        first, second = list("abcabcabab"), list("bcabcabaab")
        second[-2:] = "ba"
        table = Comparisons.from_pairs(first, second, group=[1] * 6 + [2] * 4)
        apart, shrunk = fit_groups(table, shrink=False, prior=1), fit_groups(table, prior=1)
        assert np.isnan(apart.strengths[1, 2])
        assert sorted(apart.board(2)["item"].tolist()) == ["a", "b"]
        assert np.isfinite(shrunk.strengths).all()
        assert shrunk.games[1].tolist() == [4, 4, 0]
        assert shrunk.standard_errors[1, 2] >= shrunk.standard_errors[1, 0]

    def test_boards_frames_and_pictures(self):
        fit = pickle.loads(pickle.dumps(fit_groups(grouped(0.5)[0])))
        frame = fit.to_frame()
        assert len(frame["item"]) == 40
        assert (np.diff(fit.board("x")["rating"]) <= 0).all()
        axes = fit.plot(top=5)
        assert [tick.get_text() for tick in axes.get_xticklabels()] == list("wxyz")
        assert axes.get_images()[0].get_array().shape == (5, 4)
        with pytest.raises(KeyError, match="no group"):
            fit.board("q")

    def test_what_can_not_be_fitted_is_refused_by_name(self):
        plain = Comparisons.from_pairs(["a", "b"], ["b", "a"])
        with pytest.raises(ValueError, match="comparisons needs groups"):
            fit_groups(plain)
        with pytest.raises(TypeError, match="comparisons must be a Comparisons"):
            fit_groups([1, 2])
        table = Comparisons.from_pairs(["a", "b"], ["b", "c"], group=[1, 2])
        with pytest.raises(DisconnectedError):
            fit_groups(table)
        with pytest.raises(ValueError, match="width goes with shrink"):
            fit_groups(table, width=1.0, shrink=False)


@pytest.mark.parametrize("prior", [0.0, 0.7])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "drop"])
def test_shrunk_groups_are_those_of_the_reference(ties, prior):
    rng = np.random.default_rng(4)
    a = rng.integers(0, 5, 400)
    b = (a + rng.integers(1, 5, 400)) % 5
    table = Comparisons.from_pairs(
        np.maximum(a, b), np.minimum(a, b), tie=rng.random(400) < 0.3, group=rng.integers(0, 3, 400)
    ) + Comparisons.from_pairs(np.minimum(a, b), np.maximum(a, b), group=rng.integers(0, 3, 400))
    fit = fit_groups(table, ties=ties, prior=prior, width=0.4)
    tied = np.zeros(len(table.left)) if ties == "drop" else table.ties
    cells = reference.Cells(table.left, table.right, table.left_wins, table.right_wins, tied)
    model = "none" if ties == "drop" else ties
    whole, differences, tie = reference.fit_groups(cells, table.group, 5, 0.4, model=model, prior=prior)
    np.testing.assert_allclose(fit.whole, whole - whole.mean(), atol=1e-7)
    np.testing.assert_allclose(fit.strengths - fit.whole, differences, atol=1e-7)
    assert fit.home_advantage is None
    if ties == "drop":
        assert fit.tie_parameter is None
    else:
        assert np.log(fit.tie_parameter) == pytest.approx(tie, abs=1e-7)


@pytest.mark.parametrize(("prior", "home"), [(0.0, True), (0.6, False)])
def test_many_groups_are_held_apart_with_the_same_answers(prior, home, monkeypatch):
    from steelyard.rank._studies import groups

    rng = np.random.default_rng(8)
    kind = rng.integers(0, 4, 900)
    a = rng.integers(0, 9 - 2 * (kind == 3), 900)  # the last group lacks two items
    b = (a + rng.integers(1, 7, 900)) % (9 - 2 * (kind == 3))
    table = Comparisons.from_pairs(
        a, b, tie=rng.random(900) < 0.2, group=kind, home=rng.choice([1, 0, -1], 900)
    )
    one = fit_groups(table, prior=prior, home=home)
    monkeypatch.setattr(groups, "_MOST", 0)
    many = fit_groups(table, prior=prior, home=home)
    assert many.width == pytest.approx(one.width, rel=1e-6)
    np.testing.assert_allclose(many.strengths, one.strengths, atol=1e-6)
    np.testing.assert_allclose(many.standard_errors, one.standard_errors, rtol=1e-5)
    left, right = (dict(zip(zip(*(d[k].tolist() for k in ("item", "group_a", "group_b")), strict=True),
                            zip(d["difference"], d["standard_error"], d["upper"], strict=True), strict=True))
                   for d in (one.differences(draws=6000), many.differences(draws=6000)))  # fmt: skip
    assert left.keys() == right.keys()
    assert not any(item >= 7 and 3 in pair for item, *pair in left)
    for key, (gap, error, upper) in left.items():
        assert right[key][0] == pytest.approx(gap, abs=2e-6)
        assert right[key][1] == pytest.approx(error, rel=0.04)
        assert right[key][2] == pytest.approx(upper, abs=0.25 * error)


def test_blocks_that_would_not_fit_are_refused_by_name(monkeypatch):
    from steelyard.rank._studies import groups

    monkeypatch.setattr(groups, "_NUMBERS", 10)
    games = Comparisons.from_pairs(list("abc"), list("bca"), group=[1, 1, 1])
    with pytest.raises(ValueError, match="1 groups of up to 3 of 3 items"):
        fit_groups(games)


class TestManyItems:
    """Beyond so many items widths are compared by an estimate of the determinant; here the limit is low."""

    @staticmethod
    def table(n=40, groups=12, games=6000):
        rng = np.random.default_rng(0)
        s, d = rng.normal(size=n), 0.4 * rng.normal(size=(groups, n))
        g, a = rng.integers(0, groups, games), rng.integers(0, n, games)
        b = (a + rng.integers(1, n, games)) % n
        x = s[a] + d[g, a] - s[b] - d[g, b]
        won = rng.random(games) < 1 / (1 + np.exp(-x))
        tie = rng.random(games) < 0.1
        return Comparisons.from_pairs(np.where(won, a, b), np.where(won, b, a), tie=tie, group=g)

    @pytest.mark.parametrize("prior", [0.0, 1.0])
    def test_the_width_is_that_of_the_exact_determinant(self, prior, monkeypatch):
        table = self.table()
        exact = fit_groups(table, prior=prior)
        for name in ("_MOST", "_MOST_ITEMS"):
            monkeypatch.setattr(f"steelyard.rank._studies.groups.{name}", 30)
        found = fit_groups(table, prior=prior)
        assert found._law is not None
        assert found.width == pytest.approx(exact.width, rel=0.03)
        given = fit_groups(table, prior=prior, width=exact.width)
        np.testing.assert_allclose(given.strengths, exact.strengths, atol=1e-6)
        np.testing.assert_allclose(given.standard_errors, exact.standard_errors, rtol=1e-6)

    def test_the_estimate_is_near_the_determinant(self):
        model = _Shrunk(self.table(), "davidson", False, 1.0, 1)
        values = []
        for width in (0.2, 0.4, 0.8):
            problem = model.at_width(width)
            out = problem.fit(problem.start(), tol=1e-8, max_iter=50, n_threads=1)
            at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
            exact = np.linalg.slogdet(problem.hessian(at, 1))[1]
            values.append((exact, estimated_log_volume(problem, at, model.n, width, 1)))
        exact, found = np.array(values).T
        assert np.abs(found - exact).max() < 1.5 * np.sqrt(model.n * (model.groups + 1))
        np.testing.assert_allclose(np.diff(found), np.diff(exact), rtol=0.05)


class TestManyGroups:
    """Groups are eliminated block by block; of very many, some tell where to look for the width."""

    @pytest.mark.parametrize("width", [1e-3, 0.4, 30.0])
    @pytest.mark.parametrize(("prior", "ties"), [(0.0, "davidson"), (1.0, "drop")])
    def test_blocks_and_a_whole_solve_as_the_full_matrix_does(self, prior, ties, width):
        table, _ = grouped(0.5, n=7, games=400, ties=0.2)
        model = _Shrunk(table, ties, False, prior, 2)
        problem = model.at_width(width)
        at = TeamPoint(0.1 * np.random.default_rng(1).normal(size=problem.n), 0.2, np.zeros(0))
        matrix = problem.hessian(at, 1)
        b = np.random.default_rng(2).normal(size=(len(matrix), 3))
        x = problem.kernel.solve(at.free, at.tie, at.effects, b, 1e-10, 2)
        np.testing.assert_allclose(matrix @ x, b, atol=1e-9 * max(1.0, width**-2))
        out = problem.fit(at, tol=1e-8, max_iter=50, n_threads=1)
        there = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        exact = np.linalg.slogdet(problem.hessian(there, 1))[1]
        assert out["log_volume"] == pytest.approx(exact, abs=1e-7)

    def test_any_number_of_threads_gives_the_same_bits(self):
        table = TestManyItems.table(n=15, groups=60, games=3000)
        model = _Shrunk(table, "davidson", False, 0.5, 1)
        problem = model.at_width(0.3)
        one, two = (problem.fit(problem.start(), tol=1e-8, max_iter=50, n_threads=k) for k in (1, 4))
        assert one["strengths"].tobytes() == two["strengths"].tobytes()
        assert one["log_volume"] == two["log_volume"]

    def test_the_width_is_that_of_a_search_without_a_first_guess(self, monkeypatch):
        table = TestManyItems.table(n=12, groups=80, games=8000)
        full = fit_groups(table, prior=0.5)
        monkeypatch.setattr("steelyard.rank._studies.groups._SOME", 200)
        assert fit_groups(table, prior=0.5).width == pytest.approx(full.width, rel=0.01)

    def test_blocks_that_are_none_are_refused(self):
        problem = _Shrunk(grouped(0.5, n=4, games=100)[0], "half", False, 0.0, 1).at_width(1.0)
        begins, whole = problem.groups
        for groups in ((begins[:-1], whole), (begins, whole[1:]), (begins, whole[::-1].copy())):
            with pytest.raises(ValueError, match="must be blocks of a whole"):
                _ = replace(problem, groups=groups).kernel
        with pytest.raises(ValueError, match="must be blocks of a whole"):
            _ = replace(problem, springs=problem.springs * np.arange(problem.n)).kernel
