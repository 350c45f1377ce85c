// The kernels of CKernels compiled for one instruction set each. The program takes the best that the processor has; tests
// run all that it can.
#ifndef KERNEL_VERSIONS_H
#define KERNEL_VERSIONS_H

#include "ckernels.h"

typedef struct {
  const char *name;
  __typeof__(kernel_exp) *exp;
  __typeof__(kernel_exp2) *exp2;
  __typeof__(kernel_erf) *erf;
  __typeof__(kernel_gelu) *gelu;
  __typeof__(kernel_sigmoid) *sigmoid;
  __typeof__(kernel_affine) *affine;
  __typeof__(kernel_affine_glu) *affine_glu;
  __typeof__(kernel_moments) *moments;
  __typeof__(kernel_layer_norm) *layer_norm;
  __typeof__(kernel_token_affine) *token_affine;
  __typeof__(kernel_token_residual) *token_residual;
  __typeof__(kernel_softmax_step) *softmax_step;
  __typeof__(kernel_softmax_finish) *softmax_finish;
  __typeof__(kernel_deinterleave) *deinterleave;
  __typeof__(kernel_interleave) *interleave;
  __typeof__(kernel_multiply) *multiply;
  __typeof__(kernel_transpose) *transpose;
  __typeof__(kernel_gather_spectra) *gather_spectra;
  __typeof__(kernel_add) *add;
  __typeof__(kernel_round) *round;
  __typeof__(kernel_tanh) *tanh;
  __typeof__(kernel_lstm_step) *lstm_step;
  __typeof__(kernel_distance_penalty) *distance_penalty;
  __typeof__(kernel_winograd_input) *winograd_input;
  __typeof__(kernel_winograd_output) *winograd_output;
} kernel_version;

// How many versions this processor can run, the dispatched one (version 0) counted.
size_t kernel_version_count(void);
kernel_version kernel_version_at(size_t index);

#endif
