// The family of paired comparison models that the solvers fit, in natural-log strengths.
//
// A cell is a pair (left, right) with its wins, losses and ties; x = s_left - s_right + e h, where e (-1, 0 or
// +1) says who is at home and h is the home advantage. s_i + h replaces s_i everywhere, the tie term
// included. Covariates z of a cell (left minus right) add z . beta likewise.
//   none         p_win = sigma(x)
//   davidson     p_win : p_tie : p_loss = e^{x/2} : nu : e^{-x/2};  tie = log nu
//   rao_kupper   p_win = sigma(x - delta), p_loss = sigma(-x - delta), p_tie = the rest;
//                tie = delta = log theta > 0
// Prior of strength a: sum_i a [log sigma(s_i) + log sigma(-s_i)], that is a wins and a losses against
// strength 0. The log-likelihood is concave in (s, tie, h, beta) for each of them.
#pragma once

#include <array>
#include <span>
#include <vector>

namespace steelyard::rank {

enum class Ties { none, davidson, rao_kupper };

struct Model {
  Ties ties = Ties::none;
  bool home = false;
  double prior = 0.0;
  int covariates = 0;  ///< columns of the graph's covariates

  int tie_columns() const { return ties != Ties::none ? 1 : 0; }
  int effects() const { return (home ? 1 : 0) + covariates; }
  /// Parameters beside the strengths, in this order: tie, home, coefficients.
  int extra() const { return tie_columns() + effects(); }
};

struct Parameters {
  std::vector<double> strengths;
  double tie = 0.0;  ///< log nu or delta; unused by Ties::none
  double home = 0.0;
  std::vector<double> coefficients = {};  ///< beta
};

/// The numbers of the cells, apart from the graph so that a bootstrap round can bring its own: a column for
/// each class of outcome, one entry an edge, empty where that class does not occur.
/// For Ties::none with ties counted as half wins, add them to wins and losses beforehand.
class Counts {
 public:
  static constexpr std::size_t classes = 3;  ///< left won, right won, tied

  Counts() = default;
  Counts(std::span<const double> wins, std::span<const double> losses, std::span<const double> ties)
      : columns_{wins, losses, ties} {}

  std::span<const double> column(std::size_t outcome) const { return columns_[outcome]; }
  std::span<const double> wins() const { return columns_[0]; }
  std::span<const double> losses() const { return columns_[1]; }
  std::span<const double> ties() const { return columns_[2]; }
  double ties_of(std::size_t cell) const { return ties().empty() ? 0.0 : ties()[cell]; }

  /// The same without the ties.
  Counts decided() const { return {wins(), losses(), {}}; }

 private:
  std::array<std::span<const double>, classes> columns_;
};

}  // namespace steelyard::rank
