"""What trials found and what is right instead, as small as it could be made."""

from __future__ import annotations

import numpy as np
import pytest

from certificates import metric, qp, rank, truth, weigh, zoo
from certificates.rank_models import GradedModel, PairModel, RankingModel, centred_errors
from steelyard.rank import Comparisons, GradedComparisons, bradley_terry, graded, plackett_luce
from steelyard.weigh import match_samples


def distance(model, fit):
    """To the optimum, in standard errors."""
    at = model.point(fit)
    best, _, _ = truth.newton(model.derivatives, at)
    _, H = model.derivatives(best, regular=False)
    return truth.norm(at - best, H)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("prior", [0.0, 1e-3])
@pytest.mark.parametrize("size", [1.0, 1e6, 1e12])
def test_a_decrement_is_no_smaller_than_what_rounding_leaves(size, prior):
    """A weak prior hardly holds the common shift, and one pair two groups that played many games."""
    counts = np.zeros((6, 6))
    counts[:3, :3], counts[3:, 3:] = 3 * size, 2 * size
    counts[0, 1] = counts[4, 5] = 7 * size / 3
    counts[2, 3], counts[3, 2] = 0.3, 0.1
    table = Comparisons.from_counts(counts - np.diag(np.diag(counts)))
    fit = bradley_terry(table, prior=prior)
    assert distance(PairModel(table, "drop", False, False, prior), fit) <= fit.info.error_bound


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("link", ["adjacent", "cumulative"])
@pytest.mark.parametrize("prior", [0.0, 0.1])
def test_grades_state_what_rounding_leaves_between_groups_that_hardly_met(link, prior):
    """Sums of large gradients within a group hide the small flow to the other, on which all depends."""
    cells = [(0, 1, 2, 1e3), (0, 1, 3, 2.0), (0, 2, 2, 110.0), (0, 2, 1, 0.6), (1, 2, 2, 42.0),
             (1, 2, 3, 1e3), (0, 5, 0, 1.6e-6), (0, 5, 3, 3.6e-4), (3, 4, 0, 6.5e3), (3, 4, 3, 6.4e4),
             (3, 5, 1, 2.5e5), (3, 5, 0, 6e-6), (4, 5, 2, 315.0), (4, 5, 3, 1.2e5), (1, 2, 1, 0.01),
             (3, 5, 3, 1.04)]  # fmt: skip
    left, right, level, weight = (np.array(column) for column in zip(*cells, strict=True))
    table = GradedComparisons.from_grades(
        left, right, np.array(list("dcba"))[level], levels=list("abcd"), weight=weight, items=range(6)
    )
    fit = graded(table, link=link, prior=prior)
    assert distance(GradedModel(table, link, False, prior), fit) <= fit.info.error_bound


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rankings_in_many_copies_leave_what_rounding_leaves():
    rows = np.array([[0, 1, 2, 3]] * 9 + [[3, 2, 1, 0]])
    weight = np.full(10, 1e7)
    for solver in ("newton", "newman"):
        fit = plackett_luce(rows, sample_weight=weight, prior=1e-3, solver=solver)
        assert distance(RankingModel(rows, weight, 4, 1e-3), fit) <= fit.info.error_bound


@pytest.mark.parametrize("solver", ["newman", "zermelo"])
def test_a_fit_that_stopped_early_allows_for_curvature_on_the_way(solver):
    table = Comparisons.from_counts([[0, 90, 20], [5, 0, 40], [1, 9, 0]])
    with pytest.warns(UserWarning, match="did not reach"):
        fit = bradley_terry(table, solver=solver, max_iter=2)
    assert distance(PairModel(table, "drop", False, False, 0.0), fit) <= fit.info.error_bound


def test_a_large_common_shift_does_not_drown_a_sandwich():
    """Under a weak prior H^+ b holds a shift that J does not see; what is left of it in float64 is large."""
    counts = np.array([[0, 3e6, 1e6], [2e6, 0, 1e6], [1e6, 2e6, 0]])
    table = Comparisons.from_counts(counts)
    fit = bradley_terry(table, prior=1e-3, tol=1e-6)
    model = PairModel(table, "drop", False, False, 1e-3)
    squares = [[truth.ball(v) for v in row] for row in np.c_[table.left_wins, table.right_wins, np.zeros(3)]]
    H, J = model.derivatives(model.point(fit), regular=False, squares=squares)
    np.testing.assert_allclose(fit.standard_errors(), centred_errors(H, 3, 1e-3, J), rtol=1e-6)
    np.testing.assert_allclose(
        fit.standard_errors(items=[0, 1]), centred_errors(H, 3, 1e-3, J)[:2], rtol=1e-6
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("ties", ["drop", "davidson"])
@pytest.mark.parametrize("prior", [1e-3, 0.1])
def test_a_sandwich_holds_where_strengths_and_home_are_known_together_alone(ties, prior):
    """Every game has the same side at home: squares of each would cancel to nothing."""
    home = np.array([0, 0, 0, 0, 3, 3, 4, 4, 0, 3])
    away = np.array([1, 1, 2, 2, 5, 5, 5, 5, 1, 5])
    won = np.array([1, 0, 0, 1, 1, 0, 1, 0, 2, 2])
    weight = np.array([3e3, 120.0, 8.7e5, 7.6e4, 1.7e5, 5e3, 0.18, 2.5, 40.0, 900.0])
    table = Comparisons.from_pairs(
        np.where(won == 0, away, home), np.where(won == 0, home, away), tie=won == 2, weight=weight,
        home=np.where(won == 0, -1, 1), items=range(6),
    )  # fmt: skip
    fit = bradley_terry(table, ties=ties, prior=prior, home=True)
    model = PairModel(table, ties, True, False, prior)
    best, _, _ = truth.newton(model.derivatives, model.point(fit))
    tied = table.ties_squared if ties == "davidson" else 0 * table.ties_squared
    columns = np.c_[table.left_squared, table.right_squared, tied]
    squares = [[truth.ball(v) for v in row] for row in columns]
    H, J = model.derivatives(best, regular=False, squares=squares)
    true = centred_errors(H, 6, prior, J)
    np.testing.assert_allclose(fit.standard_errors(), true, rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors(items=[1, 3]), true[[1, 3]], rtol=1e-6)


def test_a_weak_hold_between_groups_does_not_drown_a_sandwich_of_rankings():
    rows = np.array([[0, 1, 2]] * 30 + [[2, 1, 0]] * 10 + [[3, 4, 5]] * 25 + [[5, 3, 4]] * 5)
    with pytest.warns(UserWarning, match="prior alone"):
        fit = plackett_luce(rows, prior=1e-6)
    model = RankingModel(rows, np.ones(len(rows)), 6, 1e-6)
    best, _, _ = truth.newton(model.derivatives, model.point(fit))
    H, J = model.derivatives(best, regular=False, scores=True)
    np.testing.assert_allclose(fit.standard_errors(), centred_errors(H, 6, 1e-6, J), rtol=1e-5)


def test_a_gap_of_nothing_still_says_what_rounding_hides():
    rng = np.random.default_rng(0)
    for n in (2, 3, 5, 8):
        E = rng.normal(size=(2 * n, n))
        data = {"K": E.T @ E, "q": rng.normal(size=n), "total": 1.0}
        bounds = {"lower": np.zeros(n), "upper": np.full(n, np.inf)}
        claims = list(qp.gap_of_programs(zoo.Instance("programs", "full rank", 0, {**data, **bounds})))
        assert not any(claim.broken for claim in claims)
        assert all(claim.stated > 0 for claim in claims if claim.about == "gap")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_existence_is_judged_as_by_linear_programs_on_games_of_three():
    """Every outcome of the three games, with each model of ties."""
    for outcomes in np.ndindex(3, 3, 3):
        data = {
            "left": np.array([0, 0, 1]), "right": np.array([1, 2, 2]), "outcome": np.array(outcomes) - 1,
            "count": np.ones(3), "weight": np.ones(3), "home": np.ones(3, dtype=int), "n": 3,
        }  # fmt: skip
        for seed in range(4):
            made = zoo.Instance("comparisons", "three games", seed, data)
            assert not any(claim.broken for claim in rank.existence_of_an_optimum(made))


def kept(instance, trial):
    claims = list(trial(instance))
    return bool(claims) and not any(claim.broken for claim in claims)


def games(name, seed, cells, *, weight=None, count=None, n):
    """Of the zoo's kind, from rows of left, right, outcome and time."""
    left, right, outcome, time = (np.array(column) for column in zip(*cells, strict=True))
    one = np.ones(len(cells))
    data = {
        "left": left, "right": right, "outcome": outcome, "time": time.astype(float), "n": n,
        "weight": one if weight is None else np.array(weight), "z": np.zeros((len(cells), 2)),
        "count": one if count is None else np.array(count), "home": np.ones(len(cells), dtype=int),
    }  # fmt: skip
    return zoo.Instance("comparisons", name, seed, data)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_slopes_of_ties_do_not_cancel_where_nearly_all_games_are_tied():
    few = games(
        "nearly all ties, weights of all sizes", 233202708,
        [(0, 1, 0, 6), (2, 5, 0, 13), (3, 5, 0, 14), (0, 1, 1, 15), (0, 3, 0, 16), (0, 4, 0, 16),
         (0, 5, 0, 17), (1, 4, 0, 18), (1, 5, 0, 20)],
        weight=[122.499, 59352.5, 60.5475, 0.460666, 1720.13, 10.8715, 1.52091e-4, 3308.21, 1.25585e-4],
        n=6,
    )  # fmt: skip
    many = games(
        "sparse, counts of all sizes, turned", 2136963949,
        [(3, 1, 0, 1), (7, 6, 0, 1), (2, 4, 0, 1), (3, 5, 0, 2), (5, 7, -1, 21), (3, 1, -1, 21),
         (7, 3, 0, 23), (3, 4, -1, 25), (5, 1, -1, 27), (5, 7, 0, 27), (2, 6, 0, 27), (5, 6, 0, 27),
         (1, 5, 0, 28), (3, 0, -1, 29), (5, 3, 1, 29)],
        count=[1.08e8, 1.96e6, 36.0, 136e3, 1.76e7, 1.32e7, 7760.0, 733.0, 21e4, 1.42e8, 1.22e8, 194.0, 41.0,
               1.34e6, 1.36e7],
        n=8,
    )  # fmt: skip
    assert kept(few, rank.decrement_and_errors_of_histories)
    assert kept(many, rank.decrement_and_errors_of_histories)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_home_advantage_that_priors_alone_hold_does_not_throw_a_history_far_off():
    """Who is at home is so in every game: strengths and the advantage shift together, at little cost."""
    made = games(
        "one bridge, sorted by outcome, counts of all sizes", 2037487688,
        [(2, 3, -1, 5), (2, 3, 0, 6), (2, 3, 0, 11), (0, 1, 1, 24), (0, 3, 1, 26)],
        count=[1792312.0, 2.0, 371787864.0, 60683.0, 592867948.0],
        n=4,
    )  # fmt: skip
    assert kept(made, rank.decrement_and_errors_of_histories)
    _, options, history = rank.history_of(made)
    assert options["home"]
    assert np.abs(history.strengths).max() < 100  # they were 5.8e26
    assert history.info.converged or "no step gained" in history.info.message


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_history_far_from_its_start_is_reached_in_ever_longer_steps():
    """Strengths from -180 to 230, where each step may change a game by some logits only."""
    assert rank.history_of(zoo.instance("comparisons", 1415613204, 811, largest=25))[2].info.converged


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_single_weights_of_points_that_float32_does_not_tell_apart_are_open():
    clusters = [[15062.794551295101, 15065.794821914453, 15060.521495636029],
                [15062.793144301697, 15065.793473900161, 15060.520786524503],
                [15062.79351931772, 15065.794175818952, 15060.521506482974],
                [15062.636476696536, 15067.462773213494, 15048.576454068889],
                [15062.638859218869, 15067.48219151834, 15048.583462470788]]  # fmt: skip
    one_direction = [[-0.9437917798621789, -0.18624509563193223,
                      0.11210873797099541, 0.9176200580352588],
                     [-0.8739482879205756, -0.17246238623195045,
                      0.10381234685578146, 0.8497133539334302],
                     [-0.8529152417094589, -0.168311786717731,
                      0.10131392684754802, 0.8292635624680695],
                     [-0.6794744283948787, -0.13408548643466306,
                      0.08071168055949493, 0.660632331962281]]  # fmt: skip
    copies = [[0.5474084474239833, -0.6303437557347575], [-0.1541156794604826, 1.0892407760976277],
              [-0.154115679140684, 1.0892407765013292], [-0.15411567875762466, 1.0892407776536925],
              [0.5474084466681094, -0.6303437540981357], [-0.15411567920088987, 1.0892407770924775],
              [0.5474084465792416, -0.6303437566945523],
              [0.5474084462485562, -0.630343755868299]]  # fmt: skip
    for name, seed, X in (
        ("clusters of all sizes, common offset", 858748436, clusters),
        ("line, sorted rows", 1890769473, one_direction),
        ("near copies", 256772456, copies),
    ):
        made = zoo.Instance("points", name, seed, {"X": np.array(X)})
        assert kept(made, weigh.how_far_single_weights_are)


def test_weights_of_given_similarities_allow_for_rounding_of_the_residual():
    X = [[-0.8148237987937158, -0.579707955942867], [-0.9323386157611848, -0.3615715151867374],
         [-0.8722121217693998, 0.4882629789900645], [-0.45432019546034225, -0.8908384404782709],
         [0.7742324509305616, -0.6329012832876699], [-0.6417301244047005, -0.7641587248291172],
         [0.7725474763839041, -0.634957003842577]]  # fmt: skip
    made = zoo.Instance("points", "near the rim of a disc", 1421253855, {"X": np.array(X)})
    assert kept(made, weigh.weights_of_given_similarities)


@pytest.mark.parametrize("unit", [1e-140, 1e140])
def test_residuals_of_a_far_field_hold_in_any_unit(unit):
    X = unit * np.random.default_rng(3).normal(size=(80, 2))
    assert kept(zoo.Instance("points", "normal", 5, {"X": X}), weigh.residuals_of_a_far_field)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_ring_of_grades_that_counts_of_all_sizes_stretch_over_200_logits_has_a_truth():
    made = zoo.instance("comparisons", 31432946, 205, largest=16)
    assert kept(made, rank.decrement_of_grades)


def test_a_learned_metric_keeps_the_digits_of_near_points():
    X = [[1.0, 0.0], [-0.5, -0.866], [1.0, -2.45e-16]]
    assert kept(
        zoo.Instance("points", "circle", 1199406950, {"X": np.array(X)}), metric.log_det_of_a_learned_metric
    )


@pytest.mark.parametrize("unit", [1e-153, 1.0, 1e150])
def test_discrepancies_of_matches_are_in_the_unit_of_the_data(unit):
    X = unit * np.array([[2.0, 1.0, 13.0], [2.0, 766.0, 1.0], [2.0, 698.0, 50.0]])
    assert kept(
        zoo.Instance("points", "zipf counts, in another unit", 1580086350, {"X": X}), qp.gap_of_matches
    )
    found = match_samples(X[:1], X[1:], kernel="energy", standardize=False)
    assert found.discrepancy_before == pytest.approx(1421.1678504322 * unit)


def test_weights_of_directions_that_float64_hardly_tells_apart_have_no_stated_error():
    X = [[8.7e-107, -2.71e-104, 1.37e-96], [-8.32e-107, 1.93e-103, 3.6e-97],
         [-9.41e-107, 1.74e-104, -1.42e-96], [6.67e-107, 1.89e-104, 2e-96],
         [7e-108, 1.45e-103, -2.18e-96], [-7.22e-107, 1.39e-103, -1.08e-96],
         [-6.76e-107, 3.17e-103, 4.07e-96], [2.15e-106, -4.17e-104, -1.13e-96]]  # fmt: skip
    made = zoo.Instance("points", "columns of all sizes, in another unit", 2143452320, {"X": np.array(X)})
    assert kept(made, weigh.how_far_single_weights_are)
