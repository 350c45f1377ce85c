// Chooses, when the program is loaded, the version of each kernel that the processor runs best.
#include "headers.h"

#if defined(__x86_64__)
#define DISPATCH(name)                                                          \
  extern __typeof__(name) name##_v4, name##_v3, name##_baseline;                \
  __typeof__(name) *resolve_##name(void);                                       \
  __typeof__(name) *resolve_##name(void) {                                      \
    __builtin_cpu_init();                                                       \
    if (__builtin_cpu_supports("x86-64-v4")) return name##_v4;                  \
    if (__builtin_cpu_supports("x86-64-v3")) return name##_v3;                  \
    return name##_baseline;                                                     \
  }                                                                             \
  __typeof__(name) name __attribute__((ifunc("resolve_" #name)));

DISPATCH(kernel_exp)
DISPATCH(kernel_exp2)
DISPATCH(kernel_erf)
DISPATCH(kernel_gelu)
DISPATCH(kernel_sigmoid)
DISPATCH(kernel_affine)
DISPATCH(kernel_affine_glu)
DISPATCH(kernel_moments)
DISPATCH(kernel_layer_norm)
DISPATCH(kernel_token_affine)
DISPATCH(kernel_token_residual)
DISPATCH(kernel_softmax_step)
DISPATCH(kernel_softmax_finish)
DISPATCH(kernel_deinterleave)
DISPATCH(kernel_interleave)
DISPATCH(kernel_multiply)
DISPATCH(kernel_transpose)
DISPATCH(kernel_gather_spectra)
DISPATCH(kernel_add)
DISPATCH(kernel_round)
DISPATCH(kernel_tanh)
DISPATCH(kernel_lstm_step)
DISPATCH(kernel_distance_penalty)
DISPATCH(kernel_winograd_input)
DISPATCH(kernel_winograd_output)

const char *kernel_instruction_set(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
  return "baseline";
}
#else
const char *kernel_instruction_set(void) { return "baseline"; }
#endif
