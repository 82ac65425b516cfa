// Paired comparisons as Python holds them: an object that keeps the arrays it views, checked when made.
#pragma once

#include <string>

#include "bindings/arrays.hpp"
#include "rank/paired/pair_problem.hpp"

namespace steelyard::bindings {

/// Values of all parameters of the games that it was made for.
struct PairPoint {
  const rank::PairProblem& problem;
  rank::Parameters at;
};

PairPoint make_point(const rank::PairProblem& problem, const Array<double>& strengths, double tie,
                     double home_advantage, const Array<double>& coefficients);

/// Refuses a point whose numbers are not those of the problem.
void check_point(const rank::PairProblem& problem, const PairPoint& point);

/// The graph is kept alive by the binding.
class PairProblem {
 public:
  PairProblem(const rank::PairGraph& graph, Array<double> wins, Array<double> losses,
              OptionalArray<double> ties, const std::string& ties_model, bool home, double prior);
  PairProblem(const PairProblem&) = delete;
  PairProblem& operator=(const PairProblem&) = delete;

  const rank::PairProblem& view() const { return problem_; }
  const Array<double>& wins() const { return wins_; }
  const Array<double>& losses() const { return losses_; }
  const OptionalArray<double>& ties() const { return ties_; }
  const std::string& ties_model() const { return ties_model_; }

 private:
  Array<double> wins_, losses_;
  OptionalArray<double> ties_;
  std::string ties_model_;
  rank::PairProblem problem_;
};

}  // namespace steelyard::bindings
