#include "rank/responses/response_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "simd/responses.hpp"

namespace steelyard::rank {
namespace {

constexpr std::ptrdiff_t group_limit = 256;
constexpr std::ptrdiff_t window_snap = 4;
constexpr double step_in_sds = 1.1;
/// What a window always has: half its steps less half a snap, of the least step.
constexpr double reach_in_sds = (0.5 * (simd::node_panel - 1 - window_snap)) * step_in_sds / 1.4143 - 0.01;

void add_groups(std::vector<NodeGroup>& groups, NodeGroup all) {
  for (auto begin = all.begin; begin < all.end; begin += group_limit) {
    NodeGroup part = all;
    part.begin = begin;
    part.end = std::min(begin + group_limit, all.end);
    groups.push_back(part);
  }
}

}  // namespace

double Nodes::finest() const {
  double least = infinity;
  for (const auto& group : groups) least = std::min(least, group.step);
  return least;
}

Nodes fixed_nodes(std::ptrdiff_t persons, double step, double reach) {
  Nodes out;
  constexpr auto panel = simd::node_panel;
  out.width = static_cast<std::ptrdiff_t>(std::ceil(2.0 * reach / (step * panel))) * panel;
  out.order.resize(at(persons));
  std::iota(out.order.begin(), out.order.end(), std::ptrdiff_t{0});
  add_groups(out.groups, {0, persons, -(out.width / 2), step});
  return out;
}

Nodes window_nodes(const std::vector<Place>& places) {
  struct Window {
    double step;
    std::ptrdiff_t first, person;
  };
  Nodes out;
  out.windows = true;
  out.width = simd::node_panel;
  std::vector<Window> windows;
  windows.reserve(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double level = std::ceil(-2.0 * std::log2(step_in_sds * places[i].sd));
    const double step = std::exp2(-0.5 * level);
    const double first = places[i].mean / step - 0.5 * static_cast<double>(out.width - 1);
    const auto snapped = static_cast<std::ptrdiff_t>(std::llround(first / window_snap)) * window_snap;
    windows.push_back({step, snapped, static_cast<std::ptrdiff_t>(i)});
  }
  std::sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) {
    return std::tie(a.step, a.first, a.person) < std::tie(b.step, b.first, b.person);
  });
  for (std::size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    while (end < windows.size() && windows[end].step == windows[begin].step &&
           windows[end].first == windows[begin].first)
      out.order.push_back(windows[end++].person);
    add_groups(out.groups, {static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end),
                            windows[begin].first, windows[begin].step});
  }
  return out;
}

Nodes doubled(const Nodes& nodes) {
  Nodes out = nodes;
  out.width *= 3;
  for (auto& group : out.groups) {
    group.first = 2 * group.first - nodes.width / 2;
    group.step *= 0.5;
  }
  return out;
}

bool suffice(const Nodes& nodes, const std::vector<Place>& places) {
  for (const auto& group : nodes.groups) {
    const double low = static_cast<double>(group.first) * group.step;
    const double high = static_cast<double>(group.first + nodes.width - 1) * group.step;
    for (auto k = group.begin; k < group.end; ++k) {
      const auto& place = places[at(nodes.order[at(k)])];
      if (group.step > 1.15 * place.sd) return false;
      const double arm = reach_in_sds * place.sd;
      if (nodes.windows && (place.mean - arm < low || place.mean + arm > high)) return false;
    }
  }
  return true;
}

}  // namespace steelyard::rank
