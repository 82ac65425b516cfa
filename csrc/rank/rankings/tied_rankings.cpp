#include "rank/rankings/tied_rankings.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

/// Elementary symmetric polynomials of numbers before and after each: row i of `before` is of the first i.
class Polynomials {
 public:
  void make(const double* x, ptrdiff_t m, ptrdiff_t degree) {
    degree_ = degree;
    const ptrdiff_t width = degree + 1;
    before_.assign(checked_product("rankings", m + 1, width), 0.0);
    after_.assign(before_.size(), 0.0);
    before_[0] = after_[at(m * width)] = 1.0;
    for (ptrdiff_t i = 0; i < m; ++i) add(x[i], &before_[at(i * width)], &before_[at((i + 1) * width)]);
    for (ptrdiff_t i = m; i-- > 0;) add(x[i], &after_[at((i + 1) * width)], &after_[at(i * width)]);
  }

  double all(ptrdiff_t degree) const { return after_[at(degree)]; }

  /// Of all but number i.
  double without(ptrdiff_t i, ptrdiff_t degree) const {
    const double *before = &before_[at(i * (degree_ + 1))], *after = &after_[at((i + 1) * (degree_ + 1))];
    double sum = 0.0;
    for (ptrdiff_t p = 0; p <= degree; ++p) sum += before[p] * after[degree - p];
    return sum;
  }

 private:
  void add(double x, const double* from, double* to) const {
    to[0] = 1.0;
    for (ptrdiff_t p = 1; p <= degree_; ++p) to[p] = from[p] + x * from[p - 1];
  }

  ptrdiff_t degree_ = 0;
  std::vector<double> before_, after_;
};

/// One choice: chances of sets of the items that remain.
class Choice {
 public:
  Choice(const TiedModel& model, const TiedPoint& at)
      : n_(model.rankings.items), strengths_(at.data()), ties_(at.data() + n_) {
    orders_.push_back(1);
    for (const auto k : model.rankings.orders) orders_.push_back(k);
  }

  ptrdiff_t sizes() const { return std::ssize(orders_); }
  ptrdiff_t size(ptrdiff_t o) const { return orders_[at(o)]; }
  double chance(ptrdiff_t o) const { return chance_[at(o)]; }                    ///< of a set of that size
  double inside(ptrdiff_t o, ptrdiff_t i) const { return in_[at(o * m_ + i)]; }  ///< of i in one of that size
  double share(ptrdiff_t i) const { return share_[at(i)]; }                      ///< mean of T_i

  void make(const std::int32_t* codes, ptrdiff_t m) {
    m_ = m;
    high_ = strengths_[codes[0]];
    for (ptrdiff_t i = 1; i < m; ++i) high_ = std::max(high_, strengths_[codes[i]]);
    most_ = 0.0;
    for (ptrdiff_t o = 1; o < sizes(); ++o)
      if (size(o) <= m) most_ = std::max(most_, ties_[o - 1]);
    x_.assign(checked_product("rankings", sizes(), m), 0.0);
    in_.assign(x_.size(), 0.0);
    chance_.assign(at(sizes()), 0.0);
    share_.assign(at(m), 0.0);
    double z = 0.0;
    for (ptrdiff_t o = 0; o < sizes() && size(o) <= m; ++o) {
      const auto k = size(o);
      double* x = &x_[at(o * m)];
      for (ptrdiff_t i = 0; i < m; ++i)
        x[i] = std::exp((strengths_[codes[i]] - high_) / static_cast<double>(k));
      polynomials_.make(x, m, k);
      const double d = factor(o);
      z += chance_[at(o)] = d * polynomials_.all(k);
      for (ptrdiff_t i = 0; i < m; ++i) in_[at(o * m + i)] = d * x[i] * polynomials_.without(i, k - 1);
    }
    log_z_ = std::log(z);
    inverse_ = 1.0 / z;
    for (ptrdiff_t o = 0; o < sizes(); ++o) {
      chance_[at(o)] *= inverse_;
      for (ptrdiff_t i = 0; i < m; ++i) {
        in_[at(o * m + i)] *= inverse_;
        share_[at(i)] += in_[at(o * m + i)] / static_cast<double>(size(o));
      }
    }
  }

  /// Of choosing the first k.
  double log_chance(const std::int32_t* codes, ptrdiff_t k) const {
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < k; ++i) sum += strengths_[codes[i]] - high_;
    return sum / static_cast<double>(k) + (k > 1 ? ties_[order_of(k) - 1] : 0.0) - most_ - log_z_;
  }

  ptrdiff_t order_of(ptrdiff_t k) const {
    return std::lower_bound(orders_.begin(), orders_.end(), k) - orders_.begin();
  }

  /// covariance(i, j, of T_i and T_j) for j < i.
  template <class Take>
  void covariances(const Take& take) {
    for (ptrdiff_t i = 0; i < m_; ++i) {
      both_.assign(at(i), 0.0);
      for (ptrdiff_t o = 1; o < sizes() && size(o) <= m_; ++o) {
        const auto k = size(o);
        const double* x = &x_[at(o * m_)];
        const double d = factor(o) * inverse_ * x[i] / static_cast<double>(k * k);
        if (k > 2) {
          rest_.assign(x, x + m_);
          rest_.erase(rest_.begin() + i);
          polynomials_.make(rest_.data(), m_ - 1, k - 2);
        }
        for (ptrdiff_t j = 0; j < i; ++j)
          both_[at(j)] += d * x[j] * (k > 2 ? polynomials_.without(j, k - 2) : 1.0);
      }
      for (ptrdiff_t j = 0; j < i; ++j) take(i, j, both_[at(j)] - share(i) * share(j));
    }
  }

 private:
  double factor(ptrdiff_t o) const { return std::exp((o == 0 ? 0.0 : ties_[o - 1]) - most_); }

  ptrdiff_t n_, m_ = 0;
  const double *strengths_, *ties_;
  std::vector<ptrdiff_t> orders_;
  double high_ = 0.0, most_ = 0.0, log_z_ = 0.0, inverse_ = 0.0;
  std::vector<double> x_, in_, chance_, share_, both_, rest_;
  Polynomials polynomials_;
};

/// visit(first place, places that remain, places tied for the choice) for each choice of a ranking.
template <class Visit>
void each_choice(const TiedRankings& rankings, ptrdiff_t r, const Visit& visit) {
  const auto end = rankings.starts[at(r) + 1];
  for (auto first = rankings.starts[at(r)]; end - first > 1;) {
    auto last = first;
    while (last < end && rankings.place[at(last)] == rankings.place[at(first)]) ++last;
    visit(first, end - first, last - first);
    first = last;
  }
}

double weight_of_tied(const TiedModel& model, ptrdiff_t r) {
  return model.weight.empty() ? 1.0 : model.weight[at(r)];
}

struct TiedSums {
  double log_likelihood = 0.0;
  std::vector<double> gradient, magnitudes, matrix;
};

void add_choice(const TiedRankings& rankings, Choice& choice, const std::int32_t* codes, ptrdiff_t tied,
                double w, TiedSums& sums, ptrdiff_t m) {
  const ptrdiff_t n = rankings.items, size = rankings.size();
  choice.make(codes, m);
  sums.log_likelihood += w * choice.log_chance(codes, tied);
  for (ptrdiff_t i = 0; i < m; ++i) {
    const double own = i < tied ? 1.0 / static_cast<double>(tied) : 0.0;
    sums.gradient[at(codes[i])] += w * (own - choice.share(i));
    sums.magnitudes[at(codes[i])] += w * (own + choice.share(i));
  }
  choice.covariances([&](ptrdiff_t i, ptrdiff_t j, double c) {
    const ptrdiff_t a = std::max(codes[i], codes[j]), b = std::min(codes[i], codes[j]);
    sums.matrix[at(a * size + b)] += w * c;
    sums.matrix[at(a * size + a)] -= w * c;
    sums.matrix[at(b * size + b)] -= w * c;
  });
  for (ptrdiff_t o = 1; o < choice.sizes(); ++o) {
    const double own = choice.size(o) == tied ? 1.0 : 0.0, chance = choice.chance(o);
    const ptrdiff_t row = n + o - 1;
    sums.gradient[at(row)] += w * (own - chance);
    sums.magnitudes[at(row)] += w * (own + chance);
    for (ptrdiff_t i = 0; i < m; ++i)
      sums.matrix[at(row * size + codes[i])] +=
          w * (choice.inside(o, i) / static_cast<double>(choice.size(o)) - choice.share(i) * chance);
    for (ptrdiff_t p = 1; p <= o; ++p)
      sums.matrix[at(row * size + n + p - 1)] += w * ((p == o ? chance : 0.0) - chance * choice.chance(p));
  }
}

}  // namespace

bool evaluate_tied(const TiedModel& model, const TiedPoint& at_point, TiedDerivatives& out,
                   Monitor& monitor) {
  const auto& rankings = model.rankings;
  const ptrdiff_t size = rankings.size();
  const auto entries = checked_product("working memory", size, size);
  const auto chunks =
      std::clamp<ptrdiff_t>(std::min(rankings.count() / 16, (ptrdiff_t{1} << 22) / (size * size)), 1, 16);
  std::vector<TiedSums> parts(at(chunks));
  const bool complete = parallel_for(chunks, 1, monitor, [&](ptrdiff_t c, ptrdiff_t) {
    auto& sums = parts[at(c)];
    sums.gradient.assign(at(size), 0.0);
    sums.magnitudes.assign(at(size), 0.0);
    sums.matrix.assign(entries, 0.0);
    Choice choice(model, at_point);
    for (auto r = c * rankings.count() / chunks; r < (c + 1) * rankings.count() / chunks; ++r)
      each_choice(rankings, r, [&](std::int64_t first, ptrdiff_t m, ptrdiff_t tied) {
        if (monitor.poll()) return;
        add_choice(rankings, choice, rankings.codes.data() + first, tied, weight_of_tied(model, r), sums, m);
      });
  });
  if (!complete || monitor.stopped()) return false;
  for (std::size_t c = 1; c < parts.size(); ++c) {
    parts[0].log_likelihood += parts[c].log_likelihood;
    for (std::size_t k = 0; k < at(size); ++k) {
      parts[0].gradient[k] += parts[c].gradient[k];
      parts[0].magnitudes[k] += parts[c].magnitudes[k];
    }
    for (std::size_t k = 0; k < entries; ++k) parts[0].matrix[k] += parts[c].matrix[k];
  }
  out.log_likelihood = parts[0].log_likelihood;
  out.gradient = std::move(parts[0].gradient);
  out.magnitudes = std::move(parts[0].magnitudes);
  out.matrix = std::move(parts[0].matrix);
  for (ptrdiff_t i = 0; i < rankings.items && model.prior > 0.0; ++i) {
    const auto pull = logistic_prior(model.prior, at_point[at(i)]);
    out.gradient[at(i)] -= pull.gradient;
    out.magnitudes[at(i)] += std::fabs(pull.gradient);
    out.matrix[at(i * size + i)] += pull.curvature;
  }
  return true;
}

bool find_tied_scores(const TiedModel& model, const TiedPoint& at_point, TiedScores& out, Monitor& monitor) {
  const auto& rankings = model.rankings;
  out.places.assign(rankings.codes.size(), 0.0);
  out.orders.assign(checked_product("working memory", rankings.count(), rankings.extra()), 0.0);
  return parallel_for(rankings.count(), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    Choice choice(model, at_point);
    for (auto r = begin; r < end; ++r)
      each_choice(rankings, r, [&](std::int64_t first, ptrdiff_t m, ptrdiff_t tied) {
        if (monitor.poll()) return;
        const double w = weight_of_tied(model, r);
        choice.make(rankings.codes.data() + first, m);
        for (ptrdiff_t i = 0; i < m; ++i)
          out.places[at(first + i)] +=
              w * ((i < tied ? 1.0 / static_cast<double>(tied) : 0.0) - choice.share(i));
        for (ptrdiff_t o = 1; o < choice.sizes(); ++o)
          out.orders[at(r * rankings.extra() + o - 1)] +=
              w * ((choice.size(o) == tied ? 1.0 : 0.0) - choice.chance(o));
      });
  });
}

}  // namespace steelyard::rank
