#include "simd/side_by_side_inline.hpp"
#include "simd/slack_step_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t w = width<double>, rows_at_once = strip<double>;

void multiply_lower(const double* l, std::ptrdiff_t size, const double* v, double* y) {
  for (std::ptrdiff_t i = 0; i < size; i += rows_at_once) {
    Strip<double> s;
    s.fill(l + i * size, 1, size, i + rows_at_once, v, lanes);
    s.store(y + i * lanes);
  }
}

constexpr std::ptrdiff_t points = PairBlock::points, row_length = 2 * points, row_parts = row_length / w;

/// Below this share of the products that it is a difference of, a squared distance has lost half its digits.
constexpr double lost = 1e-8;

/// A v of the steps in terms of Y, and that times beta.
struct Steps {
  alignas(64) double direction[PairBlock::pairs * points];
  alignas(64) double scaled[PairBlock::pairs * points];
};

/// The step on the pair i < j. Rows before `first` are done and need not feel it.
inline void pair_step(const SlackRule& rule, PairBlock& block, std::ptrdiff_t i, std::ptrdiff_t j,
                      std::ptrdiff_t first, double scale, Steps& done) {
  const double *a = block.rows + i * row_length, *b = block.rows + j * row_length;
  const double squares = a[i] + b[j], p = squares - 2.0 * a[j], least = lost * (scale + squares);
  const std::ptrdiff_t place = i * points + j;
  const double s = block.sign[place];
  double& dual = block.duals[place];
  if (!(p > least)) {
    const bool satisfied = s > 0.0 && dual == 0.0 && least * rule.inverse_near < 1.0;
    if (!satisfied) block.near[block.near_count++] = static_cast<std::int16_t>(place);
    return;
  }
  const double beta = slack_step(s, rule.share, inverse_slack(rule, s, dual), p, dual, block.movement);
  if (beta == 0.0) return;
  double* direction = done.direction + block.moved_count * points;
  double* scaled = done.scaled + block.moved_count * points;
  block.moved[block.moved_count++] = static_cast<std::int16_t>(place);
  Vector<double> row[row_parts];
  alignas(64) double factors[points];
#pragma GCC unroll 16
  for (std::ptrdiff_t q = 0; q < row_parts; ++q) row[q] = read(a + q * w) - read(b + q * w);
#pragma GCC unroll 8
  for (std::ptrdiff_t q = 0; q < row_parts / 2; ++q) {
    write(factors + q * w) = beta * row[q];
    write(direction + q * w) = row[row_parts / 2 + q];
    write(scaled + q * w) = beta * row[row_parts / 2 + q];
  }
  for (std::ptrdiff_t l = first; l < points; ++l) {
    double* out = block.rows + l * row_length;
#pragma GCC unroll 16
    for (std::ptrdiff_t q = 0; q < row_parts; ++q) write(out + q * w) += factors[l] * row[q];
  }
}

void block_steps(const SlackRule& rule, bool inside, PairBlock& block) {
  block.moved_count = block.near_count = 0;
  block.movement = 0.0;
  const std::ptrdiff_t middle = block.first_count, last = lanes + block.second_count;
  Steps done;
  double scale = 0.0;
  for (std::ptrdiff_t i = 0; i < points; ++i) {
    const double square = block.rows[i * row_length + i];
    if (square > scale) scale = square;
  }
  for (std::ptrdiff_t i = 0; i < points; ++i) {
    for (std::ptrdiff_t j = 0; j < points; ++j) block.rows[i * row_length + points + j] = 0.0;
    block.rows[i * row_length + points + i] = 1.0;
  }
  transpose(block.rows + lanes, row_length, block.rows + lanes * row_length, row_length);
  if (inside) {
    for (std::ptrdiff_t i = 0; i < middle; ++i)
      for (std::ptrdiff_t j = i + 1; j < middle; ++j) pair_step(rule, block, i, j, 0, scale, done);
    for (std::ptrdiff_t i = lanes; i < last; ++i)
      for (std::ptrdiff_t j = i + 1; j < last; ++j) pair_step(rule, block, i, j, 0, scale, done);
  }
  for (std::ptrdiff_t i = 0; i < middle; ++i)
    for (std::ptrdiff_t j = lanes; j < last; ++j) pair_step(rule, block, i, j, i, scale, done);
  for (std::ptrdiff_t i = 0; i < points; i += rows_at_once)
    for (std::ptrdiff_t j = 0; j < points; j += lanes) {
      Strip<double> sum;
      sum.fill(done.scaled + i, points, 1, block.moved_count, done.direction + j, points);
      sum.store(block.coefficients + i * points + j, points);
    }
}

void block_update(double* a, std::ptrdiff_t size, const double* first, const double* second, const double* b,
                  double* scratch) {
  const std::ptrdiff_t half = lanes * size;
  double *z = scratch, *t = scratch + 2 * half;  // Y B and Y', each in two halves
  for (std::ptrdiff_t k = 0; k < size; k += lanes) {
    for (std::ptrdiff_t h = 0; h < 2; ++h)
      for (std::ptrdiff_t i = k; i < k + lanes; i += rows_at_once) {
        Strip<double> s;
        s.fill(first + i * lanes, 1, lanes, lanes, b + h * lanes, points);
        s.add(second + i * lanes, 1, lanes, lanes, b + lanes * points + h * lanes, points);
        s.store(z + h * half + i * lanes);
      }
    transpose(first + k * lanes, lanes, t + k, size);
    transpose(second + k * lanes, lanes, t + half + k, size);
  }
  for (std::ptrdiff_t i = 0; i < size; i += rows_at_once)
    for (std::ptrdiff_t j = 0; j < i + rows_at_once; j += lanes) {
      Strip<double> s;
      s.fill(z + i * lanes, 1, lanes, lanes, t + j, size);
      s.add(z + half + i * lanes, 1, lanes, lanes, t + half + j, size);
      s.add_to(a + i * size + j, size);
    }
}

void pull(const double* x, const double* other, std::ptrdiff_t size, const double* weights, double* out) {
  for (std::ptrdiff_t k = 0; k < size; ++k)
    for (std::ptrdiff_t q = 0; q < lanes; q += w) {
      const Vector<double> here = read(x + k * lanes + q);
      Vector<double> sum[2] = {};
#pragma GCC unroll 8
      for (std::ptrdiff_t j = 0; j < lanes; ++j)
        sum[j % 2] += read(weights + j * points + q) * (here - other[k * lanes + j]);
      write(out + k * lanes + q) += sum[0] + sum[1];
    }
}

void distances(const double* x, const double* other, std::ptrdiff_t size, double* out) {
  for (std::ptrdiff_t j = 0; j < lanes; j += rows_at_once) {
    Vector<double> sum[rows_at_once][parts<double>] = {};
    for (std::ptrdiff_t k = 0; k < size; ++k)
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < rows_at_once; ++r)
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < parts<double>; ++q) {
          const Vector<double> apart = read(x + k * lanes + q * w) - other[k * lanes + j + r];
          sum[r][q] += apart * apart;
        }
    for (std::ptrdiff_t r = 0; r < rows_at_once; ++r)
      for (std::ptrdiff_t q = 0; q < parts<double>; ++q) write(out + (j + r) * points + q * w) = sum[r][q];
  }
}

}  // namespace

extern const RankUpdates STEELYARD_FOR_ISA(rank_updates_);
const RankUpdates STEELYARD_FOR_ISA(rank_updates_){
    multiply<double>, multiply_lower, products<double>, block_steps, block_update, pull, distances};

}  // namespace steelyard::simd
