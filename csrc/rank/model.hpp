// The family of paired comparison models that the solvers fit, in natural-log strengths.
//
// A cell is a pair (left, right) with its wins, losses and ties; x = s_left - s_right + e h, where e in {-1,
// 0, +1} says who is at home and h is the home advantage. s_i + h replaces s_i everywhere, the tie term
// included.
//   none         p_win = sigma(x)
//   davidson     p_win : p_tie : p_loss = e^{x/2} : nu : e^{-x/2};  tie = log nu
//   rao_kupper   p_win = sigma(x - delta), p_loss = sigma(-x - delta), p_tie = the rest;  tie = delta = log
//   theta > 0
// Prior of strength a: sum_i a [log sigma(s_i) + log sigma(-s_i)], that is a wins and a losses against
// strength 0. The log-likelihood is concave in (s, tie, h) for each of them.
#pragma once

#include <span>
#include <vector>

namespace steelyard::rank {

enum class Ties { none, davidson, rao_kupper };

struct Model {
  Ties ties = Ties::none;
  bool home = false;
  double prior = 0.0;

  int extra() const { return (ties != Ties::none ? 1 : 0) + (home ? 1 : 0); }
};

struct Parameters {
  std::vector<double> strengths;
  double tie = 0.0;  ///< log nu or delta; unused by Ties::none
  double home = 0.0;
};

/// The numbers of a cell, apart from the graph so that a bootstrap round can bring its own.
/// For Ties::none with ties counted as half wins, add them to wins and losses beforehand.
struct Counts {
  std::span<const double> wins, losses, ties;  ///< one an edge; ties empty if there are none
};

}  // namespace steelyard::rank
