#include "distances/far_field/far_field.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/aligned.hpp"
#include "core/index.hpp"
#include "core/infinity.hpp"
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

/// Kernels of Kernel are tables in its order; exp(-scale r) has its own, which does both ways at once anyhow.
template <class Real>
auto tile_product(simd::Kernel kind) {
  return kind == simd::Kernel::laplacian ? tile_of<Real>().products[0]
                                         : tile_of<Real>().kernel_products[static_cast<int>(kind)];
}

constexpr std::size_t most_kept = 24;  // sorts of translations, scales of errors

/// Points a dimension that settle how many points of a cell pay: the trees of a few are made and kept.
ptrdiff_t sort_of(ptrdiff_t p, ptrdiff_t d) {
  for (const ptrdiff_t most : {4, d < 3 ? 8 : 6, d < 3 ? 11 : 8, d < 3 ? 16 : 10, d < 3 ? 24 : 14})
    if (p <= most) return most;
  return p;
}

ptrdiff_t rounded_up(ptrdiff_t n, ptrdiff_t step) { return (n + step - 1) / step * step; }

}  // namespace

/// One product.
template <class Real>
class FarField::Pass {
 public:
  Pass(const FarField& field, const Interactions& all, const Translations<Real>& translations, ptrdiff_t p,
       RadialKernel kernel, Monitor& monitor)
      : tree_(field.tree_),
        offsets_(field.offsets_),
        all_(all),
        translations_(translations),
        product_(tile_product<Real>(kernel.kind)),
        d_(tree_.dimensions()),
        p_(p),
        size_(integer_power(p, d_)),
        rate_(static_cast<Real>(kernel.rate)),
        monitor_(monitor),
        basis_(p),
        v_(at(tree_.size())),
        y_(v_.size(), 0.0) {}

  bool run(const double* v, double* y, ptrdiff_t stride) {
    const auto order = tree_.order();
    for (std::size_t i = 0; i < v_.size(); ++i) v_[i] = v[order[i] * stride];
    outer_.assign(checked_product("working memory", all_.boxes.size(), size_), Real{0});
    inner_.assign(outer_.size(), Real{0});
    near_sums_.resize(at(all_.near_starts.back()));
    node_sums_.assign(checked_product("working memory", all_.near_nodes.sources.size(), size_), Real{0});
    const auto levels = std::ssize(all_.levels) - 1;
    for (auto l = levels; l-- > 0;) over_level(l, [this](ptrdiff_t b) { gather_up(b); });
    for (ptrdiff_t l = 0; l < levels && !monitor_.stopped(); ++l) translate_level(l);
    over_boxes(0, std::ssize(all_.boxes), [this](ptrdiff_t b) { meet_points(b); });
    if (monitor_.stopped()) return false;
    add_sums();
    for (ptrdiff_t l = 0; l < levels; ++l) over_level(l, [this](ptrdiff_t b) { hand_down(b); });
    if (monitor_.stopped()) return false;
    for (std::size_t i = 0; i < y_.size(); ++i) y[order[i] * stride] = y_[i];
    return true;
  }

 private:
  /// Scratch of a task.
  struct Work {
    std::vector<Real> values, other, rows, z, v, scratch;
    AlignedVector<Real> x_panels, x_values, y_panels, y_values, y_sums, lanes;
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
    const Real *parent = basis_.to_parent[half].data(), *own = basis_.to_child[half].data();
    return up ? Both<Real>{parent, own} : Both<Real>{own, parent};
  }

  /// The moments of a box's points.
  void gather_up(ptrdiff_t b) {
    static thread_local Work work;
    const Box& box = all_.boxes[at(b)];
    Real* out = outer_.data() + b * size_;
    if (box.children == 0) {
      const Cell& own = cell(b);
      const auto stride = make_polynomials(own, work);
      work.v.assign(v_.begin() + own.begin, v_.begin() + own.end);
      interpolation_.moments(work.rows.data(), d_, p_, own.size(), stride, work.v.data(), work.scratch.data(),
                             out);
      return;
    }
    work.values.resize(at(size_));
    work.other.resize(at(size_));
    for (auto c = box.first_child; c < box.first_child + box.children; ++c) {
      const Cell& child = cell(c);
      std::copy_n(outer_.begin() + c * size_, size_, work.values.begin());
      along_axes(work.values, work.other, d_, p_, [&](ptrdiff_t k) { return moved(child, k, true); });
      for (ptrdiff_t m = 0; m < size_; ++m) out[m] += work.values[at(m)];
    }
  }

  /// The series that a box has gathered goes to its children, or to its points.
  void hand_down(ptrdiff_t b) {
    static thread_local Work work;
    const Box& box = all_.boxes[at(b)];
    const Real* from = inner_.data() + b * size_;
    if (box.children == 0) {
      const Cell& own = cell(b);
      const auto stride = make_polynomials(own, work);
      work.v.resize(at(own.size()));
      interpolation_.values(work.rows.data(), d_, p_, own.size(), stride, from, work.scratch.data(),
                            work.v.data());
      for (ptrdiff_t i = 0; i < own.size(); ++i) y_[at(own.begin + i)] += static_cast<double>(work.v[at(i)]);
      return;
    }
    work.values.resize(at(size_));
    work.other.resize(at(size_));
    for (auto c = box.first_child; c < box.first_child + box.children; ++c) {
      const Cell& child = cell(c);
      std::copy_n(from, size_, work.values.begin());
      along_axes(work.values, work.other, d_, p_, [&](ptrdiff_t k) { return moved(child, k, false); });
      Real* to = inner_.data() + c * size_;
      for (ptrdiff_t m = 0; m < size_; ++m) to[m] += work.values[at(m)];
    }
  }

  void translate_level(ptrdiff_t level) {
    const auto first = all_.group_levels[at(level)], last = all_.group_levels[at(level + 1)];
    if (all_.group_starts[at(first)] == all_.group_starts[at(last)]) return;
    parallel_for(last - first, 1, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto g = first + begin; g < first + end && !monitor_.poll(); ++g) translate_group(g, level);
    });
  }

  void translate_group(ptrdiff_t g, ptrdiff_t level) {
    const auto last = all_.group_starts[at(g + 1)];
    for (auto k = all_.group_starts[at(g)]; k < last && !monitor_.poll();) {
      const auto code = all_.translations[at(k)].code;
      auto end = k + 1;
      while (end < last && all_.translations[at(end)].code == code) ++end;
      if (const auto* by = translations_.of(level, offsets_.shape_of(code)))
        translate({all_.translations.data() + k, at(end - k)}, *by, places_[at(code)]);
      k = end;
    }
  }

  /// Scratch of translations with one offset.
  struct Moving {
    std::vector<std::int32_t> places;  ///< in a cell, of what is kept
    std::vector<Real> signs;           ///< likewise
    AlignedVector<Real> in, out, middle, copies;
    std::vector<const Real*> from;
    std::vector<Real*> to;
  };

  /// Of some, all that is kept is brought into the order of the shape; for many the matrices are, which saves
  /// that for each.
  void translate(std::span<const Translation> all, const ShapeTranslation<Real>& by,
                 const Offsets::Places& own) {
    static thread_local Moving work;
    const ptrdiff_t n = std::ssize(all), kept = std::ssize(by.kept);
    work.places.resize(at(kept));
    work.signs.resize(at(kept));
    for (std::size_t q = 0; q < at(kept); ++q) {
      work.places[q] = own.place[at(by.kept[q])];
      work.signs[q] = static_cast<Real>(own.sign[at(by.kept[q])]);
    }
    work.middle.resize(checked_product("working memory", n, by.width));
    work.from.resize(at(n));
    work.to.resize(at(n));
    for (std::size_t k = 0; k < at(n); ++k) {
      work.from[k] = outer_.data() + all[k].source * size_;
      work.to[k] = inner_.data() + all[k].target * size_;
    }
    work.in.resize(by.in.size());
    for (ptrdiff_t q = 0; q < kept; ++q) {
      const Real sign = work.signs[at(q)];
      for (auto r = q * by.width; r < (q + 1) * by.width; ++r) work.in[at(r)] = sign * by.in[at(r)];
    }
    interpolation_.reduce(work.in.data(), kept, by.width, work.places.data(), work.from.data(), n,
                          work.middle.data());
    constexpr ptrdiff_t many = 8;
    if (by.out.empty()) {
      add_moved(work, work.middle.data(), n, by.width);
    } else if (n < many) {
      work.copies.assign(checked_product("working memory", n, kept), Real{0});
      std::array<Real*, many> copies{};
      for (ptrdiff_t k = 0; k < n; ++k) copies[at(k)] = work.copies.data() + k * kept;
      interpolation_.expand(by.out.data(), by.width, kept, work.middle.data(), n, copies.data());
      add_moved(work, work.copies.data(), n, kept);
    } else {
      work.out.assign(checked_product("working memory", by.width, size_), Real{0});
      for (ptrdiff_t r = 0; r < by.width; ++r)
        for (ptrdiff_t q = 0; q < kept; ++q)
          work.out[at(r * size_ + work.places[at(q)])] = work.signs[at(q)] * by.out[at(r * kept + q)];
      interpolation_.expand(work.out.data(), by.width, size_, work.middle.data(), n, work.to.data());
    }
  }

  /// Series in the order of the shape, `stride` apart, go to their targets.
  static void add_moved(const Moving& work, const Real* series, ptrdiff_t n, ptrdiff_t stride) {
    for (ptrdiff_t k = 0; k < n; ++k) {
      Real* to = work.to[at(k)];
      for (std::size_t q = 0; q < work.places.size(); ++q)
        to[work.places[q]] += work.signs[q] * series[k * stride + static_cast<ptrdiff_t>(q)];
    }
  }

  /// Sources of one target, packed about its centre, in blocks; what meets them adds to `sums`, one after
  /// another, unless that is null.
  class Sources {
   public:
    Sources(Pass& pass, const Cell& about, Work& work, Real* sums)
        : pass_(pass), about_(about), work_(work), sums_(sums) {
      for (ptrdiff_t k = 0; k < pass.d_; ++k) centre_[at(k)] = pass.tree_.centre(about, k);
      work_.y_panels.resize(
          checked_product("working memory", block, pass.d_));  // what is not packed meets zeros
      work_.y_values.resize(at(block));
      while (ptrdiff_t{1} << shift_ < pass.tile_.cols) ++shift_;
    }

    void add_points(const Cell& from) {
      for (ptrdiff_t begin = from.begin; begin < from.end;) {
        const auto count = std::min<ptrdiff_t>(from.end - begin, block - count_);
        for (ptrdiff_t k = 0; k < pass_.d_; ++k) {
          const double* x = pass_.tree_.coordinates(k) + begin;
          const double centre = centre_[at(k)];
          for (ptrdiff_t i = 0; i < count; ++i)
            work_.y_panels[place(count_ + i, k)] = static_cast<Real>(x[i] - centre);
        }
        for (ptrdiff_t i = 0; i < count; ++i)
          work_.y_values[at(count_ + i)] = static_cast<Real>(pass_.v_[at(begin + i)]);
        begin += count;
        count_ += count;
        if (count_ == block) finish();
      }
    }

    void add_nodes(const Cell& from, const Real* weights) {
      const double half = pass_.tree_.half(from.level);
      for (ptrdiff_t m = 0; m < pass_.size_; ++m) {
        for (ptrdiff_t k = 0; k < pass_.d_; ++k) {
          const double x = pass_.basis_.x[at(m / integer_power(pass_.p_, pass_.d_ - 1 - k) % pass_.p_)];
          work_.y_panels[place(count_, k)] =
              static_cast<Real>(pass_.tree_.centre(from, k) - centre_[at(k)] + half * x);
        }
        work_.y_values[at(count_++)] = weights[m];
        if (count_ == block) finish();
      }
    }

    void finish() {
      if (count_ == 0) return;
      const ptrdiff_t full = rounded_up(count_, pass_.tile_.cols);
      for (auto i = count_; i < full; ++i) work_.y_values[at(i)] = Real{0};
      if (sums_ != nullptr) work_.y_sums.assign(at(full), Real{0});
      pass_.multiply(about_, full, work_, sums_ == nullptr ? nullptr : work_.y_sums.data());
      if (sums_ != nullptr) sums_ = std::copy_n(work_.y_sums.begin(), count_, sums_);
      count_ = 0;
    }

   private:
    static constexpr ptrdiff_t block = 1024;

    std::size_t place(ptrdiff_t i, ptrdiff_t k) const {
      const ptrdiff_t panel = i >> shift_;
      return at(((panel * pass_.d_ + k) << shift_) + i - (panel << shift_));
    }

    Pass& pass_;
    const Cell& about_;
    Work& work_;
    Real* sums_;
    std::array<double, most_tree_dimensions> centre_{};
    ptrdiff_t count_ = 0, shift_ = 0;
  };

  /// Adds products of the packed sources to those of a leaf's points, and the other way round to y_sums.
  void multiply(const Cell& own, ptrdiff_t sources, Work& work, Real* y_sums) {
    const ptrdiff_t rows = tile_.rows, cols = tile_.cols;
    work.lanes.resize(checked_product("working memory", rows, cols));
    for (ptrdiff_t i = 0; i < own.size(); i += rows) {
      std::fill(work.lanes.begin(), work.lanes.end(), Real{0});
      product_({work.x_panels.data() + i * d_, work.y_panels.data(), sources / cols, d_, rate_, 1, &rate_,
                work.x_values.data() + i, work.y_values.data(), y_sums, sources, work.lanes.data()});
      for (ptrdiff_t r = 0; r < std::min<ptrdiff_t>(rows, own.size() - i); ++r) {
        double sum = 0.0;
        for (ptrdiff_t j = 0; j < cols; ++j) sum += static_cast<double>(work.lanes[at(r * cols + j)]);
        y_[at(own.begin + i + r)] += sum;
      }
    }
  }

  void pack_targets(const Cell& own, Work& work) const {
    const ptrdiff_t rows = tile_.rows, n = own.size();
    work.x_panels.assign(checked_product("working memory", rounded_up(n, rows), d_), Real{0});
    work.x_values.assign(at(rounded_up(n, rows)), Real{0});
    for (ptrdiff_t i = 0; i < n; ++i) work.x_values[at(i)] = static_cast<Real>(v_[at(own.begin + i)]);
    for (ptrdiff_t k = 0; k < d_; ++k) {
      const double* x = tree_.coordinates(k) + own.begin;
      const double centre = tree_.centre(own, k);
      for (ptrdiff_t i = 0; i < n; ++i)
        work.x_panels[at((i / rows * d_ + k) * rows + i % rows)] = static_cast<Real>(x[i] - centre);
    }
  }

  void meet_points(ptrdiff_t b) {
    static thread_local Work work;
    if (all_.boxes[at(b)].children != 0) return;
    const Cell& own = cell(b);
    pack_targets(own, work);
    Sources self(*this, own, work, nullptr);
    self.add_points(own);
    self.finish();
    Sources others(*this, own, work, near_sums_.data() + all_.near_starts[at(b)]);
    for (const auto s : all_.near.of(b)) others.add_points(cell(s));
    others.finish();
    const auto nodes = all_.near_nodes.of(b);
    for (std::size_t e = 0; e < nodes.size(); ++e) {
      const Real* moments = outer_.data() + nodes[e] * size_;
      work.values.assign(moments, moments + size_);
      work.other.resize(at(size_));
      along_axes(work.values, work.other, d_, p_, [this](ptrdiff_t) {
        return Both<Real>{basis_.to_weights.data(), basis_.to_coefficients.data()};
      });
      Real* sums = node_sums_.data() + (all_.near_nodes.starts[at(b)] + static_cast<ptrdiff_t>(e)) * size_;
      Sources smaller(*this, own, work, sums);
      smaller.add_nodes(cell(nodes[e]), work.values.data());
      smaller.finish();
      work.values.assign(sums, sums + size_);
      along_axes(work.values, work.other, d_, p_, [this](ptrdiff_t) {
        return Both<Real>{basis_.to_coefficients.data(), basis_.to_weights.data()};
      });
      std::copy(work.values.begin(), work.values.end(), sums);
    }
  }

  /// What leaves have done to the points and the series of others, in their order.
  void add_sums() {
    all_.for_near(tree_, [this](ptrdiff_t, std::int32_t s, std::int64_t first) {
      const Cell& own = cell(s);
      for (ptrdiff_t i = 0; i < own.size(); ++i)
        y_[at(own.begin + i)] += static_cast<double>(near_sums_[at(first + i)]);
    });
    for (ptrdiff_t e = 0; e < std::ssize(all_.near_nodes.sources); ++e) {
      Real* to = inner_.data() + all_.near_nodes.sources[at(e)] * size_;
      for (ptrdiff_t m = 0; m < size_; ++m) to[m] += node_sums_[at(e * size_ + m)];
    }
  }

  std::vector<Offsets::Places> all_places() const {
    std::vector<Offsets::Places> out(at(integer_power(Offsets::side, d_)));
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
  const Translations<Real>& translations_;
  void (*product_)(const simd::PanelProduct<Real>& task);
  ptrdiff_t d_, p_, size_;
  Real rate_;
  Monitor& monitor_;
  ChebyshevBasis<Real> basis_;
  std::vector<Offsets::Places> places_ = all_places();
  std::vector<double> v_, y_;
  std::vector<Real> outer_, inner_;          ///< of each box: moments of its points, series that reach them
  std::vector<Real> near_sums_, node_sums_;  ///< of the sources of each leaf, in their order
};

FarField::FarField(MatrixView<const double> points, Monitor& monitor)
    : tree_(points, monitor), offsets_(points.cols) {}

const Interactions* FarField::interactions(ptrdiff_t p, Monitor& monitor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const ptrdiff_t sort = sort_of(p, tree_.dimensions());
  auto& slot = met_[sort];
  if (!slot) {
    auto made = std::make_unique<const Interactions>(tree_, offsets_, integer_power(sort, tree_.dimensions()),
                                                     monitor);
    if (monitor.stopped()) return nullptr;
    slot = std::move(made);
  }
  return slot.get();
}

template <class Real>
std::shared_ptr<const Translations<Real>> FarField::translations(const Interactions& all, ptrdiff_t p,
                                                                 RadialKernel kernel,
                                                                 Monitor& monitor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& kept = made<Real>();
  const auto key = std::pair(p, kernel);
  for (const auto& [own, found] : kept)
    if (own == key) return found;
  auto fresh =
      std::make_shared<const Translations<Real>>(tree_, offsets_, all, p, kernel, cut<Real>, monitor);
  if (monitor.stopped()) return nullptr;
  if (kept.size() == most_kept) kept.erase(kept.begin());
  kept.emplace_back(key, fresh);
  return fresh;
}

template <class Real>
bool FarField::product(ptrdiff_t p, RadialKernel kernel, const double* v, double* y, ptrdiff_t stride,
                       Monitor& monitor) const {
  const auto* all = interactions(p, monitor);
  if (all == nullptr) return false;
  const auto between = translations<Real>(*all, p, kernel, monitor);
  return between != nullptr && Pass<Real>(*this, *all, *between, p, kernel, monitor).run(v, y, stride);
}

template bool FarField::product<float>(ptrdiff_t, RadialKernel, const double*, double*, ptrdiff_t,
                                       Monitor&) const;
template bool FarField::product<double>(ptrdiff_t, RadialKernel, const double*, double*, ptrdiff_t,
                                        Monitor&) const;

FarFieldError FarField::summed_error(const Interactions& all, const Translations<double>* made, ptrdiff_t p,
                                     double scale, const double* v, ptrdiff_t stride,
                                     Monitor& monitor) const {
  FarFieldError out;
  const auto rows = interpolation_errors(tree_, offsets_, all, made, *series(scale), p, scale, cut<double>, v,
                                         stride, monitor);
  if (monitor.stopped()) return out;
  const ptrdiff_t n = tree_.size();
  double squares = 0.0;
  for (ptrdiff_t b = 0; b < std::ssize(all.boxes); ++b) {
    if (all.boxes[at(b)].children != 0) continue;
    const Cell& cell = tree_.cells()[at(all.boxes[at(b)].cell)];
    const double row = rows[at(b)];
    squares += static_cast<double>(cell.size()) * row * row;
    out.largest = std::max(out.largest, row);
    for (auto i = cell.begin; i < cell.end; ++i)
      out.weighted += std::abs(v[tree_.order()[at(i)] * stride]) * row;
  }
  out.rms = std::sqrt(squares / static_cast<double>(n));
  return out;
}

std::shared_ptr<const SeriesErrors> FarField::series(double scale) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [own, found] : series_)
    if (own == scale) return found;
  if (series_.size() == most_kept) series_.erase(series_.begin());
  return series_.emplace_back(scale, std::make_shared<const SeriesErrors>(tree_, offsets_, scale)).second;
}

FarFieldError FarField::error(ptrdiff_t p, double scale, const double* v, ptrdiff_t stride,
                              Monitor& monitor) const {
  const auto* all = interactions(p, monitor);
  if (all == nullptr) return {};
  const auto between = translations<double>(*all, p, {simd::Kernel::laplacian, scale}, monitor);
  if (between == nullptr) return {};
  return summed_error(*all, between.get(), p, scale, v, stride, monitor);
}

ptrdiff_t FarField::enough(double aim, double scale, const double* v, ptrdiff_t stride, ptrdiff_t most,
                           Monitor& monitor) const {
  ptrdiff_t best = 8;
  double least = infinity, last = infinity;
  for (ptrdiff_t p = best; p <= most && !monitor.stopped(); p += 2) {
    const auto* all = interactions(std::max<ptrdiff_t>(p, tree_.dimensions() < 3 ? 16 : 10),
                                   monitor);  // one tree for all of them
    if (all == nullptr) return best;
    double rms = summed_error(*all, nullptr, p, scale, v, stride, monitor).rms;
    if (rms > aim && rms >= last) return best;  // rounding is all that is left
    last = rms;
    if (rms <= aim) rms = error(p, scale, v, stride, monitor).rms;
    if (rms <= aim) return p;
    if (rms < least) best = p;
    least = std::min(least, rms);
  }
  return best;
}

}  // namespace steelyard::distances
