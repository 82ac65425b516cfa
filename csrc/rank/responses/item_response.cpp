#include "rank/responses/item_response.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/aligned.hpp"
#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/cg.hpp"
#include "simd/table.hpp"

namespace steelyard::rank {
namespace {

/// Items whose table stays in the first cache.
std::ptrdiff_t items_per_block(std::ptrdiff_t width) {
  return std::clamp<std::ptrdiff_t>(1024 / width, 4, 64);
}
constexpr double intercept_variance = 9.0, guess_right = 4.0, guess_wrong = 16.0;
// A sum over more answers than `plain` is folded up every `fold` of them, with what rounding takes kept apart: else a
// thousand roundings of a large number hide what a person's abilities differ by.
constexpr std::ptrdiff_t plain = 512, fold = 256;
constexpr double log_root_two_pi = 0.91893853320467274178;

void set_nodes(const NodeGroup& group, std::vector<double>& t) {
  for (std::size_t q = 0; q < t.size(); ++q)
    t[q] = static_cast<double>(group.first + static_cast<std::ptrdiff_t>(q)) * group.step;
}

/// The part of a person's list that lies in a block of items.
std::pair<std::ptrdiff_t, std::ptrdiff_t> listed_in(const ResponseTable& table, std::ptrdiff_t person,
                                                    std::ptrdiff_t begin, std::ptrdiff_t end) {
  const auto first = table.listed.begin() + table.offsets[at(person)],
             last = table.listed.begin() + table.offsets[at(person) + 1];
  const auto low = std::lower_bound(first, last, static_cast<std::int32_t>(begin));
  const auto high = std::lower_bound(low, last, static_cast<std::int32_t>(end));
  return {low - table.listed.begin(), high - low};
}

/// Answers of a group to a block of items, added up from the table or into it.
class Answers {
 public:
  Answers(const ResponseTable& table, const Nodes& nodes) : table_(table), nodes_(nodes) {}

  /// Of whom to speak.
  void turn_to(const NodeGroup& group) {
    group_ = group;
    rows_.resize(at(group.end - group.begin));
  }

  void gather(std::ptrdiff_t begin, std::ptrdiff_t n, const double* table, double* out) {
    if (table_.dense()) {
      find_rows(begin);
      simd::kernels().responses->gather(rows_.data(), std::ssize(rows_), n, table, nodes_.width, out);
      return;
    }
    each(begin, n, [&](auto k, auto from, auto count) {
      simd::kernels().responses->gather_listed(table_.listed.data() + from, table_.values.data() + from,
                                               count, static_cast<std::int32_t>(begin), table, nodes_.width,
                                               out + k * nodes_.width);
    });
  }

  void scatter(std::ptrdiff_t begin, std::ptrdiff_t n, const double* weights, double* sums) {
    if (table_.dense()) {
      find_rows(begin);
      simd::kernels().responses->scatter(rows_.data(), std::ssize(rows_), n, weights, nodes_.width, sums);
      return;
    }
    each(begin, n, [&](auto k, auto from, auto count) {
      simd::kernels().responses->scatter_listed(table_.listed.data() + from, table_.values.data() + from,
                                                count, static_cast<std::int32_t>(begin),
                                                weights + k * nodes_.width, nodes_.width, sums);
    });
  }

 private:
  void find_rows(std::ptrdiff_t begin) {
    for (std::size_t k = 0; k < rows_.size(); ++k)
      rows_[k] = table_.codes.data() + nodes_.order[at(group_.begin) + k] * table_.items + begin;
  }
  template <class Body>
  void each(std::ptrdiff_t begin, std::ptrdiff_t n, const Body& body) {
    for (std::ptrdiff_t k = 0; k < std::ssize(rows_); ++k) {
      const auto [from, count] = listed_in(table_, nodes_.order[at(group_.begin + k)], begin, begin + n);
      if (count > 0) body(k, from, count);
    }
  }

  const ResponseTable& table_;
  const Nodes& nodes_;
  NodeGroup group_;
  std::vector<const std::uint8_t*> rows_;
};

/// total += part with the rounding in `low` (Knuth's exact sum); part is emptied.
void fold_up(double* part, double* total, double* low, std::ptrdiff_t n) {
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    const double sum = total[k] + part[k], added = sum - total[k];
    low[k] += (total[k] - (sum - added)) + (part[k] - added);
    total[k] = sum;
    part[k] = 0.0;
  }
}

Place parabola(const double* row, std::ptrdiff_t width, const NodeGroup& group) {
  const auto top = std::max_element(row + 1, row + width - 1) - row;
  const double bend = 2.0 * row[top] - row[top - 1] - row[top + 1];
  Place out{static_cast<double>(group.first + top) * group.step, group.step};
  if (!(bend > 0.0)) return out;
  out.mean += std::clamp(0.5 * (row[top + 1] - row[top - 1]) / bend, -1.0, 1.0) * group.step;
  out.sd = std::min(1.0, group.step / std::sqrt(bend));
  return out;
}

/// x with [m0 m1 m3; m1 m2 m4; m3 m4 m5] x = v on the first `n` parameters; `only`: on the intercept alone.
void solve_block(const double* m, std::ptrdiff_t n, const double* v, double* x) {
  const double l10 = m[1] / m[0], d1 = m[2] - l10 * m[1], y1 = v[1] - l10 * v[0];
  double x2 = 0.0;
  if (n == 3) {
    const double l20 = m[3] / m[0], u21 = m[4] - l20 * m[1], l21 = u21 / d1;
    x2 = (v[2] - l20 * v[0] - l21 * y1) / (m[5] - l20 * m[3] - l21 * u21);
    x[2] = x2;
    x[1] = (y1 - u21 * x2) / d1;
  } else {
    x[1] = y1 / d1;
  }
  x[0] = (v[0] - m[1] * x[1] - (n == 3 ? m[3] * x2 : 0.0)) / m[0];
}

}  // namespace

template <class Fill, class After>
bool ItemLikelihood::forward(double* out, const Fill& fill, const After& after) {
  const auto width = nodes_->width, items = problem_.answers.items, most = items_per_block(width);
  return parallel_for(std::ssize(nodes_->groups), 1, monitor_, [&](auto from, auto to) {
    AlignedVector<double> table(at(3 * most * width));
    std::vector<double> t(at(width)), part, low;
    Answers answers(problem_.answers, *nodes_);
    for (auto g = from; g < to; ++g) {
      const auto& group = nodes_->groups[at(g)];
      const auto size = (group.end - group.begin) * width;
      answers.turn_to(group);
      set_nodes(group, t);
      double* rows = out + group.begin * width;
      std::fill(rows, rows + size, 0.0);
      part.assign(at(items > plain ? size : 0), 0.0);
      low.assign(part.size(), 0.0);
      for (std::ptrdiff_t begin = 0, waiting = 0; begin < items; begin += most) {
        const auto n = std::min(most, items - begin);
        fill(begin, n, t, table.data());
        answers.gather(begin, n, table.data(), part.empty() ? rows : part.data());
        waiting += n;
        if (waiting < fold && begin + n < items) continue;
        fold_up(part.data(), rows, low.data(), std::ssize(part));
        waiting = 0;
      }
      for (std::size_t k = 0; k < low.size(); ++k) rows[k] += low[k];
      after(group, t);
    }
  });
}

template <class Reduce>
bool ItemLikelihood::backward(const double* weights, const Reduce& reduce) {
  const auto width = nodes_->width, items = problem_.answers.items, most = items_per_block(width);
  const auto blocks = (items + most - 1) / most;
  return parallel_for(blocks, 1, monitor_, [&](auto from, auto to) {
    AlignedVector<double> sums(at(3 * most * width));
    std::vector<double> t(at(width));
    Answers answers(problem_.answers, *nodes_);
    for (auto b = from; b < to; ++b) {
      const auto begin = b * most, n = std::min(most, items - begin);
      const auto& groups = nodes_->groups;
      for (std::size_t g = 0; g < groups.size() && !monitor_.stopped(); ++g) {
        std::fill(sums.begin(), sums.end(), 0.0);
        // Groups that share their nodes are parts of one.
        for (;; ++g) {
          answers.turn_to(groups[g]);
          answers.scatter(begin, n, weights + groups[g].begin * width, sums.data());
          const bool last = g + 1 == groups.size() || groups[g + 1].first != groups[g].first ||
                            groups[g + 1].step != groups[g].step;
          if (last) break;
        }
        set_nodes(groups[g], t);
        reduce(begin, n, t, sums.data());
      }
    }
  });
}

simd::ItemBlock ItemLikelihood::block(std::ptrdiff_t begin, std::ptrdiff_t n) const {
  return {
      slope_.data() + begin,  intercept_.data() + begin, guess_.data() + begin, log_guess_.data() + begin, n,
      problem_.model.guessing};
}

void ItemLikelihood::take(const ItemPoint& point) {
  const auto n = point.log_slope.size();
  log_slope_ = point.log_slope;
  intercept_ = point.intercept;
  slope_.resize(n);
  guess_.resize(n);
  log_guess_.resize(n);
  for (std::size_t j = 0; j < n; ++j) {
    const double y = point.logit_guess[j];
    slope_[j] = std::exp(log_slope_[j]);
    guess_[j] = y == -infinity ? 0.0 : logistic(y);
    log_guess_[j] = y == -infinity ? y : std::min(y, 0.0) - std::log1p(std::exp(-std::fabs(y)));
  }
}

bool ItemLikelihood::evaluate(const ItemPoint& point, const Nodes& nodes) {
  nodes_ = &nodes;
  take(point);
  const auto width = nodes.width, persons = problem_.answers.persons, items = problem_.answers.items;
  const auto size = checked_product("working memory", persons, width);
  log_posterior_.resize(size);
  posterior_.resize(size);
  person_.assign(at(persons), 0.0);
  const auto& kernel = *simd::kernels().responses;
  const auto normalise = [&](const NodeGroup& group, const std::vector<double>& t) {
    const double scale = std::log(group.step) - log_root_two_pi;
    for (auto k = group.begin; k < group.end; ++k) {
      double *row = log_posterior_.data() + k * width, *p = posterior_.data() + k * width;
      double top = -infinity, sum = 0.0;
      for (std::ptrdiff_t q = 0; q < width; ++q) {
        row[q] += scale - 0.5 * t[at(q)] * t[at(q)];
        top = std::max(top, row[q]);
      }
      for (std::ptrdiff_t q = 0; q < width; ++q) p[q] = row[q] - top;
      simd::kernels().vector_math->exp(p, width);
      for (std::ptrdiff_t q = 0; q < width; ++q) sum += p[q];
      for (std::ptrdiff_t q = 0; q < width; ++q) p[q] /= sum;
      person_[at(k)] = top + std::log(sum);
    }
  };
  if (!forward(
          log_posterior_.data(),
          [&](auto begin, auto n, const auto& t, double* table) {
            kernel.log_chances(block(begin, n), t.data(), width, table);
          },
          normalise))
    return false;
  log_likelihood_ = 0.0;
  for (const double x : person_) log_likelihood_ += x;
  moments_.assign(checked_product("working memory", items, simd::item_moments), 0.0);
  if (!backward(posterior_.data(), [&](auto begin, auto n, const auto& t, const double* sums) {
        kernel.moments(block(begin, n), t.data(), width, sums, moments_.data() + begin * simd::item_moments);
      }))
    return false;
  add_priors();
  sums_.resize(at(3 * items));
  for (std::ptrdiff_t j = 0; j < items; ++j)
    std::copy_n(moments_.data() + j * simd::item_moments, 3, sums_.data() + 3 * j);
  gradient_.assign(at(problem_.size()), 0.0);
  reduce(sums_, gradient_.data());
  return !monitor_.stopped();
}

void ItemLikelihood::add_priors() {
  const double prior = problem_.model.prior;
  const double each = problem_.model.shared ? prior / static_cast<double>(slope_.size()) : prior;
  log_prior_ = 0.0;
  for (std::size_t j = 0; j < slope_.size(); ++j) {
    double* m = moments_.data() + j * simd::item_moments;
    const double l = log_slope_[j], c = intercept_[j], g = guess_[j];
    log_prior_ -= 0.5 * (each * l * l + prior * c * c / intercept_variance);
    m[0] -= each * l;
    m[1] -= prior * c / intercept_variance;
    for (const int k : {3, 9}) {
      m[k] += each;
      m[k + 2] += prior / intercept_variance;
    }
    if (!problem_.model.fits_guess) continue;
    log_prior_ += prior * (guess_right * log_guess_[j] + guess_wrong * std::log1p(-g));
    m[2] += prior * (guess_right - (guess_right + guess_wrong) * g);
    for (const int k : {8, 14}) m[k] += prior * (guess_right + guess_wrong) * g * (1.0 - g);
  }
}

void ItemLikelihood::reduce(const std::vector<double>& by_item, double* out) const {
  const auto own = problem_.own();
  if (problem_.model.shared) out[0] = 0.0;
  for (std::ptrdiff_t j = 0; j < problem_.answers.items; ++j) {
    const double* from = by_item.data() + 3 * j;
    if (problem_.model.shared) {
      out[0] += from[0];
      out[1 + j] = from[1];
    } else {
      std::copy_n(from, own, out + own * j);
    }
  }
}

void ItemLikelihood::expand(const double* v, std::vector<double>& by_item) const {
  const auto own = problem_.own();
  by_item.assign(at(3 * problem_.answers.items), 0.0);
  for (std::ptrdiff_t j = 0; j < problem_.answers.items; ++j) {
    double* to = by_item.data() + 3 * j;
    if (problem_.model.shared) {
      to[0] = v[0];
      to[1] = v[1 + j];
    } else {
      std::copy_n(v + own * j, own, to);
    }
  }
}

bool ItemLikelihood::multiply(const double* v, double* out) {
  const auto width = nodes_->width, items = problem_.answers.items;
  const auto& kernel = *simd::kernels().responses;
  work_.resize(posterior_.size());
  expand(v, direction_);
  const auto centre = [&](const NodeGroup& group, const std::vector<double>&) {
    for (auto k = group.begin; k < group.end; ++k) {
      double* d = work_.data() + k * width;
      const double* p = posterior_.data() + k * width;
      double mean = 0.0;
      for (std::ptrdiff_t q = 0; q < width; ++q) mean += p[q] * d[q];
      for (std::ptrdiff_t q = 0; q < width; ++q) d[q] = p[q] * (d[q] - mean);
    }
  };
  if (!forward(
          work_.data(),
          [&](auto begin, auto n, const auto& t, double* table) {
            kernel.slopes(block(begin, n), direction_.data() + 3 * begin, t.data(), width, table);
          },
          centre))
    return false;
  sums_.assign(at(3 * items), 0.0);
  if (!backward(work_.data(), [&](auto begin, auto n, const auto& t, const double* sums) {
        kernel.gradient(block(begin, n), t.data(), width, sums, sums_.data() + 3 * begin);
      }))
    return false;
  for (std::ptrdiff_t j = 0; j < items; ++j) {
    const double *k = moments_.data() + j * simd::item_moments + 9, *d = direction_.data() + 3 * j;
    double* s = sums_.data() + 3 * j;
    s[0] = k[0] * d[0] + k[1] * d[1] + k[3] * d[2] - s[0];
    s[1] = k[1] * d[0] + k[2] * d[1] + k[4] * d[2] - s[1];
    s[2] = k[3] * d[0] + k[4] * d[1] + k[5] * d[2] - s[2];
  }
  reduce(sums_, out);
  return true;
}

void ItemLikelihood::precondition(const double* v, double* out) const {
  const auto own = problem_.own(), items = problem_.answers.items;
  const auto expected = [&](std::ptrdiff_t j) { return moments_.data() + j * simd::item_moments + 3; };
  if (!problem_.model.shared) {
    for (std::ptrdiff_t j = 0; j < items; ++j) solve_block(expected(j), own, v + own * j, out + own * j);
    return;
  }
  double corner = 0.0, right = v[0];
  for (std::ptrdiff_t j = 0; j < items; ++j) {
    const double* m = expected(j);
    corner += m[0] - m[1] * m[1] / m[2];
    right -= m[1] / m[2] * v[1 + j];
  }
  out[0] = right / corner;
  for (std::ptrdiff_t j = 0; j < items; ++j)
    out[1 + j] = (v[1 + j] - expected(j)[1] * out[0]) / expected(j)[2];
}

std::vector<Place> ItemLikelihood::places() const {
  const auto width = nodes_->width;
  std::vector<Place> out(person_.size());
  std::vector<double> t(at(width));
  for (const auto& group : nodes_->groups) {
    set_nodes(group, t);
    for (auto k = group.begin; k < group.end; ++k) {
      const double* p = posterior_.data() + k * width;
      Place place{0.0, 0.0};
      for (std::ptrdiff_t q = 0; q < width; ++q) place.mean += p[q] * t[at(q)];
      double square = 0.0;
      for (std::ptrdiff_t q = 0; q < width; ++q)
        square += p[q] * (t[at(q)] - place.mean) * (t[at(q)] - place.mean);
      place.sd = std::sqrt(square);
      const bool at_edge = p[0] > 1e-3 || p[width - 1] > 1e-3;
      if (place.sd < 0.8 * group.step || at_edge) {
        const auto other = parabola(log_posterior_.data() + k * width, width, group);
        place = at_edge ? Place{other.mean, std::max(other.sd, place.sd)} : other;
      }
      out[at(nodes_->order[at(k)])] = place;
    }
  }
  return out;
}

bool ItemLikelihood::rounding(std::uint64_t probe, double* out) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  const auto width = nodes_->width, items = problem_.answers.items;
  const double each = items > plain ? 1.0 : 2.0;
  work_.resize(posterior_.size());
  // A person's log-likelihood is off by so much at each node: what that moves is the posterior, and little.
  for (std::size_t k = 0; k < person_.size(); ++k) {
    Random signs(probe, k);
    const double error = eps * (4.0 + each * std::fabs(person_[k]));
    const double* p = posterior_.data() + at(width) * k;
    double *d = work_.data() + at(width) * k, mean = 0.0;
    std::uint64_t bits = 0;
    for (std::ptrdiff_t q = 0; q < width; ++q, bits >>= 1) {
      if (q % 64 == 0) bits = signs.bits();
      d[q] = (bits & 1) != 0 ? error : -error;
      mean += p[q] * d[q];
    }
    for (std::ptrdiff_t q = 0; q < width; ++q) d[q] = p[q] * (d[q] - mean);
  }
  sums_.assign(at(3 * items), 0.0);
  if (!backward(work_.data(), [&](auto begin, auto n, const auto& t, const double* sums) {
        simd::kernels().responses->gradient(block(begin, n), t.data(), width, sums, sums_.data() + 3 * begin);
      }))
    return false;
  // And the sums of scores, of the order of the information, by themselves.
  Random signs(probe, person_.size());
  for (std::ptrdiff_t j = 0; j < items; ++j) {
    const double* m = moments_.data() + j * simd::item_moments + 3;
    const auto bits = signs.bits();
    for (int k = 0; k < 3; ++k)
      sums_[at(3 * j + k)] += ((bits >> k & 1) != 0 ? 8.0 : -8.0) * eps * m[k == 0 ? 0 : k == 1 ? 2 : 5];
  }
  reduce(sums_, out);
  return true;
}

bool ItemLikelihood::solve(MatrixView<const double> b, double* x, double accuracy) {
  const auto n = problem_.size();
  std::vector<double> in(at(n)), out(at(n));
  const auto by_column = [&](const double* from, double* to, std::ptrdiff_t columns, const auto& apply) {
    for (std::ptrdiff_t c = 0; c < columns; ++c) {
      for (std::ptrdiff_t i = 0; i < n; ++i) in[at(i)] = from[i * columns + c];
      apply(in.data(), out.data());
      for (std::ptrdiff_t i = 0; i < n; ++i) to[i * columns + c] = out[at(i)];
    }
  };
  linalg::CgOptions options;
  options.tol = accuracy;
  std::fill(x, x + n * b.cols, 0.0);
  const auto found = linalg::conjugate_gradients(
      n, b.cols,
      [&](const double* from, double* to, auto columns) {
        by_column(from, to, columns, [&](const double* v, double* y) { multiply(v, y); });
      },
      [&](const double* from, double* to, auto columns) {
        by_column(from, to, columns, [&](const double* v, double* y) { precondition(v, y); });
      },
      b.data, x, options, monitor_);
  return found.converged && !monitor_.stopped();
}

ItemPoint ItemLikelihood::moved(const ItemPoint& from, const std::vector<double>& direction,
                                double length) const {
  std::vector<double> by_item;
  expand(direction.data(), by_item);
  ItemPoint out = from;
  for (std::size_t j = 0; j < out.log_slope.size(); ++j) {
    out.log_slope[j] += length * by_item[3 * j];
    out.intercept[j] += length * by_item[3 * j + 1];
    if (problem_.model.fits_guess) out.logit_guess[j] += length * by_item[3 * j + 2];
  }
  return out;
}

double ItemLikelihood::reach(const ItemPoint& at, const std::vector<double>& direction) const {
  std::vector<double> by_item;
  expand(direction.data(), by_item);
  double largest = 0.0;
  for (std::size_t j = 0; j < at.log_slope.size(); ++j) {
    const double* d = by_item.data() + 3 * j;
    largest = std::max(largest, 3.0 * std::exp(at.log_slope[j]) * std::fabs(d[0]) + std::fabs(d[1]));
    largest = std::max(largest, std::fabs(d[2]));
  }
  return largest;
}

}  // namespace steelyard::rank
