#include "qp/symmetric_rows.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr std::size_t batch_entries = std::size_t{1} << 21;  // 16 MB of rows at a time
constexpr ptrdiff_t columns_a_chunk = 2048;

}  // namespace

void DenseRows::rows(std::span<const ptrdiff_t> indices, double* out) {
  for (const auto i : indices) out = std::copy_n(stored(i), k_.cols, out);
}

RowCache::RowCache(SymmetricRows& source, std::size_t bytes)
    : source_(source),
      n_(source.size()),
      capacity_(std::max<std::size_t>(2, bytes / (8 * at(std::max<ptrdiff_t>(n_, 1))))),
      batch_(std::clamp<std::size_t>(batch_entries / at(std::max<ptrdiff_t>(n_, 1)), 1, 64)) {}

const double* RowCache::row(ptrdiff_t i) {
  if (const double* in_memory = source_.stored(i)) return in_memory;
  if (const auto found = where_.find(i); found != where_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front().second.data();
  }
  std::vector<double> values;
  if (recent_.size() < capacity_) {
    values.resize(at(n_));
  } else {
    values = std::move(recent_.back().second);
    where_.erase(recent_.back().first);
    recent_.pop_back();
  }
  source_.rows({&i, 1}, values.data());
  ++made_;
  recent_.emplace_front(i, std::move(values));
  where_[i] = recent_.begin();
  return recent_.front().second.data();
}

void RowCache::fetch(std::span<const ptrdiff_t> part) {
  fetched_.assign(part.size(), nullptr);
  std::vector<ptrdiff_t> missing;
  for (std::size_t k = 0; k < part.size(); ++k) {
    fetched_[k] = source_.stored(part[k]);
    if (fetched_[k] != nullptr) continue;
    const auto found = where_.find(part[k]);
    if (found != where_.end()) {
      fetched_[k] = found->second->second.data();
    } else {
      missing.push_back(part[k]);
    }
  }
  if (missing.empty()) return;
  // A pass over many rows goes by the cache, which it would only wash out.
  scratch_.resize(checked_product("working memory", batch_, n_));
  source_.rows(missing, scratch_.data());
  made_ += missing.size();
  const double* next = scratch_.data();
  for (auto& row : fetched_) {
    if (row != nullptr) continue;
    row = next;
    next += n_;
  }
}

bool RowCache::accumulate(std::span<const ptrdiff_t> list, const double* x, double* y, ptrdiff_t columns,
                          Monitor& monitor) {
  if (source_.multiplies()) return source_.accumulate(list, x, y, columns, monitor);
  for (std::size_t first = 0; first < list.size(); first += batch_) {
    if (monitor.poll()) return false;
    const auto part = list.subspan(first, std::min(batch_, list.size() - first));
    fetch(part);
    const bool done = parallel_for(n_, columns_a_chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (std::size_t k = 0; k < part.size(); ++k) {
        const double* row = fetched_[k];
        for (ptrdiff_t c = 0; c < columns; ++c) {
          const double factor = x[c * n_ + part[k]];
          double* out = y + c * n_;
          for (auto i = begin; i < end; ++i) out[i] += factor * row[i];
        }
      }
    });
    if (!done) return false;
  }
  return true;
}

}  // namespace steelyard::qp
