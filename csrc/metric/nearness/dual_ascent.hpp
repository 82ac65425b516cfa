// Late ascent of a dual by projections, whatever holds the constraints: momentum and face steps.
//
// Where constraints meet at a flat angle (nearly metric data, long chains) passes alone crawl. Two remedies:
// - momentum: each pass starts from lambda_k + k / (k + 3) (lambda_k - lambda_k-1), k = 0 again whenever the
//   dual falls (Nesterov, Soviet Math. Doklady 27, 1983; the restarts of O'Donoghue & Candes, Found. Comput.
//   Math. 15, 2015). A dual that becomes negative on the way is made good by its own projection.
// - face steps: all positive duals at once by conjugate gradients, as the inner step of an active set method;
//   for many digits.
#pragma once

#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/monitor.hpp"
#include "linalg/cg.hpp"

namespace steelyard::metric {

/// Where a pass starts: from the duals themselves, or from duals + beta (duals - before).
struct Momentum {
  double beta = 0.0;
  double* before = nullptr;  ///< of the entries at hand; brought up to date. Null: no momentum

  double start(double* dual, std::size_t s) const {
    if (before == nullptr) return dual[s];
    const double now = dual[s], start = now + beta * (now - before[s]);
    before[s] = now;
    return start;
  }
};

/// `held.loss(monitor)` falls as the dual rises; `held.pass(beta, monitor)` moves x by beta and sweeps once.
template <class Held>
void passes_with_momentum(Held& held, std::ptrdiff_t passes, Monitor& monitor) {
  double loss = infinity;
  for (std::ptrdiff_t pass = 0, k = 0; pass < passes && !monitor.stopped(); ++pass, ++k) {
    const double now = held.loss(monitor);
    if (now > loss) k = 0;
    loss = now;
    held.pass(static_cast<double>(k) / static_cast<double>(k + 3), monitor);
  }
}

/// One step towards the optimum over the face where all constraints of `face` hold with equality: how far
/// they are broken, A W^-1 A' and a preconditioner come from `face`, which moves its duals to max(0, before +
/// factor step) and keeps x in step with them. The dual never falls. False if it could not rise.
template <class Face>
bool step_on_face(Face& face, int iterations, Monitor& monitor) {
  const std::ptrdiff_t size = face.size();
  if (size == 0 || monitor.stopped()) return false;
  std::vector<double> broken(at(size)), step(broken.size(), 0.0);
  face.broken(broken.data(), monitor);
  linalg::CgOptions options;
  options.tol = face.cg_tol;
  options.max_iter = iterations;
  const auto apply = [&](const double* p, double* out, std::ptrdiff_t) { face.apply(p, out, monitor); };
  const auto precondition = [&](const double* r, double* z, std::ptrdiff_t) { face.precondition(r, z); };
  linalg::conjugate_gradients(size, 1, apply, precondition, broken.data(), step.data(), options, monitor);
  if (monitor.stopped()) return false;
  broken = {};
  const std::vector<double> before = face.duals();
  const double loss = face.loss(monitor);
  for (double factor = 1.0; factor > 0.02; factor *= 0.5) {
    face.move(before, factor, step, monitor);
    if (monitor.stopped() || face.loss(monitor) <= loss) return true;
  }
  face.move(before, 0.0, step, monitor);
  return false;
}

}  // namespace steelyard::metric
