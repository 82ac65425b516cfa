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
class Sampler {
 protected:
  Sampler(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
          Monitor& monitor)
      : x_(points),
        w_(weights),
        o_(options),
        monitor_(monitor),
        random_(options.seed, options.stream),
        squared_(at(points.rows), std::numeric_limits<Real>::infinity()),
        mass_(at(points.rows)),
        ends_(at((points.rows + block - 1) / block)) {
    out_.labels.assign(at(x_.rows), -1);
    for (ptrdiff_t i = 0; i < x_.rows; ++i) mass_[at(i)] = weight(i);
    sum_blocks();
  }

  double weight(ptrdiff_t i) const { return w_.empty() ? 1.0 : w_[at(i)]; }

  double mass(ptrdiff_t i, Real squared) const {
    const auto d2 = static_cast<double>(squared);
    return weight(i) * (o_.power == 2.0   ? d2
                        : o_.power == 1.0 ? std::sqrt(d2)
                                          : std::pow(d2, 0.5 * o_.power));
  }

  ptrdiff_t draw() {
    const double wanted = random_.uniform() * total_;
    const auto found = std::upper_bound(ends_.begin(), ends_.end(), wanted);
    const ptrdiff_t b = std::min(found - ends_.begin(), std::ssize(ends_) - 1);
    double sum = b > 0 ? ends_[at(b - 1)] : 0.0;
    ptrdiff_t last = -1;
    for (ptrdiff_t i = b * block; i < std::min(x_.rows, (b + 1) * block); ++i) {
      if (!(mass_[at(i)] > 0.0)) continue;
      last = i;
      sum += mass_[at(i)];
      if (sum > wanted) return i;
    }
    // Rounding: the sums of blocks are of the same numbers in the same order, so this is the block's last.
    if (last >= 0) return last;
    for (ptrdiff_t i = x_.rows; i-- > 0;)
      if (mass_[at(i)] > 0.0) return i;
    return 0;
  }

  void sum_blocks() {
    std::vector<double> sums(ends_.size());
    parallel_for(std::ssize(sums), 4, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto b = begin; b < end; ++b)
        for (ptrdiff_t i = b * block; i < std::min(x_.rows, (b + 1) * block); ++i)
          sums[at(b)] += mass_[at(i)];
    });
    total_ = 0.0;
    for (std::size_t b = 0; b < sums.size(); ++b) ends_[b] = total_ += sums[b];
  }

  MatrixView<const From> x_;
  std::span<const double> w_;
  const SeedingOptions& o_;
  Monitor& monitor_;
  Random random_;
  std::vector<Real> squared_;  // to the centres taken in
  std::vector<double> mass_;   // w D^z of these; w before the first
  std::vector<double> ends_;   // running sums over blocks
  double total_ = 0.0;
  Seeds out_;
};

/// One candidate a draw.
template <class Real, class From>
class Lazy : Sampler<Real, From> {
  using Base = Sampler<Real, From>;
  using Base::draw, Base::ends_, Base::mass, Base::mass_, Base::monitor_, Base::o_, Base::out_, Base::random_,
      Base::squared_, Base::sum_blocks, Base::total_, Base::x_;

 public:
  Lazy(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
       Monitor& monitor)
      : Base(points, weights, options, monitor) {}

  Seeds run() {
    int rejected = 0;
    while (std::ssize(out_.indices) < o_.k && !monitor_.poll()) {
      if (!(total_ > 0.0)) break;
      const auto i = draw();
      ++out_.tries;
      if (random_.uniform() * mass_[at(i)] < mass_now(i)) {
        out_.indices.push_back(i);
        for (ptrdiff_t k = 0; k < x_.cols; ++k) pending_rows_.push_back(static_cast<Real>(x_.row(i)[k]));
        rejected = 0;
      } else {
        ++rejected;
      }
      if (pending() == batch || (pending() > 0 && std::ssize(out_.indices) <= eager) ||
          rejected > most_rejections)
        take_in(), rejected = 0;
      monitor_.progress(static_cast<double>(out_.indices.size()), static_cast<double>(o_.k));
    }
    take_in();
    out_.cost = total_;
    return std::move(out_);
  }

 private:
  ptrdiff_t pending() const { return x_.cols == 0 ? 0 : std::ssize(pending_rows_) / x_.cols; }

  /// With the pending centres; what a point weighs before the first one is taken in.
  double mass_now(ptrdiff_t i) const {
    Real least = squared_[at(i)];
    for (ptrdiff_t c = 0; c < pending(); ++c) {
      const Real* centre = pending_rows_.data() + c * x_.cols;
      least = std::min(least, distances::squared_gap<Real, From>(x_.row(i), centre, x_.cols));
    }
    return std::isinf(least) ? mass_[at(i)] : mass(i, least);
  }

  void take_in() {
    const auto count = pending();
    if (count == 0) return;
    std::vector<std::int64_t> index(at(x_.rows));
    std::vector<Real> squared(at(x_.rows));
    const MatrixView<const Real> centres{pending_rows_.data(), count, x_.cols, x_.cols};
    if (!distances::nearest<Real, From>(x_, centres, std::span(index), std::span(squared), monitor_)) return;
    const auto first = std::ssize(out_.indices) - count;
    parallel_for(x_.rows, 16 * block, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        if (!(squared[at(i)] < squared_[at(i)])) continue;
        squared_[at(i)] = squared[at(i)];
        out_.labels[at(i)] = first + index[at(i)];
        mass_[at(i)] = mass(i, squared[at(i)]);
      }
    });
    pending_rows_.clear();
    sum_blocks();
  }

  std::vector<Real> pending_rows_;
};

/// The best of several candidates a draw. D is kept up to date; what is put off to a batch is to compare the
/// points with candidates, most of which are nearer to few of them than the seeds are.
template <class Real, class From>
class Greedy : Sampler<Real, From> {
  using Base = Sampler<Real, From>;
  using Base::draw, Base::ends_, Base::mass, Base::mass_, Base::monitor_, Base::o_, Base::out_, Base::random_,
      Base::squared_, Base::sum_blocks, Base::total_, Base::x_;

 public:
  Greedy(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
         Monitor& monitor)
      : Base(points, weights, options, monitor) {}

  Seeds run() {
    if (total_ > 0.0) begin();
    while (std::ssize(out_.indices) < o_.k && !monitor_.poll()) {
      if (next_ == std::ssize(proposals_) && !propose()) break;
      Proposal& now = proposals_[at(next_++)];
      ++used_;
      if (!(random_.uniform() * now.mass < mass_[at(now.row)])) {
        now.near = {};
        continue;
      }
      ++accepted_;
      candidates_.push_back(std::move(now));
      if (std::ssize(candidates_) == o_.candidates) choose();
      monitor_.progress(static_cast<double>(out_.indices.size()), static_cast<double>(o_.k));
    }
    sum_blocks();
    out_.cost = total_;
    return std::move(out_);
  }

 private:
  struct Proposal {
    ptrdiff_t row;
    double mass;  // when it was drawn
    distances::Near<Real> near;
  };

  void begin() {
    const auto first = draw();
    ++out_.tries;
    const auto row = row_of(first);
    std::vector<std::int64_t> index(at(x_.rows));
    const MatrixView<const Real> centre{row.data(), 1, x_.cols, x_.cols};
    if (!distances::nearest<Real, From>(x_, centre, std::span(index), std::span(squared_), monitor_)) return;
    out_.indices.push_back(first);
    out_.labels.assign(at(x_.rows), 0);
    for (ptrdiff_t i = 0; i < x_.rows; ++i) mass_[at(i)] = mass(i, squared_[at(i)]);
  }

  std::vector<Real> row_of(ptrdiff_t i) const {
    std::vector<Real> row(at(x_.cols));
    for (ptrdiff_t k = 0; k < x_.cols; ++k) row[at(k)] = static_cast<Real>(x_.row(i)[k]);
    return row;
  }

  /// False where no point is left to draw, or when stopped.
  bool propose() {
    sum_blocks();
    if (!(total_ > 0.0) || monitor_.stopped()) return false;
    resize();
    proposals_.assign(at(size_), {});
    std::vector<Real> rows;
    rows.reserve(at(size_ * x_.cols));
    for (Proposal& proposal : proposals_) {
      proposal.row = draw();
      proposal.mass = mass_[at(proposal.row)];
      const auto row = row_of(proposal.row);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    out_.tries += size_;
    next_ = used_ = accepted_ = 0;
    const MatrixView<const Real> centres{rows.data(), size_, x_.cols, x_.cols};
    auto near = distances::nearer_pairs<Real, From>(x_, centres, std::span<const Real>(squared_), monitor_);
    if (monitor_.stopped()) return false;
    pairs_ = 0;
    for (std::size_t j = 0; j < near.size(); ++j) {
      pairs_ += std::ssize(near[j].rows);
      proposals_[j].near = std::move(near[j]);
    }
    return true;
  }

  /// As many proposals as pairs with about four a point, as few are rejected, and no more than can be used.
  void resize() {
    const auto left = (o_.k - std::ssize(out_.indices)) * o_.candidates - std::ssize(candidates_);
    const double share = used_ > 0 ? static_cast<double>(accepted_) / static_cast<double>(used_) : 1.0;
    const double each =
        std::max(1.0, static_cast<double>(pairs_) / static_cast<double>(std::max(size_, ptrdiff_t{1})));
    const double room = 4.0 * static_cast<double>(x_.rows) / each;
    const double tried = static_cast<double>(size_) * (share > 0.8 ? 2.0 : share < 0.6 ? 0.5 : 1.0);
    const double wanted =
        std::min({tried, room, 1.1 * static_cast<double>(left) / std::max(share, 0.1) + 1.0});
    size_ =
        std::clamp(static_cast<ptrdiff_t>(wanted), o_.candidates, std::max(o_.candidates, most_proposals));
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
      if (!(chosen.near.squared[r] < squared_[at(i)])) continue;
      squared_[at(i)] = chosen.near.squared[r];
      out_.labels[at(i)] = number;
      mass_[at(i)] = mass(i, chosen.near.squared[r]);
    }
    candidates_.clear();
  }

  /// By how much a candidate would lower the cost.
  double gain(const distances::Near<Real>& near) const {
    double sum = 0.0;
    for (std::size_t r = 0; r < near.rows.size(); ++r) {
      const auto i = near.rows[r];
      if (near.squared[r] < squared_[at(i)]) sum += mass_[at(i)] - mass(i, near.squared[r]);
    }
    return sum;
  }

  std::vector<Proposal> proposals_, candidates_;
  ptrdiff_t size_ = 0, next_ = 0, used_ = 0, accepted_ = 0, pairs_ = 0;
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
