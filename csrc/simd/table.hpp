// The inner loops that exist once per instruction set, as plain function pointers over raw memory.
//
// A *_kernels.cpp file here is compiled once per instruction set (base, v3, v4 of x86-64; base elsewhere)
// with STEELYARD_ISA naming it. Nothing in such a file may instantiate an inline function with external
// linkage (no STL): the linker could keep the AVX-512 copy for every caller. Everything lives in an anonymous
// namespace but the one table that the file defines.
#pragma once

#include "simd/best_match.hpp"
#include "simd/columns.hpp"
#include "simd/contrasts.hpp"
#include "simd/dense.hpp"
#include "simd/interpolation.hpp"
#include "simd/min_plus.hpp"
#include "simd/pair_terms.hpp"
#include "simd/rank_updates.hpp"
#include "simd/responses.hpp"
#include "simd/tile.hpp"
#include "simd/vector_math.hpp"

#define STEELYARD_CAT_(a, b) a##b
#define STEELYARD_CAT(a, b) STEELYARD_CAT_(a, b)
/// STEELYARD_FOR_ISA(pair_terms_) -> pair_terms_v3 where STEELYARD_ISA is v3
#define STEELYARD_FOR_ISA(prefix) STEELYARD_CAT(prefix, STEELYARD_ISA)

namespace steelyard::simd {

/// One line a kernel: the type of its functions, and its name in Kernels and before _base, _v3 and _v4.
#define STEELYARD_KERNELS(KERNEL)                  \
  KERNEL(VectorMath, vector_math)                  \
  KERNEL(PairTerms, pair_terms)                    \
  KERNEL(Dense, dense)                             \
  KERNEL(RankUpdates, rank_updates)                \
  KERNEL(PairUpdates<float>, pair_updates_f32)     \
  KERNEL(PairUpdates<double>, pair_updates_f64)    \
  KERNEL(Columns, columns)                         \
  KERNEL(Contrasts, contrasts)                     \
  KERNEL(Tile<float>, tile_f32)                    \
  KERNEL(Tile<double>, tile_f64)                   \
  KERNEL(BestMatch<float>, best_match_f32)         \
  KERNEL(BestMatch<double>, best_match_f64)        \
  KERNEL(MinPlus<float>, min_plus_f32)             \
  KERNEL(MinPlus<double>, min_plus_f64)            \
  KERNEL(Interpolation<float>, interpolation_f32)  \
  KERNEL(Interpolation<double>, interpolation_f64) \
  KERNEL(Responses, responses)

#define STEELYARD_DECLARE(Type, name) extern const Type name##_base, name##_v3, name##_v4;
STEELYARD_KERNELS(STEELYARD_DECLARE)
#undef STEELYARD_DECLARE

struct Kernels {
#define STEELYARD_MEMBER(Type, name) const Type* name;
  STEELYARD_KERNELS(STEELYARD_MEMBER)
#undef STEELYARD_MEMBER
};

const Kernels& kernels();  ///< the best table that this machine runs and STEELYARD_ISA allows
const char* isa_name();    ///< "base", "v3" or "v4"

}  // namespace steelyard::simd
