#include "weigh/approximate_inverse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr std::uint64_t order_seed = 20260101;
constexpr ptrdiff_t sum_rows = 1024;  // rows whose products are added before they are added to the others

void to_similarities(double* distances, ptrdiff_t n, double scale) {
  for (ptrdiff_t j = 0; j < n; ++j) distances[j] *= -scale;
  simd::kernels().vector_math->exp(distances, n);
}

/// All points but the landmarks, shuffled.
std::vector<std::int32_t> shuffled_rest(ptrdiff_t n, const std::vector<std::int32_t>& landmarks) {
  std::vector<char> taken(at(n), 0);
  for (const auto i : landmarks) taken[at(i)] = 1;
  std::vector<std::int32_t> rest;
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (taken[at(i)] == 0) rest.push_back(static_cast<std::int32_t>(i));
  }
  Random random(order_seed, 0);
  for (auto j = std::ssize(rest) - 1; j > 0; --j) std::swap(rest[at(j)], rest[at(random.below(j + 1))]);
  return rest;
}

void transpose_pattern(FactorPlan& plan) {
  const auto n = plan.rest.size();
  plan.user_offsets.assign(n + 1, 0);
  for (const auto j : plan.neighbours) {
    if (j >= 0) ++plan.user_offsets[at(j) + 1];
  }
  for (std::size_t j = 0; j < n; ++j) plan.user_offsets[j + 1] += plan.user_offsets[j];
  plan.users.resize(at(plan.user_offsets[n]));
  for_users(plan, [&](std::size_t entry, std::size_t place) {
    plan.users[place] = static_cast<std::int32_t>(static_cast<ptrdiff_t>(entry) / plan.k);
  });
}

double dot(const double* a, const double* b, ptrdiff_t n) {
  double lanes[8] = {};
  ptrdiff_t k = 0;
  for (; k + 8 <= n; k += 8) {
    for (ptrdiff_t l = 0; l < 8; ++l) lanes[l] += a[k + l] * b[k + l];
  }
  for (; k < n; ++k) lanes[0] += a[k] * b[k];
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/// y <- A x, A m x m row-major.
void times(const std::vector<double>& a, const std::vector<double>& x, std::vector<double>& y) {
  const auto m = std::ssize(x);
  for (ptrdiff_t i = 0; i < m; ++i) y[at(i)] = dot(a.data() + i * m, x.data(), m);
}

/// The same plan where the space finds neighbours by itself: the rest stays in its order, which keeps what lies near
/// together in memory, and each point has those of lower place in the random order.
bool plan_in_place(const Space& space, ptrdiff_t k, FactorPlan& plan, Monitor& monitor) {
  const ptrdiff_t n = space.size();
  std::vector<std::int32_t> rank(at(n), static_cast<std::int32_t>(n)), place(at(n), -1);
  for (std::size_t r = 0; r < plan.rest.size(); ++r) rank[at(plan.rest[r])] = static_cast<std::int32_t>(r);
  std::vector<std::int32_t> found;
  if (!space.earlier_neighbours(rank, k, found, monitor)) return false;
  std::sort(plan.rest.begin(), plan.rest.end());
  for (std::size_t r = 0; r < plan.rest.size(); ++r) {
    place[at(plan.rest[r])] = static_cast<std::int32_t>(r);
    std::copy_n(found.begin() + plan.rest[r] * k, k, found.begin() + static_cast<ptrdiff_t>(r) * k);
  }
  found.resize(checked_product("working memory", plan.rest.size(), k));
  for (auto& point : found) point = point < 0 ? -1 : place[at(point)];
  plan.neighbours = std::move(found);
  return true;
}

}  // namespace

FactorPlan plan_factor(const Space& space, ptrdiff_t landmarks, ptrdiff_t k, Monitor& monitor) {
  FactorPlan plan;
  if (landmarks > 0) plan.landmarks = farthest_points(space, landmarks, monitor);
  if (landmarks == 0) plan.rest = space.nets();
  if (plan.rest.empty()) plan.rest = shuffled_rest(space.size(), plan.landmarks);
  plan.k = std::min(k, std::max<ptrdiff_t>(0, std::ssize(plan.rest) - 1));
  if (plan.rest.empty() || monitor.stopped()) return plan;
  if (!plan_in_place(space, plan.k, plan, monitor)) {
    const auto ordered = space.reordered(plan.rest, monitor);
    plan.neighbours = nearest_neighbours(*ordered, plan.k, true, monitor);
  }
  transpose_pattern(plan);
  return plan;
}

ApproximateInverse::ApproximateInverse(const Space& space, const FactorPlan& plan, double scale,
                                       Monitor& monitor)
    : plan_(plan), m_(std::ssize(plan.landmarks)), rest_(std::ssize(plan.rest)) {
  if (!factor_landmarks(space, scale, monitor) || monitor.poll()) return;
  project(space, scale, monitor);
  factor_rest(space, scale, monitor);
  complete_ = !monitor.stopped();
}

bool ApproximateInverse::factor_landmarks(const Space& space, double scale, Monitor& monitor) {
  std::vector<double> l(checked_product("working memory", m_, m_)), scratch;
  space.chosen(plan_.landmarks, plan_.landmarks, l.data(), scratch);
  to_similarities(l.data(), m_ * m_, scale);
  std::vector<double> factor = l;
  // A preconditioner may be wrong a little: what rounding makes singular is lifted here, and only here.
  for (double lift = 1e-14; !linalg::cholesky_own(factor.data(), m_, m_, monitor); lift *= 100.0) {
    if (lift > 1e-2 || monitor.stopped()) return false;
    factor = l;
    for (ptrdiff_t i = 0; i < m_; ++i) factor[at(i * m_ + i)] += lift;
  }
  inverse_.assign(checked_product("working memory", m_, m_), 0.0);
  transpose_.assign(checked_product("working memory", m_, m_), 0.0);
  constexpr ptrdiff_t columns = 32;
  return parallel_for(m_, columns, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < m_; ++i) {  // row i of L^{-1} from the rows above
      if (monitor.poll()) return;
      double* row = inverse_.data() + i * m_;
      for (auto k = begin; k < i; ++k) {
        const double factor_ik = factor[at(i * m_ + k)];
        const double* above = inverse_.data() + k * m_;
        for (auto j = begin; j < std::min(end, k + 1); ++j) row[j] -= factor_ik * above[j];
      }
      const double pivot = factor[at(i * m_ + i)];
      if (i < end) row[i] = 1.0;
      for (auto j = begin; j < std::min(end, i + 1); ++j) {
        row[j] /= pivot;
        transpose_[at(j * m_ + i)] = row[j];
      }
    }
  });
}

/// B = Z_RI L^{-T}, with L^{-T} in panels of a few columns, which end at its diagonal: the product walks them
/// in the order in which they lie, a stretch after another, each small enough for a cache.
void ApproximateInverse::project(const Space& space, double scale, Monitor& monitor) {
  if (m_ == 0) return;
  constexpr ptrdiff_t width = 16, stretch = 512;
  std::vector<double> panels(checked_product("working memory", m_, m_ + width));
  const auto panel = [&](ptrdiff_t first) { return panels.data() + first * m_; };
  for (ptrdiff_t first = 0; first < m_; first += width) {
    const ptrdiff_t columns = std::min(width, m_ - first);
    for (ptrdiff_t k = 0; k < first + columns; ++k)
      std::copy_n(transpose_.data() + k * m_ + first, columns, panel(first) + k * columns);
  }
  // Not filled here: hundreds of megabytes of fresh pages on one thread would keep Ctrl-C waiting.
  b_ = std::make_unique_for_overwrite<float[]>(at(rest_ * m_));
  constexpr ptrdiff_t rows = 64;
  parallel_for(rest_, rows, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    if (monitor.poll()) return;
    const std::span<const std::int32_t> own(plan_.rest.data() + begin, at(end - begin));
    std::vector<double> z(checked_product("working memory", end - begin, m_)), b(z.size(), 0.0), scratch;
    space.chosen(own, plan_.landmarks, z.data(), scratch);
    to_similarities(z.data(), std::ssize(z), scale);
    for (double& value : z) value = -value;
    for (ptrdiff_t k = 0; k < m_ && !monitor.poll(); k += stretch) {
      for (ptrdiff_t first = k / width * width; first < m_; first += width) {
        const ptrdiff_t columns = std::min(width, m_ - first), last = std::min(k + stretch, first + columns);
        simd::kernels().dense->subtract_product(b.data() + first, m_, z.data() + k, m_,
                                                panel(first) + k * columns, columns, end - begin, columns,
                                                last - k);
      }
    }
    std::transform(b.begin(), b.end(), b_.get() + begin * m_, [](double x) { return static_cast<float>(x); });
  });
}

void ApproximateInverse::factor_rest(const Space& space, double scale, Monitor& monitor) {
  const ptrdiff_t k = plan_.k;
  g_.assign(checked_product("working memory", rest_, k), 0.0F);
  diagonal_.assign(at(rest_), 1.0);
  parallel_for(rest_, 16, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> s, b, scratch;
    for (auto i = begin; i < end && !monitor.poll(); ++i) factor_row(i, space, scale, s, b, scratch);
  });
  users_g_.resize(plan_.users.size());
  for_users(plan_, [this](std::size_t entry, std::size_t place) { users_g_[place] = g_[entry]; });
}

/// The neighbours first, i last; then row i of G is the last row of the inverse Cholesky factor.
void ApproximateInverse::factor_row(ptrdiff_t i, const Space& space, double scale, std::vector<double>& s,
                                    std::vector<double>& b, std::vector<double>& scratch) {
  const std::int32_t* near = plan_.neighbours.data() + i * plan_.k;
  const ptrdiff_t count = std::find(near, near + plan_.k, -1) - near, q = count + 1;
  std::vector<std::int32_t> points(at(q));
  for (ptrdiff_t a = 0; a < count; ++a) points[at(a)] = plan_.rest[at(near[a])];
  points[at(count)] = plan_.rest[at(i)];
  s.resize(checked_product("working memory", q, q));
  space.chosen(points, points, s.data(), scratch);
  to_similarities(s.data(), q * q, scale);
  if (m_ > 0) {
    // Padded with zeros to whole tiles of the product. Only what is not padding is written, so it stays.
    const ptrdiff_t rows = (q + 3) / 4 * 4, width = (q + 15) / 16 * 16;
    const auto size = at((rows + width) * m_ + rows * width);
    if (b.size() != size) b.assign(size, 0.0);
    double *columns = b.data() + rows * m_, *product = columns + width * m_;
    for (ptrdiff_t a = 0; a < q; ++a) {
      const float* from = b_.get() + (a < count ? near[a] : i) * m_;
      std::copy_n(from, m_, b.data() + a * m_);
      for (ptrdiff_t c = 0; c < m_; ++c) columns[c * width + a] = from[c];
    }
    std::fill_n(product, rows * width, 0.0);
    simd::kernels().dense->subtract_product(product, width, b.data(), m_, columns, width, rows, width, m_);
    for (ptrdiff_t a = 0; a < q; ++a)
      for (ptrdiff_t c = 0; c < q; ++c) s[at(a * q + c)] += product[a * width + c];
  }
  const std::vector<double> exact = s;
  for (double lift = 1e-14; !linalg::cholesky_own(s.data(), q, q); lift *= 100.0) {
    s = exact;
    for (ptrdiff_t a = 0; a < q; ++a) s[at(a * q + a)] += lift;
  }
  std::vector<double> x(at(q), 0.0);
  x[at(count)] = 1.0;
  for (auto a = count; a >= 0; --a) {  // L' x = e_last
    const double value = x[at(a)] /= s[at(a * q + a)];
    for (ptrdiff_t c = 0; c < a; ++c) x[at(c)] -= value * s[at(a * q + c)];
  }
  std::transform(x.begin(), x.begin() + count, g_.begin() + i * plan_.k,
                 [](double value) { return static_cast<float>(value); });
  diagonal_[at(i)] = x[at(count)];
}

void ApproximateInverse::apply(const double* r, double* z, ptrdiff_t stride, Monitor& monitor) const {
  const auto& dense = *simd::kernels().dense;
  const ptrdiff_t k = plan_.k;
  std::vector<double> y(at(m_)), y1(at(m_)), reduced(at(rest_)), u(at(rest_)), z2(at(rest_));
  for (ptrdiff_t a = 0; a < m_; ++a) y[at(a)] = r[plan_.landmarks[at(a)] * stride];
  times(inverse_, y, y1);
  const ptrdiff_t grain = std::max<ptrdiff_t>(sum_rows, grain_for(0.3 * static_cast<double>(m_ + k)));
  parallel_for(rest_, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    dense.multiply(b_.get() + begin * m_, end - begin, m_, y1.data(), reduced.data() + begin);
    for (auto i = begin; i < end; ++i) reduced[at(i)] = r[plan_.rest[at(i)] * stride] - reduced[at(i)];
  });
  parallel_for(rest_, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      double sum = diagonal_[at(i)] * reduced[at(i)];
      for (auto e = i * k; e < (i + 1) * k && plan_.neighbours[at(e)] >= 0; ++e) {
        sum += static_cast<double>(g_[at(e)]) * reduced[at(plan_.neighbours[at(e)])];
      }
      u[at(i)] = sum;
    }
  });
  const ptrdiff_t chunks = (rest_ + sum_rows - 1) / sum_rows;
  std::vector<double> parts(checked_product("working memory", chunks, m_), 0.0);
  parallel_for(rest_, sum_rows, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    double* part = parts.data() + begin / sum_rows * m_;
    for (auto i = begin; i < end; ++i) {
      double sum = diagonal_[at(i)] * u[at(i)];
      for (auto e = plan_.user_offsets[at(i)]; e < plan_.user_offsets[at(i) + 1]; ++e) {
        sum += static_cast<double>(users_g_[at(e)]) * u[at(plan_.users[at(e)])];
      }
      z2[at(i)] = sum;
    }
    dense.add_transposed(b_.get() + begin * m_, end - begin, m_, z2.data() + begin, part);
  });
  for (ptrdiff_t c = 0; c < chunks; ++c) {
    for (ptrdiff_t a = 0; a < m_; ++a) y1[at(a)] -= parts[at(c * m_ + a)];
  }
  times(transpose_, y1, y);
  for (ptrdiff_t a = 0; a < m_; ++a) z[plan_.landmarks[at(a)] * stride] = y[at(a)];
  for (ptrdiff_t i = 0; i < rest_; ++i) z[plan_.rest[at(i)] * stride] = z2[at(i)];
}

}  // namespace steelyard::weigh
