#include "rank/rankings/ranking_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "core/logistic.hpp"
#include "core/polled.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

// exp(s - max) and sums of it keep all their digits.
constexpr double widest_spread = 600.0;

/// Enough chunks to share out, few enough that adding them up costs less than the places.
ptrdiff_t chunk_count(const Rankings& rankings) {
  const auto wanted = std::clamp<ptrdiff_t>(rankings.places() / (8 * rankings.items), 4, 64);
  return std::clamp<ptrdiff_t>(rankings.places() / 4096, 1, wanted);
}

/// body(chunk, first, last) for the rankings of each chunk.
template <class Body>
bool each_chunk(const Rankings& rankings, Monitor& monitor, const Body& body) {
  return parallel_for(std::ssize(rankings.chunks) - 1, 1, monitor, [&](ptrdiff_t chunk, ptrdiff_t) {
    body(chunk, ptrdiff_t{rankings.chunks[at(chunk)]}, ptrdiff_t{rankings.chunks[at(chunk) + 1]});
  });
}

/// Sums over rankings for every item: add(ranking, sums) adds to the vectors of its chunk, one after the
/// other.
template <class Add>
bool sum_by_item(const Rankings& rankings, std::initializer_list<double*> totals, std::vector<double>& parts,
                 Monitor& monitor, const Add& add) {
  constexpr ptrdiff_t block = 4096;
  const ptrdiff_t n = rankings.items, vectors = std::ssize(totals), chunks = std::ssize(rankings.chunks) - 1;
  parts.resize(std::max(parts.size(), checked_product("working memory", chunks, vectors, n)));
  const bool complete = each_chunk(rankings, monitor, [&](auto chunk, auto first, auto last) {
    double* sums = parts.data() + chunk * vectors * n;
    std::fill(sums, sums + vectors * n, 0.0);
    for (auto r = first; r < last; ++r) add(r, sums);
  });
  return complete && parallel_for(n, block, monitor, [&](ptrdiff_t first, ptrdiff_t last) {
           const double* part = parts.data();
           for (ptrdiff_t chunk = 0; chunk < chunks; ++chunk) {
             for (double* total : totals) {
               for (auto i = first; i < last; ++i) total[i] = (chunk > 0 ? total[i] : 0.0) + part[i];
               part += n;
             }
           }
         });
}

/// One ranking as the recurrences walk it.
struct Walk {
  const std::int32_t* codes;
  ptrdiff_t begin, length, stages;
  double weight;

  Walk(const RankingModel& model, ptrdiff_t r)
      : codes(model.rankings.codes.data() + model.rankings.starts[at(r)]),
        begin(model.rankings.starts[at(r)]),
        length(model.rankings.starts[at(r) + 1] - begin),
        stages(model.rankings.stages[at(r)]),
        weight(model.weight_of(r)) {}
};

void shares_of_logs(const std::int32_t* codes, ptrdiff_t m, std::span<const double> s, Share* shares) {
  double log_sum = s[at(codes[m - 1])];
  shares[m - 1] = {1.0, 0.0};
  for (auto u = m - 1; u-- > 0;) {
    const double own = s[at(codes[u])], high = std::max(own, log_sum);
    const double next = high + std::log1p(std::exp(std::min(own, log_sum) - high));
    shares[u] = {std::exp(own - next), std::exp(log_sum - next)};
    log_sum = next;
  }
}

void shares_of_exps(const std::int32_t* codes, ptrdiff_t m, const double* exps, Share* shares) {
  double sum = exps[codes[m - 1]];
  shares[m - 1] = {1.0, 0.0};
  for (auto u = m - 1; u-- > 0;) {
    const double own = exps[codes[u]], next = sum + own, inverse = 1.0 / next;
    shares[u] = {own * inverse, sum * inverse};
    sum = next;
  }
}

/// Shares at the strengths that it was made with.
class ShareMaker {
 public:
  explicit ShareMaker(std::span<const double> strengths) : strengths_(strengths) {
    const auto [least, most] = std::minmax_element(strengths.begin(), strengths.end());
    if (!(*most - *least < widest_spread)) return;
    exps_.resize(strengths.size());
    std::transform(strengths.begin(), strengths.end(), exps_.begin(),
                   [high = *most](double s) { return std::exp(s - high); });
  }

  void operator()(const Walk& walk, Share* shares) const {
    if (exps_.empty())
      shares_of_logs(walk.codes, walk.length, strengths_, shares);
    else
      shares_of_exps(walk.codes, walk.length, exps_.data(), shares);
  }

 private:
  std::span<const double> strengths_;
  std::vector<double> exps_;
};

void add_derivatives(const Walk& walk, const Share* shares, double* gradient, double* diagonal) {
  double carried = 0.0, e = 0.0, b = 0.0;
  for (ptrdiff_t u = 0; u < walk.length; ++u) {
    const double on = u < walk.stages ? 1.0 : 0.0, q = shares[u].own, r = shares[u].others;
    e += on;
    gradient[walk.codes[u]] += walk.weight * (on * r - q * carried);
    diagonal[walk.codes[u]] += walk.weight * q * (r * e + b);
    carried = r * (on + carried);
    b = r * (b + q * e);
    e *= r * r;
  }
}

void add_prior(double prior, std::span<const double> s, RankingDerivatives& out) {
  out.prior_curvature.resize(prior > 0.0 ? s.size() : 0);
  for (std::size_t i = 0; i < out.prior_curvature.size(); ++i) {
    const auto pull = logistic_prior(prior, s[i]);
    out.gradient[i] -= pull.gradient;
    out.prior_curvature[i] = pull.curvature;
    out.diagonal[i] += pull.curvature;
  }
}

/// visit(i, j, c) for every two places of a ranking, c being what they take from entry (i, j) of the
/// curvature.
template <class Visit>
bool each_pair(const RankingModel& model, const std::vector<Share>& all, Monitor& monitor,
               const Visit& visit) {
  constexpr ptrdiff_t between_polls = 1'000'000;
  ptrdiff_t work = 0;
  for (ptrdiff_t r = 0; r < model.rankings.count(); ++r) {
    const Walk walk(model, r);
    const Share* shares = &all[at(walk.begin)];
    double e = 0.0;
    for (ptrdiff_t a = 0; a < walk.length; ++a) {
      if ((work += walk.length - a) > between_polls) {
        if (monitor.poll()) return false;
        work = 0;
      }
      if (a < walk.stages) e += 1.0;
      double reach = walk.weight * shares[a].own * e;
      for (auto b = a + 1; b < walk.length; ++b) {
        reach *= shares[b - 1].others;
        visit(walk.codes[a], walk.codes[b], reach * shares[b].own);
      }
      e *= shares[a].others * shares[a].others;
    }
  }
  return true;
}

/// One ranking's part of the product with x. `y` is as long as the ranking.
void add_product(const Walk& walk, const Share* shares, const double* x, double* y, double* sums) {
  const auto* codes = walk.codes;
  double behind = x[codes[walk.length - 1]];
  y[walk.length - 1] = 0.0;
  for (auto u = walk.length - 1; u-- > 0;) {
    const double own = x[codes[u]];
    y[u] = own - behind + shares[u + 1].others * y[u + 1];
    behind = own;
  }
  double c = 0.0, g = 0.0;
  for (ptrdiff_t u = 0; u < walk.length; ++u) {
    if (u < walk.stages) c += 1.0;
    const double q = shares[u].own, r = shares[u].others, moved = c * y[u];
    sums[codes[u]] += walk.weight * q * (r * moved - g);
    g = r * (g + q * moved);
    c *= r;
  }
}

}  // namespace

std::int64_t repeated_place(std::span<const std::int64_t> starts, std::span<const std::int32_t> codes,
                            std::int32_t items) {
  std::vector<std::int64_t> last(at(items), -1);
  for (std::size_t r = 0; r + 1 < starts.size(); ++r) {
    for (auto place = starts[r]; place < starts[r + 1]; ++place) {
      auto& seen = last[at(codes[at(place)])];
      if (seen >= starts[r]) return place;
      seen = place;
    }
  }
  return -1;
}

void prepare(Rankings& rankings, Monitor& monitor) {
  auto& starts = rankings.item_starts;
  starts.assign(at(rankings.items) + 1, 0);
  rankings.standings.resize(rankings.codes.size());
  polled(rankings.codes.size(), &monitor, [&](std::size_t k) { ++starts[at(rankings.codes[k]) + 1]; });
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
  std::size_t r = 0;
  polled(rankings.codes.size(), &monitor, [&](std::size_t k) {
    while (rankings.starts[r + 1] <= static_cast<std::int64_t>(k)) ++r;
    const auto first = rankings.starts[r];
    const auto offset = static_cast<std::int32_t>(static_cast<std::int64_t>(k) - first);
    rankings.standings[at(next[at(rankings.codes[k])]++)] = {first, static_cast<std::int32_t>(r), offset,
                                                             offset < rankings.stages[r]};
  });
  const auto chunks = chunk_count(rankings);
  for (ptrdiff_t chunk = 0; chunk <= chunks; ++chunk) {
    const auto place = rankings.places() * chunk / chunks;
    rankings.chunks.push_back(std::lower_bound(rankings.starts.begin(), rankings.starts.end(), place) -
                              rankings.starts.begin());
  }
}

bool find_shares(const Rankings& rankings, std::span<const double> strengths, std::vector<Share>& shares,
                 Monitor& monitor) {
  shares.resize(rankings.codes.size());
  const ShareMaker make(strengths);
  const RankingModel plain{rankings, {}, 0.0};
  return each_chunk(rankings, monitor, [&](auto, auto first, auto last) {
    for (auto r = first; r < last; ++r) {
      const Walk walk(plain, r);
      make(walk, &shares[at(walk.begin)]);
    }
  });
}

bool find_scores(const RankingModel& model, const std::vector<Share>& all, std::vector<double>& scores,
                 Monitor& monitor) {
  scores.resize(all.size());
  return each_chunk(model.rankings, monitor, [&](auto, auto first, auto last) {
    for (auto r = first; r < last; ++r) {
      const Walk walk(model, r);
      double carried = 0.0;
      for (ptrdiff_t u = 0; u < walk.length; ++u) {
        const double on = u < walk.stages ? 1.0 : 0.0;
        const auto& share = all[at(walk.begin + u)];
        scores[at(walk.begin + u)] = walk.weight * (on * share.others - share.own * carried);
        carried = share.others * (on + carried);
      }
    }
  });
}

bool differentiate(const RankingModel& model, std::span<const double> strengths, RankingDerivatives& out,
                   Monitor& monitor) {
  const auto n = at(model.rankings.items);
  out.shares.resize(model.rankings.codes.size());
  out.gradient.resize(n);
  out.diagonal.resize(n);
  const ShareMaker make(strengths);
  const bool complete = sum_by_item(model.rankings, {out.gradient.data(), out.diagonal.data()}, out.parts,
                                    monitor, [&](ptrdiff_t r, double* sums) {
                                      const Walk walk(model, r);
                                      Share* shares = &out.shares[at(walk.begin)];
                                      make(walk, shares);
                                      add_derivatives(walk, shares, sums, sums + n);
                                    });
  if (complete) add_prior(model.prior, strengths, out);
  return complete;
}

bool expected_choices(const RankingModel& model, std::span<const double> strengths, RankingDerivatives& out,
                      std::vector<double>& expected, Monitor& monitor) {
  out.shares.resize(model.rankings.codes.size());
  expected.resize(at(model.rankings.items));
  const ShareMaker make(strengths);
  return sum_by_item(model.rankings, {expected.data()}, out.parts, monitor, [&](ptrdiff_t r, double* sums) {
    const Walk walk(model, r);
    Share* shares = &out.shares[at(walk.begin)];
    make(walk, shares);
    double c = 0.0;
    for (ptrdiff_t u = 0; u < walk.length; ++u) {
      if (u < walk.stages) c += 1.0;
      sums[walk.codes[u]] += walk.weight * shares[u].own * c;
      c *= shares[u].others;
    }
  });
}

void multiply_hessian(const RankingModel& model, RankingDerivatives& d, const double* x, double* y,
                      ptrdiff_t columns, Monitor& monitor) {
  // One after the other: rows of many columns would leave the caches, and gain nothing.
  const auto n = at(model.rankings.items), width = at(columns);
  std::vector<double> from(n), to(n);
  for (std::size_t k = 0; k < width; ++k) {
    for (std::size_t i = 0; i < n; ++i) from[i] = x[i * width + k];
    sum_by_item(model.rankings, {to.data()}, d.parts, monitor, [&](ptrdiff_t r, double* sums) {
      static thread_local std::vector<double> differences;
      const Walk walk(model, r);
      if (std::ssize(differences) < walk.length) differences.resize(at(walk.length));
      add_product(walk, &d.shares[at(walk.begin)], from.data(), differences.data(), sums);
    });
    for (std::size_t i = 0; i < n; ++i)
      y[i * width + k] = to[i] + (d.prior_curvature.empty() ? 0.0 : d.prior_curvature[i] * from[i]);
  }
}

bool fill_hessian(const RankingModel& model, const RankingDerivatives& d, std::vector<double>& matrix,
                  Monitor& monitor) {
  const ptrdiff_t n = model.rankings.items;
  matrix.assign(checked_product("working memory", n, n), 0.0);
  for (ptrdiff_t i = 0; i < n; ++i) matrix[at(i * n + i)] = d.diagonal[at(i)];
  return each_pair(model, d.shares, monitor, [&](ptrdiff_t i, ptrdiff_t j, double value) {
    matrix[at(std::max(i, j) * n + std::min(i, j))] -= value;
  });
}

double pair_count(const Rankings& rankings) {
  double pairs = 0.0;
  for (std::size_t r = 0; r + 1 < rankings.starts.size(); ++r) {
    const auto length = static_cast<double>(rankings.starts[r + 1] - rankings.starts[r]);
    pairs += length * (length - 1.0);
  }
  return pairs;
}

bool fill_pairs(const RankingModel& model, const std::vector<Share>& shares, RankingPairs& out,
                Monitor& monitor) {
  const auto& rankings = model.rankings;
  out.offsets.assign(at(rankings.items) + 1, 0);
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    const Walk walk(model, r);
    for (ptrdiff_t u = 0; u < walk.length; ++u) out.offsets[at(walk.codes[u]) + 1] += walk.length - 1;
  }
  for (std::size_t i = 1; i < out.offsets.size(); ++i) out.offsets[i] += out.offsets[i - 1];
  out.indices.resize(at(out.offsets.back()));
  out.values.resize(out.indices.size());
  std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  return each_pair(model, shares, monitor, [&](ptrdiff_t i, ptrdiff_t j, double value) {
    for (const auto& [row, column] : {std::pair(i, j), std::pair(j, i)}) {
      const auto to = at(next[at(row)]++);
      out.indices[to] = static_cast<std::int32_t>(column);
      out.values[to] = -value;
    }
  });
}

double conductance(const RankingModel& model, const std::vector<Share>& all, ptrdiff_t ranking, ptrdiff_t a,
                   ptrdiff_t b) {
  const Walk walk(model, ranking);
  const Share* shares = &all[at(walk.begin)];
  double e = 0.0;
  for (ptrdiff_t u = 0; u <= a; ++u)
    e = (u < walk.stages ? 1.0 : 0.0) + (u > 0 ? shares[u - 1].others * shares[u - 1].others * e : 0.0);
  double reach = walk.weight * shares[a].own * e;
  for (auto u = a; u < b; ++u) reach *= shares[u].others;
  return reach * shares[b].own;
}

double log_likelihood(const RankingModel& model, std::span<const double> s, Monitor& monitor) {
  std::vector<double> parts(model.rankings.chunks.size(), 0.0);
  each_chunk(model.rankings, monitor, [&](auto chunk, auto first, auto last) {
    for (auto r = first; r < last; ++r) {
      const Walk walk(model, r);
      double log_sum = s[at(walk.codes[walk.length - 1])], log_p = 0.0;
      for (auto u = walk.length - 1; u-- > 0;) {
        const double own = s[at(walk.codes[u])], high = std::max(own, log_sum);
        log_sum = high + std::log1p(std::exp(std::min(own, log_sum) - high));
        if (u < walk.stages) log_p += own - log_sum;
      }
      parts[at(chunk)] += walk.weight * log_p;
    }
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace steelyard::rank
