#include "linalg/blas.hpp"

#include <atomic>
#include <stdexcept>

namespace steelyard::linalg {
namespace {

Blas table;
std::atomic<bool> ready{false};
std::atomic<void (*)()> loader{nullptr};

}  // namespace

void set_blas(const Blas& filled) {
  table = filled;
  ready.store(true, std::memory_order_release);
}

void set_blas_loader(void (*function)()) { loader = function; }

bool blas_ready() { return ready.load(std::memory_order_acquire); }

const Blas& blas() {
  if (!blas_ready() && loader != nullptr) loader.load()();
  if (!blas_ready()) throw std::runtime_error("steelyard: SciPy's BLAS is not loaded");
  return table;
}

}  // namespace steelyard::linalg
