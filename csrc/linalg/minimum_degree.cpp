#include "linalg/minimum_degree.hpp"

#include <algorithm>

#include "core/index.hpp"

namespace steelyard::linalg {
namespace {

using Index = std::int32_t;
using std::size_t;

/// Variables by approximate degree, in doubly linked lists.
class DegreeLists {
 public:
  explicit DegreeLists(Index n)
      : head_(at(n), -1), next_(at(n), -1), previous_(at(n), -1), degree_(at(n), -1) {}

  void insert(Index i, Index degree) {
    degree_[at(i)] = degree;
    previous_[at(i)] = -1;
    next_[at(i)] = head_[at(degree)];
    if (next_[at(i)] >= 0) previous_[at(next_[at(i)])] = i;
    head_[at(degree)] = i;
    lowest_ = std::min(lowest_, degree);
  }

  void remove(Index i) {
    if (degree_[at(i)] < 0) return;
    const Index before = previous_[at(i)], after = next_[at(i)];
    (before >= 0 ? next_[at(before)] : head_[at(degree_[at(i)])]) = after;
    if (after >= 0) previous_[at(after)] = before;
    degree_[at(i)] = -1;
  }

  Index take_lowest() {
    while (head_[at(lowest_)] < 0) ++lowest_;
    const Index i = head_[at(lowest_)];
    remove(i);
    return i;
  }

 private:
  std::vector<Index> head_, next_, previous_, degree_;
  Index lowest_ = 0;
};

class QuotientGraph {
 public:
  QuotientGraph(const CsrPattern& pattern, double budget)
      : n_(static_cast<Index>(pattern.rows())),
        budget_(budget),
        variables_(at(n_)),
        elements_(at(n_)),
        clique_(at(n_)),
        members_(at(n_)),
        weight_(at(n_), 1),
        degree_(at(n_), 0),
        stamp_(at(n_), 0),
        reach_(at(n_), 0),
        outside_(at(n_), 0),
        outside_stamp_(at(n_), 0),
        front_of_(at(n_), -1),
        lists_(n_) {
    for (Index i = 0; i < n_; ++i) {
      members_[at(i)] = {i};
      auto& near = variables_[at(i)];
      ++now_;
      stamp_[at(i)] = now_;
      for (auto k = pattern.offsets[at(i)]; k < pattern.offsets[at(i) + 1]; ++k) {
        const Index j = pattern.indices[at(k)];
        if (stamp_[at(j)] == now_) continue;
        stamp_[at(j)] = now_;
        near.push_back(j);
      }
      degree_[at(i)] = static_cast<Index>(near.size());
      lists_.insert(i, degree_[at(i)]);
    }
  }

  std::optional<Elimination> run(Monitor& monitor) {
    Index left = n_;
    while (left > 0) {
      if (monitor.poll()) return std::nullopt;
      const Index pivot = lists_.take_lowest();
      gather(pivot);
      left -= weight_[at(pivot)];
      measure_overlaps(pivot);
      update(pivot, left);
      left -= merge_mass(pivot);
      if (!record(pivot)) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  bool alive(Index i) const { return weight_[at(i)] > 0; }

  /// clique_[pivot] <- its neighbours; elements that it touches are absorbed.
  void gather(Index pivot) {
    auto& clique = clique_[at(pivot)];
    ++now_;
    stamp_[at(pivot)] = now_;
    const auto add = [&](const std::vector<Index>& from) {
      work_ += static_cast<double>(from.size());
      for (const Index i : from) {
        if (!alive(i) || stamp_[at(i)] == now_) continue;
        stamp_[at(i)] = now_;
        clique.push_back(i);
      }
    };
    add(variables_[at(pivot)]);
    for (const Index e : elements_[at(pivot)]) {
      add(clique_[at(e)]);
      absorb(e);
    }
    clique_weight_ = 0;
    for (const Index i : clique) clique_weight_ += weight_[at(i)];
  }

  void absorb(Index element) {
    if (front_of_[at(element)] < 0) return;
    absorbed_.push_back(front_of_[at(element)]);
    front_of_[at(element)] = -1;
    std::vector<Index>().swap(clique_[at(element)]);
  }

  bool is_element(Index e) const { return front_of_[at(e)] >= 0; }

  /// outside_[e] <- |Le \ Lp| for each element that meets the clique.
  void measure_overlaps(Index pivot) {
    for (const Index i : clique_[at(pivot)]) {
      lists_.remove(i);
      work_ += static_cast<double>(elements_[at(i)].size());
      for (const Index e : elements_[at(i)]) {
        if (!is_element(e)) continue;
        if (outside_stamp_[at(e)] != now_) {
          outside_stamp_[at(e)] = now_;
          outside_[at(e)] = reach_[at(e)];
        }
        outside_[at(e)] -= weight_[at(i)];
      }
    }
  }

  /// New adjacency and degree of each variable of the clique; variables that have become alike are merged.
  void update(Index pivot, Index left) {
    std::vector<std::pair<std::uint64_t, Index>> hashes;
    for (const Index i : clique_[at(pivot)]) {
      std::uint64_t hash = 0;
      Index degree = 0;
      auto& elements = elements_[at(i)];
      size_t kept = 0;
      for (const Index e : elements) {
        if (!is_element(e)) continue;
        if (outside_[at(e)] == 0) {
          absorb(e);  // it reaches nothing that the pivot does not
          continue;
        }
        elements[kept++] = e;
        degree += outside_[at(e)];
        hash += static_cast<std::uint64_t>(e) * std::uint64_t{0x9E3779B97F4A7C15};
      }
      elements.resize(kept);
      elements.push_back(pivot);
      auto& variables = variables_[at(i)];
      work_ += static_cast<double>(variables.size());
      kept = 0;
      for (const Index j : variables) {
        if (!alive(j) || stamp_[at(j)] == now_) continue;
        variables[kept++] = j;
        degree += weight_[at(j)];
        hash += static_cast<std::uint64_t>(j) * std::uint64_t{0xC2B2AE3D27D4EB4F};
      }
      variables.resize(kept);
      const Index others = clique_weight_ - weight_[at(i)];
      degree_[at(i)] = std::min({left - weight_[at(i)], degree_[at(i)] + others, degree + others});
      hashes.emplace_back(hash, i);
    }
    weight_[at(pivot)] = -weight_[at(pivot)];  // no variable any more
    front_of_[at(pivot)] = static_cast<Index>(out_.fronts.size());
    merge_alike(hashes);
    for (const Index i : clique_[at(pivot)]) {
      if (alive(i)) lists_.insert(i, std::max<Index>(0, std::min(degree_[at(i)], n_ - 1)));
    }
  }

  void merge_alike(std::vector<std::pair<std::uint64_t, Index>>& hashes) {
    std::sort(hashes.begin(), hashes.end());
    for (size_t a = 0; a < hashes.size(); ++a) {
      const Index i = hashes[a].second;
      if (!alive(i)) continue;
      bool marked = false;
      for (size_t b = a + 1; b < hashes.size() && hashes[b].first == hashes[a].first; ++b) {
        const Index j = hashes[b].second;
        if (!alive(j) || variables_[at(j)].size() != variables_[at(i)].size() ||
            elements_[at(j)].size() != elements_[at(i)].size()) {
          continue;
        }
        if (!marked) {
          ++now_;
          for (const Index k : variables_[at(i)]) stamp_[at(k)] = now_;
          for (const Index e : elements_[at(i)]) outside_stamp_[at(e)] = now_;
          marked = true;
        }
        const bool alike = std::all_of(variables_[at(j)].begin(), variables_[at(j)].end(),
                                       [&](Index k) { return stamp_[at(k)] == now_; }) &&
                           std::all_of(elements_[at(j)].begin(), elements_[at(j)].end(),
                                       [&](Index e) { return outside_stamp_[at(e)] == now_; });
        if (alike) join(i, j);
      }
    }
  }

  /// j becomes a part of i.
  void join(Index i, Index j) {
    degree_[at(i)] -= weight_[at(j)];
    weight_[at(i)] += weight_[at(j)];
    weight_[at(j)] = 0;
    auto& to = members_[at(i)];
    to.insert(to.end(), members_[at(j)].begin(), members_[at(j)].end());
    std::vector<Index>().swap(members_[at(j)]);
    std::vector<Index>().swap(variables_[at(j)]);
    std::vector<Index>().swap(elements_[at(j)]);
  }

  /// Variables that reach nothing but the clique are eliminated with the pivot: no fill. Returns their
  /// weight.
  Index merge_mass(Index pivot) {
    auto& clique = clique_[at(pivot)];
    Index taken = 0;
    size_t kept = 0;
    for (const Index i : clique) {
      if (!alive(i)) continue;
      if (variables_[at(i)].empty() && elements_[at(i)].size() == 1) {
        lists_.remove(i);
        taken += weight_[at(i)];
        weight_[at(i)] = 0;
        auto& to = members_[at(pivot)];
        to.insert(to.end(), members_[at(i)].begin(), members_[at(i)].end());
        std::vector<Index>().swap(members_[at(i)]);
      } else {
        clique[kept++] = i;
      }
    }
    clique.resize(kept);
    reach_[at(pivot)] = clique_weight_ - taken;
    return taken;
  }

  /// The pivot's front, with the cost of its columns. False when over budget.
  bool record(Index pivot) {
    Elimination::Front front;
    front.pivots = std::move(members_[at(pivot)]);
    for (const Index i : clique_[at(pivot)]) {
      front.rows.insert(front.rows.end(), members_[at(i)].begin(), members_[at(i)].end());
    }
    double count = static_cast<double>(front.pivots.size() + front.rows.size());
    for (size_t k = 0; k < front.pivots.size(); ++k, count -= 1.0) out_.flops += count * count;
    const auto own = static_cast<Index>(out_.fronts.size());
    for (const Index child : absorbed_) out_.fronts[at(child)].parent = own;
    absorbed_.clear();
    out_.fronts.push_back(std::move(front));
    std::vector<Index>().swap(variables_[at(pivot)]);
    std::vector<Index>().swap(elements_[at(pivot)]);
    return out_.flops <= budget_ && work_ <= budget_;
  }

  Index n_;
  double budget_, work_ = 0.0;
  std::vector<std::vector<Index>> variables_,
      elements_;                             ///< of a variable: neighbours not yet in an element, elements
  std::vector<std::vector<Index>> clique_;   ///< of an element: its variables
  std::vector<std::vector<Index>> members_;  ///< of a supervariable
  std::vector<Index> weight_;                ///< columns of a supervariable; <= 0: none
  std::vector<Index> degree_;
  std::vector<std::int64_t> stamp_;
  std::vector<Index> reach_;    ///< of an element: columns of its variables
  std::vector<Index> outside_;  ///< ... that are not in the present clique
  std::vector<std::int64_t> outside_stamp_;
  std::vector<Index> front_of_;  ///< of an element that is not absorbed, else -1
  std::vector<Index> absorbed_;  ///< fronts whose update the present pivot takes
  DegreeLists lists_;
  std::int64_t now_ = 0;
  Index clique_weight_ = 0;
  Elimination out_;
};

}  // namespace

std::optional<Elimination> eliminate(const CsrPattern& pattern, double max_flops, Monitor& monitor) {
  if (static_cast<double>(pattern.entries()) > max_flops) return std::nullopt;
  return QuotientGraph(pattern, max_flops).run(monitor);
}

}  // namespace steelyard::linalg
