#include "rank/paired/group_system.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t most_whole = 3000;  // rows of S that are factored at each step
constexpr double most_numbers = 268e6;  // 2 GB
constexpr double schur_numbers = 67e6;  // in the sums of all chunks
constexpr ptrdiff_t most_chunks = 16;

/// What a group's games say of its items: L_g, full, row-major, at the columns from `begin` on.
void fill_laplacian(const SideMatrix& sides, const Derivatives& d, ptrdiff_t begin, ptrdiff_t n, double* l) {
  std::fill(l, l + n * n, 0.0);
  for (ptrdiff_t i = 0; i < n; ++i) {
    double* row = l + i * n;
    const auto column = at(begin + i);
    for (auto k = sides.columns.offsets[column]; k < sides.columns.offsets[column + 1]; ++k) {
      const auto game = at(sides.columns.indices[at(k)]);
      const double c = d.cell_curvature[game], a = sides.column_values[at(k)];
      for (auto e = sides.rows.offsets[game]; e < sides.rows.offsets[game + 1]; ++e) {
        const auto j = sides.rows.indices[at(e)] - begin;
        if (j >= 0 && j < n) row[j] += c * (a * sides.row_values[at(e)]);
      }
    }
  }
}

bool invert(double* l, ptrdiff_t n, std::vector<double>& scratch, Monitor& monitor) {
  if (n > linalg::own_cholesky_limit) return linalg::cholesky_inverse(l, n, n, monitor);
  linalg::cholesky_inverse_own(l, n, n, scratch);
  return true;
}

/// x <- (L L')^{-1} x along contiguous rows.
void solve_column(const double* l, ptrdiff_t n, double* x) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    const double* row = l + i * n;
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    ptrdiff_t k = 0;
    for (; k + 4 <= i; k += 4)
      for (ptrdiff_t p = 0; p < 4; ++p) sums[p] += row[k + p] * x[k + p];
    for (; k < i; ++k) sums[0] += row[k] * x[k];
    x[i] = (x[i] - ((sums[0] + sums[1]) + (sums[2] + sums[3]))) / row[i];
  }
  for (ptrdiff_t i = n; i-- > 0;) {
    const double* row = l + i * n;
    const double value = x[i] /= row[i];
    for (ptrdiff_t k = 0; k < i; ++k) x[k] -= row[k] * value;
  }
}

}  // namespace

GroupSystem::GroupSystem(const TeamProblem& problem) : problem_(problem) {
  base_ = problem.groups.begins.front();
  if (base_ < problem.sides.items()) tension_ = problem.springs[at(base_)];
  places_.assign(1, 0);
  for (ptrdiff_t g = 0; g < groups(); ++g)
    places_.push_back(places_.back() +
                      static_cast<ptrdiff_t>(checked_product("working memory", size(g), size(g))));
  blocks_.resize(at(places_.back()));
}

bool GroupSystem::pays(const TeamProblem& problem) {
  const auto& begins = problem.groups.begins;
  if (begins.empty() || begins.front() > most_whole) return false;
  double numbers = 0.0;
  for (std::size_t g = 1; g < begins.size(); ++g) {
    const auto n = static_cast<double>(begins[g] - begins[g - 1]);
    numbers += n * n;
  }
  return numbers <= most_numbers;
}

ptrdiff_t GroupSystem::grain(double nanoseconds_an_entry) const {
  const double entries =
      static_cast<double>(places_.back()) / static_cast<double>(std::max<ptrdiff_t>(groups(), 1));
  return grain_for(nanoseconds_an_entry * entries + 100.0);
}

/// Factors C_g, and adds what is left of m to a lower triangle.
bool GroupSystem::add_group(const Derivatives& d, ptrdiff_t g, Work& work, double* schur, Monitor& monitor) {
  const auto n = size(g), begin = static_cast<ptrdiff_t>(problem_.groups.begins[at(g)]);
  const auto numbers = at(n * n);
  auto& [held, scratch] = work;
  if (held.size() < 2 * numbers) held.resize(2 * numbers);
  double *laplacian = held.data(), *inverse = laplacian + numbers, *factor = &blocks_[at(places_[at(g)])];
  fill_laplacian(problem_.sides, d, begin, n, laplacian);
  double stiffest = 0.0;
  std::copy(laplacian, laplacian + numbers, factor);
  for (ptrdiff_t i = 0; i < n; ++i) {
    stiffest = std::max(stiffest, laplacian[i * n + i]);
    factor[i * n + i] += tension_;
  }
  if (!linalg::cholesky(factor, n, n, monitor)) return false;
  std::copy(factor, factor + numbers, inverse);
  if (!invert(inverse, n, scratch, monitor)) return false;
  const auto* whole = &problem_.groups.whole[at(begin - base_)];
  if (tension_ < stiffest) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      if (whole[i] < 0) continue;
      double* row = schur + whole[i] * base_;
      for (ptrdiff_t j = 0; j <= i; ++j)
        if (whole[j] >= 0) row[whole[j]] -= tension_ * (tension_ * inverse[i * n + j]);
      row[whole[i]] += tension_;
    }
    return true;
  }
  const auto& dense = *simd::kernels().dense;
  for (std::size_t k = 0; k < numbers; ++k) inverse[k] *= -tension_;
  std::vector<double> left(numbers, 0.0);
  dense.subtract_product(left.data(), n, inverse, n, laplacian, n, n, n, n);
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = 0; whole[i] >= 0 && j <= i; ++j)
      if (whole[j] >= 0) schur[whole[i] * base_ + whole[j]] += left[at(i * n + j)];
  }
  return true;
}

bool GroupSystem::factor(const Derivatives& d, Monitor& monitor) {
  const auto square = checked_product("working memory", base_, base_);
  schur_.assign(square, 0.0);
  const auto most =
      static_cast<ptrdiff_t>(schur_numbers / static_cast<double>(std::max<std::size_t>(square, 1)));
  const auto chunks = std::min(most, most_chunks);
  // Large groups one by one, for BLAS; small ones side by side, in chunks that add up in their order.
  const auto apart = [&](ptrdiff_t g) { return chunks >= 4 && size(g) <= linalg::own_cholesky_limit; };
  Work work;
  for (ptrdiff_t g = 0; g < groups(); ++g) {
    if (!apart(g) && (monitor.poll() || !add_group(d, g, work, schur_.data(), monitor))) return false;
  }
  const auto each = std::max<ptrdiff_t>(1, (groups() + chunks - 1) / std::max<ptrdiff_t>(chunks, 1));
  std::vector<double> sums(chunks >= 4 ? checked_product("working memory", chunks, square) : 0, 0.0);
  std::atomic<bool> definite = true;
  const bool complete =
      sums.empty() || parallel_for(groups(), each, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
        auto inside = Monitor::inside(monitor);
        Work own;
        for (auto g = begin; g < end && definite && !inside.poll(); ++g)
          if (apart(g) && !add_group(d, g, own, &sums[at(begin / each) * square], inside)) definite = false;
      });
  if (!complete || !definite || monitor.stopped()) return false;
  for (ptrdiff_t c = 0; !sums.empty() && c < chunks; ++c)
    for (std::size_t k = 0; k < square; ++k) schur_[k] += sums[at(c) * square + k];
  for (ptrdiff_t i = 0; i < base_ && !d.prior_curvature.empty(); ++i)
    schur_[at(i * base_ + i)] += d.prior_curvature[at(i)];
  return linalg::cholesky(schur_.data(), base_, base_, monitor);
}

/// x <- C_g^{-1} x, `columns` interleaved.
void GroupSystem::solve_group(ptrdiff_t g, std::vector<double>& column, double* x, ptrdiff_t columns) const {
  const auto n = size(g);
  const double* l = &blocks_[at(places_[at(g)])];
  if (columns == 1) return solve_column(l, n, x);
  column.resize(at(n));
  for (ptrdiff_t c = 0; c < columns; ++c) {
    for (ptrdiff_t i = 0; i < n; ++i) column[at(i)] = x[i * columns + c];
    solve_column(l, n, column.data());
    for (ptrdiff_t i = 0; i < n; ++i) x[i * columns + c] = column[at(i)];
  }
}

void GroupSystem::solve(const double* b, double* x, ptrdiff_t columns, Monitor& monitor) const {
  const auto& whole = problem_.groups.whole;
  const auto* begins = problem_.groups.begins.data();
  const auto length = std::ssize(whole) * columns;
  double* own = x + base_ * columns;  // the differences
  std::copy(b, b + base_ * columns + length, x);
  const auto step = grain(2.0 * static_cast<double>(columns));
  parallel_for(groups(), step, monitor, [&](ptrdiff_t first, ptrdiff_t last) {
    std::vector<double> column;
    for (auto g = first; g < last; ++g) solve_group(g, column, x + begins[g] * columns, columns);
  });
  // Of b_m are left b_m - sum L_g C_g^{-1} b_g, where L_g C_g^{-1} = I - t C_g^{-1}.
  const double* right = b + base_ * columns;
  for (std::size_t k = 0; k < whole.size(); ++k) {
    for (ptrdiff_t c = 0; whole[k] >= 0 && c < columns; ++c) {
      const auto from = static_cast<ptrdiff_t>(k) * columns + c;
      x[whole[k] * columns + c] -= right[from] - tension_ * own[from];
    }
  }
  linalg::cholesky_solve(schur_.data(), base_, base_, x, columns, columns);
  parallel_for(groups(), step, monitor, [&](ptrdiff_t first, ptrdiff_t last) {
    std::vector<double> column, pulled;
    for (auto g = first; g < last; ++g) {
      const auto n = size(g), begin = static_cast<ptrdiff_t>(begins[g]) - base_;
      pulled.assign(checked_product("working memory", n, columns), 0.0);
      for (ptrdiff_t i = 0; i < n; ++i) {
        const auto w = whole[at(begin + i)];
        for (ptrdiff_t c = 0; w >= 0 && c < columns; ++c) pulled[at(i * columns + c)] = x[w * columns + c];
      }
      for (ptrdiff_t k = 0; k < n * columns; ++k) own[begin * columns + k] -= pulled[at(k)];
      solve_group(g, column, pulled.data(), columns);
      for (ptrdiff_t k = 0; k < n * columns; ++k) own[begin * columns + k] += tension_ * pulled[at(k)];
    }
  });
}

double GroupSystem::log_determinant() const {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < base_; ++i) sum += std::log(schur_[at(i * base_ + i)]);
  for (ptrdiff_t g = 0; g < groups(); ++g) {
    const double* l = &blocks_[at(places_[at(g)])];
    for (ptrdiff_t i = 0; i < size(g); ++i) sum += std::log(l[i * size(g) + i]);
  }
  return 2.0 * sum;
}

namespace {

/// s_g = T (m, extras) + noise with covariance C_g^{-1}, T = [t C_g^{-1}, -C_g^{-1} K]; other items are m plus noise of
/// variance 1 / t. All against their mean.
bool errors_of_group(const GroupLaw& law, ptrdiff_t g, const double* l, double* out, Monitor& monitor) {
  const auto first = law.begins[at(g)];
  const ptrdiff_t n = law.begins[at(g + 1)] - first, extras = law.border.cols, wide = n + extras;
  const ptrdiff_t all = law.items, base = law.sigma.rows - extras, skip = all - base;
  const double loose = 1.0 / law.tension, share = 1.0 / static_cast<double>(all);
  const auto* items = &law.places[at(first)];
  std::vector<double> inverse(l, l + n * n), told(at(n * wide), 0.0), spread(at(wide * wide)),
      pulled(at(n * wide), 0.0), mean(at(base + extras), share), with(at(base + extras), 0.0);
  if (!linalg::cholesky_inverse(inverse.data(), n, n, monitor)) return false;
  const auto row_of = [&](ptrdiff_t k) -> ptrdiff_t { return k < n ? items[k] - skip : base + k - n; };
  for (ptrdiff_t k = 0; k < wide; ++k) {
    const auto row = row_of(k);
    for (ptrdiff_t j = 0; row >= 0 && j < wide; ++j)
      spread[at(k * wide + j)] = row_of(j) < 0 ? 0.0 : law.sigma.row(row)[row_of(j)];
  }
  double total = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    double* row = &told[at(i * wide)];
    const double* c = &inverse[at(i * n)];
    for (ptrdiff_t j = 0; j < n; ++j) {
      row[j] = row_of(j) < 0 ? 0.0 : law.tension * c[j];
      total += c[j];
      for (ptrdiff_t e = 0; e < extras; ++e) row[n + e] -= c[j] * law.border.row(first + j)[e];
    }
  }
  // The mean over all items: a combination of (m, extras), and noise of its own.
  for (ptrdiff_t e = 0; e < extras; ++e) mean[at(base + e)] = 0.0;
  for (ptrdiff_t k = 0; k < wide; ++k) {
    if (row_of(k) < 0) continue;
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += told[at(i * wide + k)];
    mean[at(row_of(k))] = sum * share;
  }
  double pulled_mean = 0.0;
  for (ptrdiff_t r = 0; r < base + extras; ++r) {
    const double* sigma = law.sigma.row(r);
    for (ptrdiff_t c = 0; c < base + extras; ++c) with[at(r)] += sigma[c] * mean[at(c)];
    pulled_mean += mean[at(r)] * with[at(r)];
  }
  const double own = (total + loose * static_cast<double>(all - n)) * share * share;
  for (ptrdiff_t i = 0; i < all; ++i) {
    const auto r = i - skip;
    const double alone = r < 0 ? 0.0 : law.sigma.row(r)[r], beside = r < 0 ? 0.0 : with[at(r)];
    out[i] = alone + loose - 2.0 * (beside + loose * share) + pulled_mean + own;
  }
  simd::kernels().dense->subtract_product(pulled.data(), wide, told.data(), wide, spread.data(), wide, n,
                                          wide, wide);
  for (ptrdiff_t i = 0; i < n; ++i) {
    double variance = inverse[at(i * n + i)], covariance = 0.0, noise = 0.0;
    for (ptrdiff_t k = 0; k < wide; ++k) {
      variance -= pulled[at(i * wide + k)] * told[at(i * wide + k)];
      if (row_of(k) >= 0) covariance += told[at(i * wide + k)] * with[at(row_of(k))];
    }
    for (ptrdiff_t j = 0; j < n; ++j) noise += inverse[at(i * n + j)];
    out[items[i]] = variance - 2.0 * (covariance + noise * share) + pulled_mean + own;
  }
  for (ptrdiff_t i = 0; i < all; ++i) out[i] = std::sqrt(std::max(out[i], 0.0));
  return true;
}

}  // namespace

bool group_standard_errors(const GroupLaw& law, double* out, Monitor& monitor) {
  const auto groups = std::ssize(law.begins) - 1;
  std::vector<ptrdiff_t> starts(1, 0);
  const auto size = [&](ptrdiff_t g) { return law.begins[at(g + 1)] - law.begins[at(g)]; };
  for (ptrdiff_t g = 0; g < groups; ++g) starts.push_back(starts.back() + size(g) * size(g));
  std::atomic<bool> definite = true;
  const auto one = [&](ptrdiff_t g, Monitor& own) {
    if (!errors_of_group(law, g, &law.blocks[at(starts[at(g)])], out + g * law.items, own)) definite = false;
  };
  const auto apart = [&](ptrdiff_t g) { return size(g) <= linalg::own_cholesky_limit; };
  for (ptrdiff_t g = 0; g < groups && !monitor.poll(); ++g)
    if (!apart(g)) one(g, monitor);
  return parallel_for(groups, 1, monitor,
                      [&](ptrdiff_t begin, ptrdiff_t end) {
                        auto inside = Monitor::inside(monitor);
                        for (auto g = begin; g < end && !inside.poll(); ++g)
                          if (apart(g)) one(g, inside);
                      }) &&
         definite;
}

}  // namespace steelyard::rank
