// Sweeps over one state of a kernel program (kernel_qp.hpp): blocks, then the coarse program.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "qp/kernel_state.hpp"

namespace steelyard::qp {

inline constexpr double single_unit = 6e-8;  ///< of float

class Sweeper {
 public:
  explicit Sweeper(KernelState& state) : s_(state) {}

  /// Every block of a new split to its minimum; `gap` is about that of the state. False when stopped.
  bool solve_blocks(std::uint64_t number, double gap);
  /// Then the coarse program. Where much had no weight it leaves a little everywhere.
  bool share(double gap);
  /// Then blocks of the points that stand out, wherever they lie, until that no longer lowers the gap.
  bool solve_outliers();

 private:
  /// Points that are solved together, and what their phase needs of them.
  struct Block {
    std::vector<std::ptrdiff_t> points;
    std::size_t group = 0, cell = 0;
    std::vector<double> old, step;
    std::vector<float>
        movable;  ///< 0 where a coordinate is near its upper bound: the coarse program holds it
    std::optional<distances::KernelSums<float>> columns;
    std::vector<float> values, moved;
  };
  /// The coarse program: variables are masses of cells (as they are), masses spread evenly over cells, and
  /// shares of past iterates, each a mass of its group.
  struct Coarse;

  void lay_out(std::vector<Leaf>&& leaves);
  bool mostly_empty() const;
  void solve_block(Block& block, double gap_tol);
  bool phase(std::size_t number, std::size_t phases, double gap_tol);
  bool multiply(std::span<Block* const> part, bool cells, std::vector<std::vector<double>>& product);
  std::optional<double> solve_together(std::span<Block* const> part, bool cells, double gap_tol);
  Block outliers(std::size_t group) const;
  void measure_cells(Coarse& coarse) const;
  void fill_gram(Coarse& coarse) const;
  void add_past(Coarse& coarse) const;
  void bound_shares(Coarse& coarse) const;
  void apply(const Coarse& coarse, const std::vector<double>& x);

  KernelState& s_;
  std::vector<Block> blocks_;
  std::size_t cells_ = 0;
  bool spread_ = false;               ///< whether the coarse program may give weight to all of a cell
  std::vector<float> solved_, even_;  ///< cells x n: K times a cell's weights, and (`spread_`) times its ones
};

}  // namespace steelyard::qp
