"""Votes, games, rankings and scores from anywhere, as tables of comparisons."""

from __future__ import annotations

from .comparisons import Comparisons
from .components import ComponentReport
from .covariates import Covariates, choose_columns, shift_of
from .decay import decayed
from .frames import columns_of
from .games import Games, Values, places_in, read_games
from .graded import GradedComparisons
from .labels import encode_one, given_labels, positions
from .outcomes import read_booleans
from .rankings import Rankings, read_rankings
from .required import home_signs, refuse_parts, require_comparisons
from .score_table import read_score_table
from .sides import SideGames, read_features, read_sides, side_matrix
from .timelines import Timelines, make_timelines, unit_length
from .times import check_times
from .votes import by_name

__all__ = [
    "Comparisons",
    "ComponentReport",
    "Covariates",
    "Games",
    "GradedComparisons",
    "Rankings",
    "SideGames",
    "Timelines",
    "Values",
    "by_name",
    "check_times",
    "choose_columns",
    "columns_of",
    "decayed",
    "encode_one",
    "given_labels",
    "home_signs",
    "make_timelines",
    "places_in",
    "positions",
    "read_booleans",
    "read_features",
    "read_games",
    "read_rankings",
    "read_score_table",
    "read_sides",
    "refuse_parts",
    "require_comparisons",
    "shift_of",
    "side_matrix",
    "unit_length",
]
