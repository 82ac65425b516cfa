// The models of ties: all that depends on which one it is, but for the kernels of their derivatives
// (simd/pair_terms.hpp). A further model is a struct here, its case in `with_law`, its word in `tie_words`
// and its kernel.
//
// A model is made for a tie parameter, which is on the scale of model.hpp, and knows a cell: x and the counts
// w, l, t. Loops take it as a template argument so that nothing is decided, or called, a cell.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "rank/paired/model.hpp"
#include "simd/pair_terms.hpp"

namespace steelyard::rank {

struct Chances {
  double win, tie, loss;
};

/// Derivatives of an outcome's log chance.
struct Score {
  double by_x, by_tie;
};

struct Scores {
  Score win, loss, tie;
};

/// One cell as one of its two items sees it: d ll / dx = plus - minus, and kept + minus is the expected
/// score.
struct CellShare {
  double score = 0.0;  ///< observed
  double plus = 0.0;   ///< it, each part weighed by the probability that it might not have happened
  double minus = 0.0;  ///< the opponent's likewise
  double kept = 0.0;

  void operator+=(const CellShare& other) {
    score += other.score;
    plus += other.plus;
    minus += other.minus;
    kept += other.kept;
  }
};

/// Sums over all cells for a fixed-point update of the tie parameter.
struct TieTotals {
  double ties = 0.0, kept = 0.0;         ///< ties; ties weighed by 1 - p_tie
  double expected = 0.0, against = 0.0;  ///< n p_tie; (w + l) p_tie
  double both_plus = 0.0;                ///< plus + minus: theta S of Rao-Kupper

  void operator+=(const TieTotals& other) {
    ties += other.ties;
    kept += other.kept;
    expected += other.expected;
    against += other.against;
    both_plus += other.both_plus;
  }
};

class Davidson {
 public:
  static constexpr std::string_view name = "davidson";
  static constexpr bool positive = false;  ///< must the tie parameter stay above 0?
  static constexpr double width = 2.0;     ///< u of separation.hpp a unit of the tie parameter

  explicit Davidson(double tie) : Davidson(tie, std::exp(tie)) {}
  /// For nu, as users have it; it and its logarithm do not give each other to the last bit.
  static Davidson of_parameter(double nu) { return {std::log(nu), nu}; }

  static simd::PairTermsFunction terms(const simd::PairTerms& kernels) { return kernels.davidson; }
  double kernel_parameter() const { return nu_; }

  Chances chances(double x) const {
    const double e = std::exp(-0.5 * std::fabs(x));
    const double v = 1.0 / (1.0 + e * e + nu_ * e);
    const double strong = v, weak = e * e * v;
    return x < 0.0 ? Chances{weak, nu_ * e * v, strong} : Chances{strong, nu_ * e * v, weak};
  }

  Scores scores(double x) const {
    const auto p = chances(x);
    const double lean = 0.5 * (p.win - p.loss);
    return {{0.5 - lean, -p.tie}, {-0.5 - lean, -p.tie}, {-lean, 1.0 - p.tie}};
  }

  double log_likelihood(double x, double w, double l, double t) const {
    const double half = 0.5 * std::fabs(x);
    const double e = std::exp(-half);
    double value = -w * std::max(-x, 0.0) - l * std::max(x, 0.0) - (w + l + t) * std::log1p(e * e + nu_ * e);
    if (t > 0.0) value += t * (tie_ - half);
    return value;
  }

  /// m of existence.hpp; infinite if the cell says nothing.
  double modulus(double x, double w, double l, double t) const {
    const double games = w + l + t;
    if (!(games > 0.0)) return infinity;
    const double e = std::exp(-0.5 * std::fabs(x));
    return 0.5 * games * e * std::min(e, nu_) / (1.0 + e * e + nu_ * e);
  }

  /// What all ties together add by the tie parameter alone: to the gradient and minus the second derivative,
  /// and its m.
  std::pair<double, double> threshold(double) const { return {0.0, 0.0}; }
  double threshold_modulus(double) const { return infinity; }

  CellShare share(double x, double w, double l, double t) const {
    const double up = w + 0.5 * t, down = l + 0.5 * t;
    const double e = std::exp(-0.5 * std::fabs(x)), v = 1.0 / (1.0 + e * e + nu_ * e);
    const double strong = v * (1.0 + 0.5 * nu_ * e), weak = v * e * (e + 0.5 * nu_);
    const double q = x < 0.0 ? weak : strong, not_q = x < 0.0 ? strong : weak;
    return {up, up * not_q, down * q, up * q};
  }

  void add_to(TieTotals& sum, double x, double w, double l, double t, const CellShare&) const {
    const double e = std::exp(-0.5 * std::fabs(x)), p = nu_ * e / (1.0 + e * e + nu_ * e);
    sum.ties += t;
    sum.kept += t * (1.0 - p);
    sum.expected += (w + l + t) * p;
    sum.against += (w + l) * p;
  }

  /// The tie parameter after a sweep, by observed and expected ties or by those weighed (Newman).
  double updated(bool weighed, const TieTotals& sum) const {
    return tie_ + (weighed ? log_ratio(sum.kept, sum.against) : log_ratio(sum.ties, sum.expected));
  }

 protected:
  Davidson(double tie, double nu) : tie_(tie), nu_(nu) {}

 private:
  double tie_, nu_;
};

/// Davidson's model with nu = 0.
class NoTies : public Davidson {
 public:
  static constexpr std::string_view name = "none";
  static constexpr double width = 0.0;

  explicit NoTies(double) : Davidson(0.0, 0.0) {}
  static NoTies of_parameter(double) { return NoTies(0.0); }

  double modulus(double x, double w, double l, double t) const {
    const double games = w + l + t;
    return games > 0.0 ? games * logistic_variance(x) : infinity;
  }

  void add_to(TieTotals&, double, double, double, double, const CellShare&) const {}
  double updated(bool, const TieTotals&) const { return 0.0; }
};

class RaoKupper {
 public:
  static constexpr std::string_view name = "rao-kupper";
  static constexpr bool positive = true;
  static constexpr double width = 1.0;

  explicit RaoKupper(double tie) : delta_(tie) {}
  static RaoKupper of_parameter(double theta) { return RaoKupper(std::log(theta)); }

  static simd::PairTermsFunction terms(const simd::PairTerms& kernels) { return kernels.rao_kupper; }
  double kernel_parameter() const { return delta_; }

  Chances chances(double x) const {
    const double win = logistic(x - delta_), loss = logistic(-x - delta_);
    return {win, std::expm1(2.0 * delta_) * win * loss, loss};
  }

  Scores scores(double x) const {
    const double up = 1.0 / (1.0 + std::exp(x - delta_)), down = 1.0 / (1.0 + std::exp(-x - delta_));
    const double rise = delta_ > 0.0 ? 2.0 / -std::expm1(-2.0 * delta_) : 0.0;
    return {{up, -up}, {-down, -down}, {up - down, rise - up - down}};
  }

  double log_likelihood(double x, double w, double l, double t) const {
    const auto log_sigma = [](double y) { return (y < 0.0 ? y : 0.0) - std::log1p(std::exp(-std::fabs(y))); };
    double value = (w + t) * log_sigma(x - delta_) + (l + t) * log_sigma(-x - delta_);
    if (t > 0.0) value += t * (2.0 * delta_ + std::log(-std::expm1(-2.0 * delta_)));
    return value;
  }

  double modulus(double x, double w, double l, double t) const {
    const double up = w + t, down = l + t;
    return std::min(up > 0.0 ? up * logistic_variance(x - delta_) : infinity,
                    down > 0.0 ? down * logistic_variance(-x - delta_) : infinity);
  }

  /// Of t log(1 - e^{-2 delta}); t 2 delta is with the cells.
  std::pair<double, double> threshold(double ties) const {
    const double e = std::exp(-2.0 * delta_);
    const double rest = -std::expm1(-2.0 * delta_);
    return {2.0 * ties * e / rest, 4.0 * ties * e / (rest * rest)};
  }
  double threshold_modulus(double ties) const {
    if (!(ties > 0.0)) return infinity;
    const double cosh = std::cosh(delta_);
    return ties / (4.0 * cosh * cosh);
  }

  CellShare share(double x, double w, double l, double t) const {
    const Logistic win(x - delta_), loss(-x - delta_);
    return {w + t, (w + t) * win.no, (l + t) * loss.no, (w + t) * win.yes};
  }

  void add_to(TieTotals& sum, double, double, double, double t, const CellShare& left) const {
    sum.ties += t;
    sum.both_plus += left.plus + left.minus;
  }

  double updated(bool, const TieTotals& sum) const {
    const double ratio = sum.ties * std::exp(delta_) / std::max(sum.both_plus, 1e-300);  // T / S
    return std::asinh(ratio);  // log of the fixed point
  }

 private:
  double delta_;
};

/// body(type) with the class of the model.
template <class Body>
decltype(auto) with_law(Ties ties, const Body& body) {
  switch (ties) {
    case Ties::davidson:
      return body(std::type_identity<Davidson>{});
    case Ties::rao_kupper:
      return body(std::type_identity<RaoKupper>{});
    case Ties::none:
      break;
  }
  return body(std::type_identity<NoTies>{});
}

/// body(model) with the model of the cells made for `tie`.
template <class Body>
decltype(auto) with_ties(Ties ties, double tie, const Body& body) {
  return with_law(ties, [&]<class Law>(std::type_identity<Law>) { return body(Law(tie)); });
}

/// Their words, in the order of Ties.
inline constexpr std::initializer_list<std::string_view> tie_words = {NoTies::name, Davidson::name,
                                                                      RaoKupper::name};

/// Of the model, whatever its parameter.
inline bool tie_is_positive(Ties ties) {
  return with_law(ties, []<class Law>(std::type_identity<Law>) { return Law::positive; });
}
inline double tie_width(Ties ties) {
  return with_law(ties, []<class Law>(std::type_identity<Law>) { return Law::width; });
}

}  // namespace steelyard::rank
