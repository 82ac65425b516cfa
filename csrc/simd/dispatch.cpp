#include <cstdlib>
#include <stdexcept>
#include <string>

#include "simd/processor.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

struct Level {
  const char* name;
  Kernels kernels;
};

#define STEELYARD_OF_base(Type, name) &name##_base,
#define STEELYARD_OF_v3(Type, name) &name##_v3,
#define STEELYARD_OF_v4(Type, name) &name##_v4,
#define STEELYARD_LEVEL(isa)                        \
  Level {                                           \
    #isa, { STEELYARD_KERNELS(STEELYARD_OF_##isa) } \
  }

// What the system does not save between tasks cannot be used, whatever the processor knows.
constexpr Registers all{~0U, ~0U, ~0U, ~0U};
static_assert(x86_level(all, all, all, 0xE6) == 2 && x86_level(all, all, all, 0x06) == 1);
static_assert(x86_level(all, all, all, 0) == 0 && x86_level(all, {}, all, 0xE6) == 0);

int supported_level() {
#if defined(STEELYARD_HAVE_v4)
  return processor_level();
#else
  return 0;
#endif
}

/// STEELYARD_ISA caps the choice and never raises it.
int allowed_level() {
  const char* text = std::getenv("STEELYARD_ISA");
  if (text == nullptr || *text == '\0') return 2;
  const std::string cap(text);
  if (cap == "base") return 0;
  if (cap == "v3") return 1;
  if (cap == "v4") return 2;
  throw std::runtime_error("STEELYARD_ISA must be 'base', 'v3' or 'v4', got '" + cap + "'");
}

Level choose() {
  const int level = supported_level() < allowed_level() ? supported_level() : allowed_level();
#if defined(STEELYARD_HAVE_v4)
  if (level >= 2) return STEELYARD_LEVEL(v4);
  if (level >= 1) return STEELYARD_LEVEL(v3);
#endif
  (void)level;
  return STEELYARD_LEVEL(base);
}

const Level& chosen() {
  static const Level level = choose();
  return level;
}

}  // namespace

const Kernels& kernels() { return chosen().kernels; }
const char* isa_name() { return chosen().name; }

}  // namespace steelyard::simd
