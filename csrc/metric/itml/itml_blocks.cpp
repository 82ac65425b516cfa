#include "core/index.hpp"
#include "metric/itml/itml_learner.hpp"
#include "simd/table.hpp"

namespace steelyard::metric::itml {

/// use() for all blocks until the monitor stops, with read_, and the duals and signs of block_, theirs.
template <class Use>
void Learner::for_blocks(const Use& use) {
  const ptrdiff_t every = every_ / (simd::lanes * simd::lanes) + 1;
  for (ptrdiff_t k = 0; k < groups_.blocks(); ++k) {
    if (k % every == 0 && monitor_.poll()) return;
    groups_.read(k, read_);
    std::array<std::int32_t, BlockPairs::points> label{};
    for (ptrdiff_t h = 0; h < 2; ++h)
      for (ptrdiff_t i = h * simd::lanes; i < h * simd::lanes + read_.count[at(h)]; ++i)
        label[at(i)] = pairs_.labels[at(read_.point[at(i)])];
    for (ptrdiff_t r = 0; r < read_.pairs; ++r) {
      const std::size_t place = at(read_.place[at(r)]);
      block_->duals[place] = lambda_[at(read_.index[place])];
      const bool similar = label[place / BlockPairs::points] == label[place % BlockPairs::points];
      block_->sign[place] = similar ? 1.0 : -1.0;
    }
    block_->first_count = read_.count[0];
    block_->second_count = read_.count[1];
    use();
  }
}

/// The pairs of block_->near, one by one.
auto Learner::near_pairs() const {
  return [this](const auto& visit) {
    for (ptrdiff_t k = 0; k < block_->near_count; ++k) {
      const ptrdiff_t place = block_->near[k], points = simd::PairBlock::points;
      visit(read_.index[at(place)], read_.point[at(place / points)], read_.point[at(place % points)]);
    }
  };
}

/// One step after the other on the pairs of a block: see simd::PairBlock.
void Learner::project_block() {
  constexpr ptrdiff_t lanes = simd::lanes, points = simd::PairBlock::points;
  const auto& kernels = *simd::kernels().rank_updates;
  auto& block = *block_;
  const double* x[] = {groups_.side_by_side(read_.group[0]), groups_.side_by_side(read_.group[1])};
  double* y[] = {products_.data(), products_.data() + lanes * size_};
  for (ptrdiff_t h = 0; h < 2; ++h) kernels.multiply(full_.a.data(), size_, x[h], y[h]);
  for (ptrdiff_t i = 0; i < 2; ++i)
    for (ptrdiff_t j = i; j < 2; ++j)
      kernels.products(x[i], y[j], size_, block.rows + i * lanes * 2 * points + j * lanes, 2 * points);
  kernels.block_steps(rule_, read_.inside, block);
  moved_ = std::max(moved_, block.movement);
  steps_ += read_.pairs - block.near_count;
  for (ptrdiff_t k = 0; k < block.moved_count; ++k) {
    const ptrdiff_t place = block.moved[k];
    lambda_[at(read_.index[at(place)])] = block.duals[place];
  }
  if (block.moved_count > 0)
    kernels.block_update(full_.a.data(), size_, y[0], y[1], block.coefficients, full_.scratch.data());
  in_batches(near_pairs(), [this](const Batch& batch) { project(batch); });
}

void Learner::sweep_blocks() {
  groups_.shuffle(random_);
  for_blocks([this] { project_block(); });
}

/// inverse_ += sum_c s_c lambda_c v_c v_c' over all pairs: sum_i x_i z_i', z_i = sum_j s_ij lambda_ij (x_i -
/// x_j), made symmetric. Pairs of large duals, which near points have, come one by one: about the mean their
/// differences are rounded, and the duals times that is no small thing.
void Learner::add_blocks() {
  constexpr ptrdiff_t lanes = simd::lanes, points = simd::PairBlock::points;
  const auto& kernels = *simd::kernels().rank_updates;
  Lanes pulls(at(groups_.groups() * lanes * size_), 0.0);
  for_blocks([&] {
    alignas(64) double weights[points * points] = {};
    block_->near_count = 0;
    for (ptrdiff_t r = 0; r < read_.pairs; ++r) {
      const ptrdiff_t place = read_.place[at(r)], i = place / points, j = place % points;
      if (block_->duals[place] * radius_ > large_dual) {
        block_->near[block_->near_count++] = static_cast<std::int16_t>(place);
        continue;
      }
      weights[place] = weights[j * points + i] = block_->sign[place] * block_->duals[place];
    }
    for (std::size_t h = 0; h < 2; ++h)
      for (std::size_t o = 0; o < 2; ++o)
        if (h != o || read_.inside)
          kernels.pull(groups_.side_by_side(read_.group[h]), groups_.side_by_side(read_.group[o]), size_,
                       weights + at(lanes) * (o * points + h), pulls.data() + read_.group[h] * lanes * size_);
    add(near_pairs());
  });
  alignas(64) double halves[points * points] = {};
  for (ptrdiff_t i = 0; i < lanes; ++i)
    halves[i * points + lanes + i] = halves[(lanes + i) * points + i] = 0.5;
  for (ptrdiff_t g = 0; g < groups_.groups() && !monitor_.poll(); ++g)
    kernels.block_update(inverse_.data(), size_, groups_.side_by_side(g), pulls.data() + g * lanes * size_,
                         halves, full_.scratch.data());
}

void Learner::measure_blocks(Slacks& slacks) {
  constexpr ptrdiff_t lanes = simd::lanes, points = simd::PairBlock::points;
  const auto& kernels = *simd::kernels().rank_updates;
  const auto to_image = root();
  Lanes images(at(groups_.groups() * lanes * size_));
  const auto image = [&](ptrdiff_t g) { return images.data() + g * lanes * size_; };
  for (ptrdiff_t g = 0; g < groups_.groups() && !monitor_.poll(); ++g)
    kernels.multiply_lower(to_image.data(), size_, groups_.side_by_side(g), image(g));
  double trace = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) trace += full_.a[at(k * size_ + k)];
  for_blocks([&] {
    alignas(64) double p[points * points];
    block_->near_count = 0;
    for (std::size_t h = 0; h < 2; ++h)
      for (std::size_t o = h; o < 2; ++o)
        if (h != o || read_.inside)
          kernels.distances(image(read_.group[o]), image(read_.group[h]), size_,
                            p + at(lanes) * (h * points + o));
    for (ptrdiff_t r = 0; r < read_.pairs; ++r) {
      const ptrdiff_t place = read_.place[at(r)];
      if (p[place] < known * trace * radius_)
        block_->near[block_->near_count++] = static_cast<std::int16_t>(place);
      else
        slacks.add(block_->duals[place], block_->sign[place], p[place]);
    }
    measure(to_image, near_pairs(), slacks);
  });
}

}  // namespace steelyard::metric::itml
