"""Every public function and class, and what it states: names of trials, or why it promises nothing.

`STATES` says what is promised: each is held to it by a trial that names it as its solver. `NOTHING` says why
there is no certificate. Estimators that pass on a solver's account stand under `CARRIES`, with that solver.
"""

from __future__ import annotations

STATES: dict[str, str] = {
    "rank.bradley_terry": "Newton decrement; that an optimum exists; standard errors, rank sets",
    "rank.graded": "Newton decrement; standard errors, intervals, rank sets",
    "rank.fit_judges": "Newton decrement at a local optimum; standard errors",
    "rank.fit_groups": "Newton decrement of the joint fit; standard errors, simultaneous intervals",
    "rank.team_strengths": "Newton decrement; standard errors, intervals, rank sets; who is told apart",
    "rank.irt": "Newton decrement at a local optimum, and what doubled nodes change",
    "rank.rasch": "Newton decrement; standard errors against the mean difficulty",
    "rank.plackett_luce": "Newton decrement; standard errors, intervals, rank sets; with ties too",
    "rank.pairwise_significance": "p-values of sign flips, exact up to 16 samples, by cumulants beyond",
    "rank.preference_weights": "duality gap, rounding included",
    "rank.whole_history": "Newton decrement; standard deviations of the normal law, chances averaged over it",
    "rank.grade_scale": "draws of a posterior, with R-hat and effective sample size",
    "weigh.weighting": "lower bound of the magnitude and how far it can be below; how far a far field is off",
    "weigh.magnitude": "as weighting",
    "weigh.magnitude_function": "as weighting, at each scale",
    "weigh.solve_similarity": "residual, bounds of the value",
    "weigh.max_diversity": "duality gap",
    "weigh.solve_simplex_qp": "duality gap",
    "weigh.balance": "gap to the least imbalance",
    "weigh.match_samples": "gap to the least discrepancy",
    "weigh.density_ratio": "gap of the largest likelihood (kliep)",
    "weigh.ensemble_weights": "gap to the best convex combination, for three losses",
    "weigh.expected_performance": "means and laws, if probabilities are calibrated and labels independent",
    "weigh.magnitude_distance": "as weighting, of three sets",
    "metric.nearest_metric": "lower bound of the distance to the nearest metric",
    "metric.project_and_forget": "lower bound of the distance to the constraints",
    "metric.correlation_clustering": "lower bound of the cost",
    "metric.cluster_edges": "lower bound of the cost, with the cycles that prove it",
    "metric.violations": "counts and the largest excess, exact but for rounding",
    "metric.ITML": "lower bound of the objective of any matrix",
    "metric.ITMLSupervised": "as ITML",
    "select.medoids": "how much cheaper the best k points can be",
    "select.facility_location": "share of the best value that is reached",
    "select.active_test": "unbiased estimate of the mean loss, with a standard error",
    "select.paired_difference": "difference with a standard error, intervals, also of clustered items",
    "select.prediction_powered_mean": "mean with an interval, never wider than that of the labels alone",
    "select.pass_at_k": "unbiased mean with a standard error",
    "select.plan_items": "scores over all items with standard errors and intervals, unbiased to second order",
    "select.logme": "the largest evidence, to 1e-9",
    "select.leverage_scores": "leverages",
    "select.sensitivity_sample": "inclusion probabilities, an unbiased total with an interval",
    "select.plan_sensitivity": "as sensitivity_sample, in two steps",
    "select.coreset": "unbiased weights",
    "select.lightweight_coreset": "unbiased weights",
    "select.regression_sample": "coefficients with standard errors",
    "select.ModelSelector": "right answers of each model, without bias; whether the leader is certain",
    "select.StreamingCoreset": "weights that add up to what went by",
    "dask.sensitivity_sample": "as select.sensitivity_sample",
    "dask.coreset": "as select.coreset",
}

NOTHING: dict[str, str] = {
    "rank.agreement": "a coefficient, to rounding",
    "rank.elo": "follows games one after the other; has no optimum",
    "rank.glicko2": "as elo; its deviations are those of the method's own model",
    "rank.meta_elo": "an average of ratings by a published rule",
    "rank.score_duels": "plays a table of scores by a published rule",
    "select.KMeans": "as kmeans",
    "select.item_utility": "utilities by a rule; what bounds a choice is enumerated in its tests",
    "rank.dynascore": "a sum by a published rule",
    "rank.schedule": "pairs items by a rule",
    "rank.simulate_schedule": "plays schedules; what it gives are frequencies of a simulation",
    "rank.stability": "frequencies over resampled votes, without an error of their own",
    "weigh.boundary": "points of large weight, by a rule",
    "weigh.spread": "a closed form, to rounding",
    "weigh.find_scale": "a rule of thumb for a scale",
    "weigh.similarity": "a matrix, to rounding",
    "metric.grid_edges": "lists pairs",
    "weigh.magnitude_dimension": "the largest slope between given scales; what lies between them is not seen",
    "weigh.magnitude_area": "trapezia over given scales",
    "weigh.magnitude_difference": "trapezia over given scales",
    "weigh.query": "points by a greedy rule; its magnitude is that of a Cholesky factor in float64",
    "select.items_needed": "arithmetic of a noncentral law",
    "select.kmeans": "a local optimum; inertia is exact, its distance from the best is not known",
    "select.kmeans_plusplus": "a seeding by chance; O(log k) in expectation only",
    "dask.kmeans": "as select.kmeans",
    "dask.DaskKMeans": "as select.kmeans",
    "dask.comparisons": "counts",
    "datasets.load_football": "data",
    "datasets.load_iris": "data",
    "datasets.load_lalonde": "data",
    "datasets.load_llmfao": "data",
    "datasets.load_nsw": "data",
    "datasets.path": "data",
}

CARRIES: dict[str, str] = {
    "weigh.BalancingWeights": "weigh.balance",
    "weigh.SampleMatcher": "weigh.match_samples",
    "weigh.MagnitudeOutlierDetector": "weigh.weighting",
    "weigh.WeightedEnsemble": "weigh.ensemble_weights",
    "weigh.WeightingClassifier": "weigh.weighting",
    "weigh.WeightingModel": "weigh.weighting",
    "metric.RandomRows": "metric.project_and_forget",
    "select.KMedoids": "select.medoids",
    "metric.CorrelationClusterer": "metric.correlation_clustering",
}

# Promised, and not yet tried: whoever adds a trial takes its solver out of this list.
UNTRIED: set[str] = set()

# Faults that a trial has found and nobody has repaired, by the trial's name: such a trial must fail.
UNREPAIRED: dict[str, str] = {}
