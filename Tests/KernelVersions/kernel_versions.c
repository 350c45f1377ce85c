#include "kernel_versions.h"

#define EACH(DO)                                                                                                     \
  DO(exp) DO(exp2) DO(erf) DO(gelu) DO(sigmoid) DO(affine) DO(affine_glu) DO(moments) DO(layer_norm)                 \
  DO(token_affine) DO(token_residual) DO(softmax_step) DO(softmax_finish) DO(deinterleave) DO(interleave)            \
  DO(multiply) DO(transpose) DO(gather_spectra) DO(add) DO(round) DO(winograd_input) DO(winograd_output)             \
  DO(tanh) DO(lstm_step) DO(distance_penalty)

#define DISPATCHED(kernel) .kernel = kernel_##kernel,
static const kernel_version dispatched = {.name = "dispatched", EACH(DISPATCHED)};

#if defined(__x86_64__)
#define DECLARE(kernel)                                                                                              \
  extern __typeof__(kernel_##kernel) kernel_##kernel##_v4, kernel_##kernel##_v3, kernel_##kernel##_baseline;
EACH(DECLARE)

#define BASELINE(kernel) .kernel = kernel_##kernel##_baseline,
#define V3(kernel) .kernel = kernel_##kernel##_v3,
#define V4(kernel) .kernel = kernel_##kernel##_v4,

static const kernel_version versions[] = {
    {.name = "baseline", EACH(BASELINE)},
    {.name = "x86-64-v3", EACH(V3)},
    {.name = "x86-64-v4", EACH(V4)},
};

size_t kernel_version_count(void) {
  __builtin_cpu_init();
  return 2 + (__builtin_cpu_supports("x86-64-v3") ? 1 : 0) + (__builtin_cpu_supports("x86-64-v4") ? 1 : 0);
}

kernel_version kernel_version_at(size_t index) { return index == 0 ? dispatched : versions[index - 1]; }
#else
size_t kernel_version_count(void) { return 1; }
kernel_version kernel_version_at(size_t index) { return (void)index, dispatched; }
#endif
