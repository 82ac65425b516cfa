#include "distances/far_field/far_field.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/aligned.hpp"
#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/far_field/interpolation_error.hpp"
#include "distances/panels.hpp"
#include "simd/table.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

template <class Real>
const simd::Interpolation<Real>& interpolation_of() {
  if constexpr (sizeof(Real) == sizeof(float)) {
    return *simd::kernels().interpolation_f32;
  } else {
    return *simd::kernels().interpolation_f64;
  }
}

/// Scale times distance beyond which similarities are left out: 1e-9 and 1e-16.
template <class Real>
constexpr double cut = sizeof(Real) == sizeof(float) ? 20.7 : 36.8;

void exp_minus_root(float* x, ptrdiff_t n, double t) {
  simd::kernels().vector_math->exp_minus_root_f32(x, n, static_cast<float>(t));
}
void exp_minus_root(double* x, ptrdiff_t n, double t) {
  simd::kernels().vector_math->exp_minus_root(x, n, t);
}

ptrdiff_t integer_power(ptrdiff_t base, ptrdiff_t exponent) {
  ptrdiff_t out = 1;
  for (ptrdiff_t k = 0; k < exponent; ++k) out *= base;
  return out;
}

ptrdiff_t rounded_up(ptrdiff_t n, ptrdiff_t step) { return (n + step - 1) / step * step; }

/// Interpolation at the p Chebyshev points of [-1, 1].
template <class Real>
struct Nodes {
  std::vector<double> x;
  std::vector<Real>
      from_moments;  ///< p x p: values of the cardinal functions from polynomials, summed over points
  std::vector<Real> to_coefficients;
  std::array<std::vector<Real>, 2> to_parent, to_child;  ///< of the lower and the upper half

  explicit Nodes(ptrdiff_t p)
      : x(at(p)),
        from_moments(checked_product("working memory", p, p)),
        to_coefficients(from_moments.size()) {
    const auto angle = [p](ptrdiff_t k) {
      return static_cast<double>(2 * k + 1) * std::numbers::pi / static_cast<double>(2 * p);
    };
    std::vector<double> weights(from_moments.size());
    for (ptrdiff_t k = 0; k < p; ++k) {
      x[at(k)] = std::cos(angle(k));
      for (ptrdiff_t j = 0; j < p; ++j) {
        weights[at(k * p + j)] =
            (j == 0 ? 1.0 : 2.0) / static_cast<double>(p) * std::cos(static_cast<double>(j) * angle(k));
        from_moments[at(k * p + j)] = to_coefficients[at(j * p + k)] =
            static_cast<Real>(weights[at(k * p + j)]);
      }
    }
    for (std::size_t half = 0; half < 2; ++half) {
      to_parent[half].resize(from_moments.size());
      to_child[half].resize(from_moments.size());
      for (ptrdiff_t c = 0; c < p; ++c) {
        const double z = std::acos(0.5 * (x[at(c)] + (half == 1 ? 1.0 : -1.0)));
        for (ptrdiff_t k = 0; k < p; ++k) {
          double sum = 0.0;
          for (ptrdiff_t j = 0; j < p; ++j)
            sum += weights[at(k * p + j)] * std::cos(static_cast<double>(j) * z);
          to_parent[half][at(k * p + c)] = to_child[half][at(c * p + k)] = static_cast<Real>(sum);
        }
      }
    }
  }
};

/// A p x p matrix and its transpose.
template <class Real>
struct Both {
  const Real *matrix, *transpose;
};

/// values (p^d) <- the p x p matrix of each axis applied along it.
template <class Real, class MatrixOf>
void along_axes(std::vector<Real>& values, std::vector<Real>& work, ptrdiff_t d, ptrdiff_t p,
                const MatrixOf& matrix_of) {
  const ptrdiff_t size = std::ssize(values);
  ptrdiff_t stride = size / p;
  for (ptrdiff_t k = 0; k < d; ++k, stride /= p) {
    const Both<Real> both = matrix_of(k);
    std::fill(work.begin(), work.end(), Real{0});
    for (ptrdiff_t outer = 0; outer < size; outer += stride * p) {
      const Real* from = values.data() + outer;
      Real* to = work.data() + outer;
      if (stride == 1) {  // the long loop inside
        for (ptrdiff_t c = 0; c < p; ++c)
          for (ptrdiff_t r = 0; r < p; ++r) to[r] += both.transpose[c * p + r] * from[c];
        continue;
      }
      for (ptrdiff_t r = 0; r < p; ++r) {
        for (ptrdiff_t c = 0; c < p; ++c) {
          const Real factor = both.matrix[r * p + c];
          for (ptrdiff_t i = 0; i < stride; ++i) to[r * stride + i] += factor * from[c * stride + i];
        }
      }
    }
    values.swap(work);
  }
}

}  // namespace

/// One product.
template <class Real>
class FarField::Pass {
 public:
  Pass(const FarField& field, const Interactions& all, ptrdiff_t p, double scale, Monitor& monitor)
      : tree_(field.tree_),
        offsets_(field.offsets_),
        all_(all),
        d_(tree_.dimensions()),
        p_(p),
        size_(integer_power(p, d_)),
        scale_(scale),
        monitor_(monitor),
        nodes_(p),
        v_(at(tree_.size())),
        y_(v_.size(), 0.0) {}

  bool run(const double* v, double* y, ptrdiff_t stride) {
    const auto order = tree_.order();
    for (std::size_t i = 0; i < v_.size(); ++i) v_[i] = v[order[i] * stride];
    outer_.assign(checked_product("working memory", all_.boxes.size(), size_), Real{0});
    inner_.assign(outer_.size(), Real{0});
    const auto levels = std::ssize(all_.levels) - 1;
    for (auto l = levels; l-- > 0;) over_level(l, [this](ptrdiff_t b) { gather_up(b); });
    for (ptrdiff_t l = 0; l < levels && !monitor_.stopped(); ++l) translate_level(l);
    over_boxes(0, std::ssize(all_.boxes), [this](ptrdiff_t b) { meet_points(b); });
    for (ptrdiff_t l = 0; l < levels; ++l) over_level(l, [this](ptrdiff_t b) { hand_down(b); });
    if (monitor_.stopped()) return false;
    for (std::size_t i = 0; i < y_.size(); ++i) y[order[i] * stride] = y_[i];
    return true;
  }

 private:
  /// Scratch of a task.
  struct Work {
    std::vector<Real> values, other, rows, z, v, scratch, sums;
    AlignedVector<Real> x_panels, y_panels, y_values, lanes;
  };

  const Cell& cell(ptrdiff_t b) const { return tree_.cells()[at(all_.boxes[at(b)].cell)]; }

  template <class Visit>
  void over_boxes(ptrdiff_t first, ptrdiff_t last, const Visit& visit) {
    parallel_for(last - first, 8, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto b = begin; b < end && !monitor_.poll(); ++b) visit(first + b);
    });
  }
  template <class Visit>
  void over_level(ptrdiff_t level, const Visit& visit) {
    over_boxes(all_.levels[at(level)], all_.levels[at(level + 1)], visit);
  }

  /// Polynomials of a leaf's points in its own coordinates; returns their stride.
  ptrdiff_t make_polynomials(const Cell& own, Work& work) const {
    const ptrdiff_t n = own.size(), stride = rounded_up(n, 16);
    work.rows.resize(checked_product("working memory", d_, p_, stride));
    work.z.resize(at(stride));
    work.scratch.resize(checked_product("working memory", d_, stride));
    const double inverse = 1.0 / std::max(tree_.half(own.level), 1e-300);
    for (ptrdiff_t k = 0; k < d_; ++k) {
      const double centre = tree_.centre(own, k);
      const double* x = tree_.coordinates(k) + own.begin;
      for (ptrdiff_t i = 0; i < n; ++i)
        work.z[at(i)] = static_cast<Real>(std::clamp((x[i] - centre) * inverse, -1.0, 1.0));
      interpolation_.polynomials(work.z.data(), n, p_, stride, work.rows.data() + k * p_ * stride);
    }
    return stride;
  }

  Both<Real> moved(const Cell& child, ptrdiff_t k, bool up) const {
    const auto half = at(child.index[at(k)] & 1);
    const Real *parent = nodes_.to_parent[half].data(), *own = nodes_.to_child[half].data();
    return up ? Both<Real>{parent, own} : Both<Real>{own, parent};
  }

  /// What a box's points weigh at its nodes.
  void gather_up(ptrdiff_t b) {
    static thread_local Work work;
    const Box& box = all_.boxes[at(b)];
    work.values.assign(at(size_), Real{0});
    work.other.resize(at(size_));
    Real* out = outer_.data() + b * size_;
    if (box.children == 0) {
      const Cell& own = cell(b);
      const auto stride = make_polynomials(own, work);
      work.v.assign(v_.begin() + own.begin, v_.begin() + own.end);
      interpolation_.moments(work.rows.data(), d_, p_, own.size(), stride, work.v.data(), work.scratch.data(),
                             work.values.data());
      along_axes(work.values, work.other, d_, p_, [this](ptrdiff_t) {
        return Both<Real>{nodes_.from_moments.data(), nodes_.to_coefficients.data()};
      });
      std::copy(work.values.begin(), work.values.end(), out);
      return;
    }
    for (auto c = box.first_child; c < box.first_child + box.children; ++c) {
      const Cell& child = cell(c);
      std::copy_n(outer_.begin() + c * size_, size_, work.values.begin());
      along_axes(work.values, work.other, d_, p_, [&](ptrdiff_t k) { return moved(child, k, true); });
      for (ptrdiff_t m = 0; m < size_; ++m) out[m] += work.values[at(m)];
    }
  }

  /// What a box's nodes have gathered goes to its children's, or to its points.
  void hand_down(ptrdiff_t b) {
    static thread_local Work work;
    const Box& box = all_.boxes[at(b)];
    work.values.resize(at(size_));
    work.other.resize(at(size_));
    const Real* from = inner_.data() + b * size_;
    if (box.children == 0) {
      const Cell& own = cell(b);
      const auto stride = make_polynomials(own, work);
      std::copy_n(from, size_, work.values.begin());
      along_axes(work.values, work.other, d_, p_, [this](ptrdiff_t) {
        return Both<Real>{nodes_.to_coefficients.data(), nodes_.from_moments.data()};
      });
      work.v.resize(at(own.size()));
      interpolation_.values(work.rows.data(), d_, p_, own.size(), stride, work.values.data(),
                            work.scratch.data(), work.v.data());
      for (ptrdiff_t i = 0; i < own.size(); ++i) y_[at(own.begin + i)] += static_cast<double>(work.v[at(i)]);
      return;
    }
    for (auto c = box.first_child; c < box.first_child + box.children; ++c) {
      const Cell& child = cell(c);
      std::copy_n(from, size_, work.values.begin());
      along_axes(work.values, work.other, d_, p_, [&](ptrdiff_t k) { return moved(child, k, false); });
      Real* to = inner_.data() + c * size_;
      for (ptrdiff_t m = 0; m < size_; ++m) to[m] += work.values[at(m)];
    }
  }

  double node(ptrdiff_t m, ptrdiff_t k) const { return nodes_.x[at(m / integer_power(p_, d_ - 1 - k) % p_)]; }

  /// Between the nodes of two cells of a shape: rows for the target's.
  void make_translation(ptrdiff_t shape, double half, Real* out) {
    parallel_for(size_, grain_for(2.0 * static_cast<double>(size_)), monitor_,
                 [&](ptrdiff_t begin, ptrdiff_t end) {
                   for (auto m = begin; m < end && !monitor_.poll(); ++m) {
                     Real* row = out + m * size_;
                     std::fill_n(row, size_, Real{0});
                     for (ptrdiff_t k = 0; k < d_; ++k) {
                       const double own = 2.0 * offsets_.shape(shape)[at(k)] + node(m, k);
                       const ptrdiff_t run = integer_power(p_, d_ - 1 - k);
                       for (ptrdiff_t l = 0; l < size_; l += run) {
                         const double gap = half * (own - nodes_.x[at(l / run % p_)]);
                         const auto square = static_cast<Real>(gap * gap);
                         for (ptrdiff_t i = l; i < l + run; ++i) row[i] += square;
                       }
                     }
                     exp_minus_root(row, size_, scale_);
                   }
                 });
  }

  void translate_level(ptrdiff_t level) {
    const auto first = all_.group_levels[at(level)], last = all_.group_levels[at(level + 1)];
    if (all_.group_starts[at(first)] == all_.group_starts[at(last)]) return;
    const double half = tree_.half(level);
    std::vector<std::vector<Real>> matrices(at(offsets_.shapes()));
    std::vector<char> needed(matrices.size(), 0);
    for (auto k = all_.group_starts[at(first)]; k < all_.group_starts[at(last)]; ++k)
      needed[at(offsets_.shape_of(all_.translations[at(k)].code))] = 1;
    for (ptrdiff_t s = 0; s < offsets_.shapes() && !monitor_.stopped(); ++s) {
      if (needed[at(s)] == 0 || scale_ * half * least_gap(offsets_, s) > cut<Real>) continue;
      matrices[at(s)].resize(checked_product("working memory", size_, size_));
      make_translation(s, half, matrices[at(s)].data());
    }
    parallel_for(last - first, 1, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto g = first + begin; g < first + end && !monitor_.poll(); ++g) translate_group(g, matrices);
    });
  }

  void translate_group(ptrdiff_t g, const std::vector<std::vector<Real>>& matrices) {
    const auto last = all_.group_starts[at(g + 1)];
    for (auto k = all_.group_starts[at(g)]; k < last;) {
      const auto shape = offsets_.shape_of(all_.translations[at(k)].code);
      auto end = k + 1;
      while (end < last && offsets_.shape_of(all_.translations[at(end)].code) == shape) ++end;
      if (!matrices[at(shape)].empty()) {
        for (auto begin = k; begin < end && !monitor_.poll(); begin += interpolation_.width)
          translate_panel(begin, std::min<ptrdiff_t>(begin + interpolation_.width, end), matrices[at(shape)]);
      }
      k = end;
    }
  }

  void translate_panel(ptrdiff_t begin, ptrdiff_t end, const std::vector<Real>& matrix) {
    static thread_local AlignedVector<Real> in, out;
    const ptrdiff_t width = interpolation_.width;
    in.assign(checked_product("working memory", size_, width), Real{0});
    out.resize(in.size());
    for (auto k = begin; k < end; ++k) {
      const auto& t = all_.translations[at(k)];
      const auto& place = places_of(t.code);
      const Real* from = outer_.data() + t.source * size_;
      for (ptrdiff_t m = 0; m < size_; ++m) in[at(m * width + k - begin)] = from[place[at(m)]];
    }
    interpolation_.translate(matrix.data(), size_, size_, in.data(), out.data());
    for (auto k = begin; k < end; ++k) {
      const auto& t = all_.translations[at(k)];
      const auto& place = places_of(t.code);
      Real* to = inner_.data() + t.target * size_;
      for (ptrdiff_t m = 0; m < size_; ++m) to[place[at(m)]] += out[at(m * width + k - begin)];
    }
  }

  const std::vector<std::int32_t>& places_of(std::int32_t code) const { return places_[at(code)]; }

  /// Sources of one target, packed about its centre, in blocks.
  class Sources {
   public:
    Sources(const Pass& pass, const Cell& about, Work& work) : pass_(pass), work_(work) {
      for (ptrdiff_t k = 0; k < pass.d_; ++k) centre_[at(k)] = pass.tree_.centre(about, k);
      work_.y_panels.assign(checked_product("working memory", block, pass.d_), Real{0});
      work_.y_values.assign(at(block), Real{0});
    }

    template <class Flush>
    void add_points(const Cell& from, const Flush& flush) {
      for (auto begin = from.begin; begin < from.end;) {
        const auto count = static_cast<std::int32_t>(std::min<ptrdiff_t>(from.end - begin, block - count_));
        for (ptrdiff_t k = 0; k < pass_.d_; ++k) {
          const double* x = pass_.tree_.coordinates(k) + begin;
          for (ptrdiff_t i = 0; i < count; ++i) put(count_ + i, k, x[i] - centre_[at(k)]);
        }
        for (ptrdiff_t i = 0; i < count; ++i)
          work_.y_values[at(count_ + i)] = static_cast<Real>(pass_.v_[at(begin + i)]);
        begin += count;
        count_ += count;
        if (count_ == block) finish(flush);
      }
    }

    template <class Flush>
    void add_nodes(const Cell& from, const Real* weights, const Flush& flush) {
      const double half = pass_.tree_.half(from.level);
      for (ptrdiff_t m = 0; m < pass_.size_; ++m) {
        for (ptrdiff_t k = 0; k < pass_.d_; ++k)
          put(count_, k, pass_.tree_.centre(from, k) - centre_[at(k)] + half * pass_.node(m, k));
        work_.y_values[at(count_++)] = weights[m];
        if (count_ == block) finish(flush);
      }
    }

    template <class Flush>
    void finish(const Flush& flush) {
      if (count_ == 0) return;
      const ptrdiff_t padded = rounded_up(count_, pass_.tile_.cols);
      for (auto i = count_; i < padded; ++i) work_.y_values[at(i)] = Real{0};
      flush(padded / pass_.tile_.cols);
      count_ = 0;
    }

   private:
    static constexpr ptrdiff_t block = 1024;

    void put(ptrdiff_t i, ptrdiff_t k, double x) {
      const ptrdiff_t cols = pass_.tile_.cols;
      work_.y_panels[at((i / cols * pass_.d_ + k) * cols + i % cols)] = static_cast<Real>(x);
    }

    const Pass& pass_;
    Work& work_;
    std::array<double, most_tree_dimensions> centre_{};
    ptrdiff_t count_ = 0;
  };

  /// Adds products of all packed sources to sums, one a target.
  void multiply(ptrdiff_t targets, ptrdiff_t panels, Work& work, double* sums) const {
    const ptrdiff_t rows = tile_.rows, cols = tile_.cols;
    const auto scale = static_cast<Real>(scale_);
    const Real nothing[16] = {};
    work.lanes.resize(checked_product("working memory", rows, cols));
    for (ptrdiff_t i = 0; i < targets; i += rows) {
      std::fill(work.lanes.begin(), work.lanes.end(), Real{0});
      tile_.products[0]({work.x_panels.data() + i * d_, work.y_panels.data(), panels, d_, Real{2}, 1, &scale,
                         nothing, work.y_values.data(), nullptr, panels * cols, work.lanes.data()});
      for (ptrdiff_t r = 0; r < std::min(rows, targets - i); ++r) {
        double sum = 0.0;
        for (ptrdiff_t j = 0; j < cols; ++j) sum += static_cast<double>(work.lanes[at(r * cols + j)]);
        sums[i + r] += sum;
      }
    }
  }

  void meet_points(ptrdiff_t b) {
    static thread_local Work work;
    const auto near = all_.near.of(b), nodes = all_.near_nodes.of(b);
    if (!near.empty() || !nodes.empty()) {
      const Cell& own = cell(b);
      pack_targets(own.size(), work, [&](ptrdiff_t i, ptrdiff_t k) {
        return tree_.coordinates(k)[own.begin + i] - tree_.centre(own, k);
      });
      const auto flush = [&](ptrdiff_t panels) { multiply(own.size(), panels, work, y_.data() + own.begin); };
      Sources sources(*this, own, work);
      for (const auto s : near) sources.add_points(cell(s), flush);
      for (const auto s : nodes) sources.add_nodes(cell(s), outer_.data() + s * size_, flush);
      sources.finish(flush);
    }
    const auto points = all_.node_points.of(b);
    if (points.empty()) return;
    const Cell& own = cell(b);
    const double half = tree_.half(own.level);
    pack_targets(size_, work, [&](ptrdiff_t m, ptrdiff_t k) { return half * node(m, k); });
    std::vector<double> sums(at(size_), 0.0);
    const auto flush = [&](ptrdiff_t panels) { multiply(size_, panels, work, sums.data()); };
    Sources sources(*this, own, work);
    for (const auto s : points) sources.add_points(cell(s), flush);
    sources.finish(flush);
    for (ptrdiff_t m = 0; m < size_; ++m) inner_[at(b * size_ + m)] += static_cast<Real>(sums[at(m)]);
  }

  template <class Coordinate>
  void pack_targets(ptrdiff_t n, Work& work, const Coordinate& coordinate) const {
    const ptrdiff_t rows = tile_.rows;
    work.x_panels.assign(checked_product("working memory", rounded_up(n, rows), d_), Real{0});
    for (ptrdiff_t i = 0; i < n; ++i)
      for (ptrdiff_t k = 0; k < d_; ++k)
        work.x_panels[at((i / rows * d_ + k) * rows + i % rows)] = static_cast<Real>(coordinate(i, k));
  }

  std::vector<std::vector<std::int32_t>> all_places() const {
    std::vector<std::vector<std::int32_t>> out(at(integer_power(Offsets::side, d_)));
    for (std::size_t code = 0; code < out.size(); ++code)
      if (offsets_.shape_of(static_cast<std::int32_t>(code)) >= 0)
        out[code] = offsets_.places(static_cast<std::int32_t>(code), p_);
    return out;
  }

  const simd::Interpolation<Real>& interpolation_ = interpolation_of<Real>();
  const simd::Tile<Real>& tile_ = tile_of<Real>();
  const PointTree& tree_;
  const Offsets& offsets_;
  const Interactions& all_;
  ptrdiff_t d_, p_, size_;
  double scale_;
  Monitor& monitor_;
  Nodes<Real> nodes_;
  std::vector<std::vector<std::int32_t>> places_ = all_places();
  std::vector<double> v_, y_;
  std::vector<Real> outer_,
      inner_;  ///< at the nodes of each box: weights of its points, sums that reach them
};

FarField::FarField(MatrixView<const double> points, Monitor& monitor)
    : tree_(points, monitor), offsets_(points.cols) {}

const Interactions* FarField::interactions(ptrdiff_t p, Monitor& monitor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& slot = made_[p];
  if (!slot) {
    auto made =
        std::make_unique<const Interactions>(tree_, offsets_, integer_power(p, tree_.dimensions()), monitor);
    if (monitor.stopped()) return nullptr;
    slot = std::move(made);
  }
  return slot.get();
}

template <class Real>
bool FarField::product(ptrdiff_t p, double scale, const double* v, double* y, ptrdiff_t stride,
                       Monitor& monitor) const {
  const auto* all = interactions(p, monitor);
  return all != nullptr && Pass<Real>(*this, *all, p, scale, monitor).run(v, y, stride);
}

template bool FarField::product<float>(ptrdiff_t, double, const double*, double*, ptrdiff_t, Monitor&) const;
template bool FarField::product<double>(ptrdiff_t, double, const double*, double*, ptrdiff_t, Monitor&) const;

FarFieldError FarField::error(ptrdiff_t p, double scale, const double* v, ptrdiff_t stride,
                              Monitor& monitor) const {
  FarFieldError out;
  const auto* all = interactions(p, monitor);
  if (all == nullptr) return out;
  const auto rows = interpolation_errors(tree_, offsets_, *all, p, scale, cut<double>, v, stride, monitor);
  if (monitor.stopped()) return out;
  const ptrdiff_t n = tree_.size();
  double squares = 0.0;
  for (ptrdiff_t b = 0; b < std::ssize(all->boxes); ++b) {
    if (all->boxes[at(b)].children != 0) continue;
    const Cell& cell = tree_.cells()[at(all->boxes[at(b)].cell)];
    const double row = rows[at(b)];
    squares += static_cast<double>(cell.size()) * row * row;
    out.largest = std::max(out.largest, row);
    for (auto i = cell.begin; i < cell.end; ++i)
      out.weighted += std::abs(v[tree_.order()[at(i)] * stride]) * row;
  }
  out.rms = std::sqrt(squares / static_cast<double>(n));
  return out;
}

ptrdiff_t FarField::enough(double aim, double scale, const double* v, ptrdiff_t stride, ptrdiff_t most,
                           Monitor& monitor) const {
  for (ptrdiff_t p = 8; p < most && !monitor.stopped(); p += 2)
    if (error(p, scale, v, stride, monitor).rms <= aim) return p;
  return most;
}

}  // namespace steelyard::distances
