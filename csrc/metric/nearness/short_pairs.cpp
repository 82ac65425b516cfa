#include "metric/nearness/short_pairs.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "metric/condensed_index.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

constexpr ptrdiff_t chunk = 16;  // rows

/// The shortest two-leg paths from one point to all later ones.
struct TwoLegs {
  std::vector<double> length;
  std::vector<int32_t> middle, reached;

  explicit TwoLegs(ptrdiff_t n) : length(at(n), infinity), middle(at(n), 0) {}

  void clear() {
    for (const auto j : reached) length[at(j)] = infinity;
    reached.clear();
  }

  void offer(int32_t j, int32_t k, double value) {
    double& best = length[at(j)];
    if (value >= best) return;
    if (best == infinity) reached.push_back(j);
    best = value;
    middle[at(j)] = k;
  }
};

}  // namespace

ShortPairs::ShortPairs(ptrdiff_t n, std::span<const double> x, double bound) : n_(n), offsets_(at(n) + 1, 0) {
  size_t e = 0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = i + 1; j < n; ++j, ++e) {
      if (x[e] < bound) ++offsets_[at(i) + 1], ++offsets_[at(j) + 1];
    }
  }
  for (ptrdiff_t i = 0; i < n; ++i) offsets_[at(i) + 1] += offsets_[at(i)];
  indices_.resize(at(offsets_.back()));
  values_.resize(indices_.size());
  auto next = offsets_;
  e = 0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = i + 1; j < n; ++j, ++e) {
      if (!(x[e] < bound)) continue;
      const auto p = at(next[at(i)]++), q = at(next[at(j)]++);
      indices_[p] = static_cast<int32_t>(j);
      indices_[q] = static_cast<int32_t>(i);
      values_[p] = values_[q] = x[e];
    }
  }
}

std::vector<FoundTriangle> ShortPairs::violated(std::span<const double> x, double tol,
                                                Monitor& monitor) const {
  std::vector<std::vector<FoundTriangle>> parts(at((n_ + chunk - 1) / chunk));
  parallel_for(n_, chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    auto& part = parts[at(begin / chunk)];
    TwoLegs legs(n_);
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      for (auto p = offsets_[at(i)]; p < offsets_[at(i) + 1]; ++p) {
        const auto k = indices_[at(p)];
        const double first = values_[at(p)];
        // From the back: later points only.
        for (auto q = offsets_[at(k) + 1] - 1; q >= offsets_[at(k)] && indices_[at(q)] > i; --q)
          legs.offer(indices_[at(q)], k, first + values_[at(q)]);
      }
      const auto row = condensed_index(n_, i, i + 1) - (i + 1);
      const auto before = part.size();
      for (const auto j : legs.reached) {
        const double violation = x[at(row + j)] - legs.length[at(j)];
        if (!(violation > tol)) continue;
        const auto pair = static_cast<std::uint64_t>(i * n_ + j);
        part.push_back(
            {pair * static_cast<std::uint64_t>(n_) + static_cast<std::uint64_t>(legs.middle[at(j)]),
             violation});
      }
      std::sort(part.begin() + static_cast<ptrdiff_t>(before), part.end(),
                [](const auto& a, const auto& b) { return a.key < b.key; });
      legs.clear();
    }
  });
  std::vector<FoundTriangle> found;
  size_t total = 0;
  for (const auto& part : parts) total += part.size();
  found.reserve(total);
  for (const auto& part : parts) found.insert(found.end(), part.begin(), part.end());
  return found;
}

double ShortPairs::relax(std::span<double> x, Monitor& monitor) const {
  std::vector<double> falls(at((n_ + chunk - 1) / chunk), 0.0);
  parallel_for(n_, chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    double fall = 0.0;
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      const auto row = condensed_index(n_, i, i + 1) - (i + 1);
      for (auto p = offsets_[at(i)]; p < offsets_[at(i) + 1]; ++p) {
        const auto k = indices_[at(p)];
        for (auto q = offsets_[at(k) + 1] - 1; q >= offsets_[at(k)] && indices_[at(q)] > i; --q) {
          double& value = x[at(row + indices_[at(q)])];
          const double path = values_[at(p)] + values_[at(q)];
          if (path < value) fall = std::max(fall, value - path), value = path;
        }
      }
    }
    falls[at(begin / chunk)] = fall;
  });
  return *std::max_element(falls.begin(), falls.end());
}

double ShortPairs::work() const {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < n_; ++i) {
    const auto degree = static_cast<double>(offsets_[at(i) + 1] - offsets_[at(i)]);
    sum += degree * degree;
  }
  return sum;
}

bool close_bounded(ptrdiff_t n, std::span<double> x, double bound, int rounds, Monitor& monitor) {
  double most = 0.0;
  for (int round = 0; round < rounds; ++round) {
    const ShortPairs pairs(n, x, bound);
    if (round == 0) most = 30.0 * pairs.work();
    if (pairs.work() > most) return false;
    const double fall = pairs.relax(x, monitor);
    if (monitor.stopped()) return false;
    if (fall == 0.0) return true;
  }
  double worst = 0.0;
  for (const auto& found : ShortPairs(n, x, bound).violated(x, 0.0, monitor))
    worst = std::max(worst, found.violation);
  if (monitor.stopped()) return false;
  if (worst > 0.0) {
    for (double& value : x) value = std::min(bound, value + worst);
  }
  return true;
}

}  // namespace steelyard::metric
