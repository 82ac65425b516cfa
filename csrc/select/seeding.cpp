#include "select/seeding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "distances/nearer_pairs.hpp"
#include "distances/nearest.hpp"
#include "distances/shifted_panels.hpp"

namespace steelyard::select {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t batch = 128;
constexpr ptrdiff_t block = 4096;  // points whose mass is summed together
constexpr int most_rejections = 60;
constexpr ptrdiff_t most_proposals = 512;
// The first centres change D most.
constexpr ptrdiff_t eager = 3;

/// What both ways of sampling share: the masses w D^z, and draws by them.
template <class Real, class From>
struct Sampler {
  Sampler(MatrixView<const From> points, std::span<const double> given_weights, const SeedingOptions& given,
          Monitor& given_monitor)
      : x(points),
        weights(given_weights),
        options(given),
        monitor(given_monitor),
        random(given.seed, given.stream),
        squared(at(points.rows), std::numeric_limits<Real>::infinity()),
        masses(at(points.rows)),
        ends(at((points.rows + block - 1) / block)) {
    for (ptrdiff_t i = 0; i < x.rows; ++i) masses[at(i)] = weight(i);
    sum_blocks();
  }

  double weight(ptrdiff_t i) const { return weights.empty() ? 1.0 : weights[at(i)]; }

  double mass(ptrdiff_t i, Real gap) const {
    const auto d2 = static_cast<double>(gap) / unit;
    return weight(i) * (options.power == 2.0   ? d2
                        : options.power == 1.0 ? std::sqrt(d2)
                                               : std::pow(d2, 0.5 * options.power));
  }

  /// The sum of w D^z in the unit of the data; inf or 0 where a float64 can't hold it.
  double cost() const { return unit == 1.0 ? total : total * std::pow(unit, 0.5 * options.power); }

  /// A centre at this squared distance; true where none was nearer.
  bool offer(ptrdiff_t i, Real gap) {
    if (!(gap < squared[at(i)])) return false;
    squared[at(i)] = gap;
    masses[at(i)] = mass(i, gap);
    return true;
  }

  ptrdiff_t draw() {
    const double wanted = random.uniform() * total;
    const auto found = std::upper_bound(ends.begin(), ends.end(), wanted);
    const ptrdiff_t b = std::min(found - ends.begin(), std::ssize(ends) - 1);
    double sum = b > 0 ? ends[at(b - 1)] : 0.0;
    ptrdiff_t last = -1;
    for (ptrdiff_t i = b * block; i < std::min(x.rows, (b + 1) * block); ++i) {
      if (!(masses[at(i)] > 0.0)) continue;
      last = i;
      sum += masses[at(i)];
      if (sum > wanted) return i;
    }
    // Rounding: the sums of blocks are of the same numbers in the same order, so this is the block's last.
    if (last >= 0) return last;
    for (ptrdiff_t i = x.rows; i-- > 0;)
      if (masses[at(i)] > 0.0) return i;
    return 0;
  }

  void sum_blocks() {
    add_blocks();
    const bool high = options.power != 1.0 && options.power != 2.0;
    if (std::isfinite(total) && (total > 1e-200 || !high)) return;
    if (rescale()) add_blocks();
  }

  void add_blocks() {
    std::vector<double> sums(ends.size());
    parallel_for(std::ssize(sums), 4, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto b = begin; b < end; ++b)
        for (ptrdiff_t i = b * block; i < std::min(x.rows, (b + 1) * block); ++i)
          sums[at(b)] += masses[at(i)];
    });
    total = 0.0;
    for (std::size_t b = 0; b < sums.size(); ++b) ends[b] = total += sums[b];
  }

  /// Masses in the unit of the largest D, where these leave the range of float64. False where all
  /// are zero, or no centre was taken in.
  bool rescale() {
    double largest = 0.0;
    for (ptrdiff_t i = 0; i < x.rows; ++i)
      if (weight(i) > 0.0) largest = std::max(largest, static_cast<double>(squared[at(i)]));
    if (!(largest > 0.0) || !std::isfinite(largest)) return false;
    unit = largest;
    for (ptrdiff_t i = 0; i < x.rows; ++i) masses[at(i)] = mass(i, squared[at(i)]);
    return true;
  }

  MatrixView<const From> x;
  std::span<const double> weights;
  const SeedingOptions& options;
  Monitor& monitor;
  Random random;
  std::vector<Real> squared;   // to the centres taken in
  std::vector<double> masses;  // w D^z of these; w before the first
  std::vector<double> ends;    // running sums over blocks
  double total = 0.0;
  double unit = 1.0;  // of D^2
};

/// One candidate a draw.
template <class Real, class From>
class Lazy {
 public:
  Lazy(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
       Monitor& monitor)
      : s_(points, weights, options, monitor) {
    out_.labels.assign(at(points.rows), -1);
  }

  Seeds run() {
    int rejected = 0;
    while (std::ssize(out_.indices) < s_.options.k && !s_.monitor.poll()) {
      if (!(s_.total > 0.0)) break;
      const auto i = s_.draw();
      ++out_.tries;
      if (s_.random.uniform() * s_.masses[at(i)] < mass_now(i)) {
        out_.indices.push_back(i);
        for (ptrdiff_t k = 0; k < s_.x.cols; ++k) pending_rows_.push_back(static_cast<Real>(s_.x.row(i)[k]));
        rejected = 0;
      } else {
        ++rejected;
      }
      if (pending() == batch || (pending() > 0 && std::ssize(out_.indices) <= eager) ||
          rejected > most_rejections)
        take_in(), rejected = 0;
      s_.monitor.progress(static_cast<double>(out_.indices.size()), static_cast<double>(s_.options.k));
    }
    take_in();
    out_.cost = s_.cost();
    return std::move(out_);
  }

 private:
  ptrdiff_t pending() const { return s_.x.cols == 0 ? 0 : std::ssize(pending_rows_) / s_.x.cols; }

  /// With the pending centres; what a point weighs before the first one is taken in.
  double mass_now(ptrdiff_t i) const {
    Real least = s_.squared[at(i)];
    for (ptrdiff_t c = 0; c < pending(); ++c) {
      const Real* centre = pending_rows_.data() + c * s_.x.cols;
      least = std::min(least, distances::squared_gap<Real, From>(s_.x.row(i), centre, s_.x.cols));
    }
    return std::isinf(least) ? s_.masses[at(i)] : s_.mass(i, least);
  }

  void take_in() {
    const auto count = pending();
    if (count == 0) return;
    std::vector<std::int64_t> index(at(s_.x.rows));
    std::vector<Real> squared(at(s_.x.rows));
    const MatrixView<const Real> centres{pending_rows_.data(), count, s_.x.cols, s_.x.cols};
    if (!distances::nearest<Real, From>(s_.x, centres, std::span(index), std::span(squared), s_.monitor))
      return;
    const auto first = std::ssize(out_.indices) - count;
    parallel_for(s_.x.rows, 16 * block, s_.monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        if (s_.offer(i, squared[at(i)])) out_.labels[at(i)] = first + index[at(i)];
      }
    });
    pending_rows_.clear();
    s_.sum_blocks();
  }

  Sampler<Real, From> s_;
  std::vector<Real> pending_rows_;
  Seeds out_;
};

/// The best of several candidates a draw. D is kept up to date; what is put off to a batch is to compare the
/// points with candidates, most of which are nearer to few of them than the seeds are.
template <class Real, class From>
class Greedy {
 public:
  Greedy(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
         Monitor& monitor)
      : s_(points, weights, options, monitor) {
    out_.labels.assign(at(points.rows), -1);
  }

  Seeds run() {
    if (s_.total > 0.0) begin();
    while (std::ssize(out_.indices) < s_.options.k && !s_.monitor.poll()) {
      if (next_ == std::ssize(proposals_) && !propose()) break;
      Proposal& now = proposals_[at(next_++)];
      ++used_;
      if (!(s_.random.uniform() * now.mass < s_.masses[at(now.row)])) {
        now.near = {};
        continue;
      }
      ++accepted_;
      candidates_.push_back(std::move(now));
      if (std::ssize(candidates_) == s_.options.candidates) choose();
      s_.monitor.progress(static_cast<double>(out_.indices.size()), static_cast<double>(s_.options.k));
    }
    s_.sum_blocks();
    out_.cost = s_.cost();
    return std::move(out_);
  }

 private:
  struct Proposal {
    ptrdiff_t row;
    double mass;  // when it was drawn
    distances::Near<Real> near;
  };

  void begin() {
    const auto first = s_.draw();
    ++out_.tries;
    const auto row = row_of(first);
    std::vector<std::int64_t> index(at(s_.x.rows));
    const MatrixView<const Real> centre{row.data(), 1, s_.x.cols, s_.x.cols};
    if (!distances::nearest<Real, From>(s_.x, centre, std::span(index), std::span(s_.squared), s_.monitor))
      return;
    out_.indices.push_back(first);
    out_.labels.assign(at(s_.x.rows), 0);
    for (ptrdiff_t i = 0; i < s_.x.rows; ++i) s_.masses[at(i)] = s_.mass(i, s_.squared[at(i)]);
  }

  std::vector<Real> row_of(ptrdiff_t i) const {
    std::vector<Real> row(at(s_.x.cols));
    for (ptrdiff_t k = 0; k < s_.x.cols; ++k) row[at(k)] = static_cast<Real>(s_.x.row(i)[k]);
    return row;
  }

  /// False where no point is left to draw, or when stopped.
  bool propose() {
    s_.sum_blocks();
    if (!(s_.total > 0.0) || s_.monitor.stopped()) return false;
    resize();
    proposals_.assign(at(size_), {});
    std::vector<Real> rows;
    rows.reserve(checked_product("working memory", size_, s_.x.cols));
    for (Proposal& proposal : proposals_) {
      proposal.row = s_.draw();
      proposal.mass = s_.masses[at(proposal.row)];
      const auto row = row_of(proposal.row);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    out_.tries += size_;
    next_ = used_ = accepted_ = 0;
    const MatrixView<const Real> centres{rows.data(), size_, s_.x.cols, s_.x.cols};
    auto near =
        distances::nearer_pairs<Real, From>(s_.x, centres, std::span<const Real>(s_.squared), s_.monitor);
    if (s_.monitor.stopped()) return false;
    pairs_ = 0;
    for (std::size_t j = 0; j < near.size(); ++j) {
      pairs_ += std::ssize(near[j].rows);
      proposals_[j].near = std::move(near[j]);
    }
    return true;
  }

  /// As many proposals as pairs with about four a point, as few are rejected, and no more than can be used.
  void resize() {
    const auto left =
        (s_.options.k - std::ssize(out_.indices)) * s_.options.candidates - std::ssize(candidates_);
    const double share = used_ > 0 ? static_cast<double>(accepted_) / static_cast<double>(used_) : 1.0;
    const double each =
        std::max(1.0, static_cast<double>(pairs_) / static_cast<double>(std::max(size_, ptrdiff_t{1})));
    const double room = 4.0 * static_cast<double>(s_.x.rows) / each;
    const double tried = static_cast<double>(size_) * (share > 0.8 ? 2.0 : share < 0.6 ? 0.5 : 1.0);
    const double wanted =
        std::min({tried, room, 1.1 * static_cast<double>(left) / std::max(share, 0.1) + 1.0});
    size_ = std::clamp(static_cast<ptrdiff_t>(wanted), s_.options.candidates,
                       std::max(s_.options.candidates, most_proposals));
  }

  void choose() {
    std::size_t best = 0;
    double most = -1.0;
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      const double now = gain(candidates_[c].near);
      if (now > most) {
        most = now;
        best = c;
      }
    }
    const Proposal& chosen = candidates_[best];
    const auto number = std::ssize(out_.indices);
    out_.indices.push_back(chosen.row);
    for (std::size_t r = 0; r < chosen.near.rows.size(); ++r) {
      const auto i = chosen.near.rows[r];
      if (s_.offer(i, chosen.near.squared[r])) out_.labels[at(i)] = number;
    }
    candidates_.clear();
  }

  /// By how much a candidate would lower the cost.
  double gain(const distances::Near<Real>& near) const {
    double sum = 0.0;
    for (std::size_t r = 0; r < near.rows.size(); ++r) {
      const auto i = near.rows[r];
      if (near.squared[r] < s_.squared[at(i)]) sum += s_.masses[at(i)] - s_.mass(i, near.squared[r]);
    }
    return sum;
  }

  Sampler<Real, From> s_;
  std::vector<Proposal> proposals_, candidates_;
  ptrdiff_t size_ = 0, next_ = 0, used_ = 0, accepted_ = 0, pairs_ = 0;
  Seeds out_;
};

}  // namespace

template <class Real, class From>
Seeds seed_centers(MatrixView<const From> points, std::span<const double> weights,
                   const SeedingOptions& options, Monitor& monitor) {
  if (options.candidates > 1) return Greedy<Real, From>(points, weights, options, monitor).run();
  return Lazy<Real, From>(points, weights, options, monitor).run();
}

template Seeds seed_centers<float, float>(MatrixView<const float>, std::span<const double>,
                                          const SeedingOptions&, Monitor&);
template Seeds seed_centers<double, double>(MatrixView<const double>, std::span<const double>,
                                            const SeedingOptions&, Monitor&);
template Seeds seed_centers<float, Half>(MatrixView<const Half>, std::span<const double>,
                                         const SeedingOptions&, Monitor&);

}  // namespace steelyard::select
