// The inner loops that want SIMD with run-time dispatch.
//
// A "map" is `channels` lines of `columns` floats, `stride` floats apart: a channel is a line, a column a point in
// time. "Tokens" are rows of `width` features. Every kernel works on one tile and keeps no state. Names follow
// PyTorch where it has the operation.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>

// Name of the instruction set that the kernels use on this processor.
const char *kernel_instruction_set(void);

// A meter of matrix products for benchmarks: work and time of each thread, added up. Off, it costs one load a product.
void kernel_meter_run(bool on);
// The present time in seconds; 0 while the meter is off.
double kernel_meter_start(void);
void kernel_meter_stop(double start, double operations);
// Floating-point operations and thread-seconds since the program began. Call it while no product runs.
void kernel_meter_total(double *operations, double *seconds);

// A format in which a device would store numbers; here they stay floats that have a place in it.
typedef enum { kernel_fp32 = 0, kernel_fp16 = 1, kernel_bf16 = 2 } kernel_format;
// x = the nearest number of the format, ties to even, as IEEE 754 has it: what is too large becomes infinity, what is too
// small for full precision loses digits one by one. In place on `lines` lines of `columns` floats.
void kernel_round(float *x, size_t stride, size_t lines, size_t columns, kernel_format format);
// How many calls of kernel_round have left an infinity or a NaN behind since the program began.
size_t kernel_overflow_count(void);
// Adds one to it.
void kernel_note_overflow(void);

// Elementwise, in place on `count` floats; for tests and odd places.
void kernel_exp(float *x, size_t count);
// 2^x for x up to 1, as the softmax takes it.
void kernel_exp2(float *x, size_t count);
void kernel_erf(float *x, size_t count);
void kernel_gelu(float *x, size_t count);
void kernel_sigmoid(float *x, size_t count);
void kernel_tanh(float *x, size_t count);

// out = activation(x * scale[c] + shift[c]) (+ residual). `scale` may be NULL (1), `shift` NULL (0), `residual`
// NULL (none), `out` be `x`.
typedef enum { kernel_identity = 0, kernel_activation_gelu = 1, kernel_activation_relu = 2 } kernel_activation;
void kernel_affine(float *out, size_t out_stride, const float *x, size_t stride, size_t channels, size_t columns,
                   const float *scale, const float *shift, kernel_activation activation, const float *residual,
                   size_t residual_stride);

// Gated linear unit over 2 * `channels` lines of `x`, affine first:
//   out = (x[c] * scale[c] + shift[c]) * sigmoid(x[C + c] * scale[C + c] + shift[C + c]),
// times layer_scale[c] and added to `out` when `layer_scale` is given.
void kernel_affine_glu(float *out, size_t out_stride, const float *x, size_t stride, size_t channels, size_t columns,
                       const float *scale, const float *shift, const float *layer_scale);

// sums[0] += sum of (x + shift[c]), sums[1] += sum of its squares, in double precision. `shift` may be NULL.
void kernel_moments(const float *x, size_t channels, size_t columns, size_t stride, const float *shift, double *sums);

// Tokens. out = (x - mean) / sqrt(variance + epsilon) * weight + bias, row by row.
void kernel_layer_norm(float *out, const float *x, size_t tokens, size_t width, const float *weight, const float *bias,
                       float epsilon);
// x = activation(x * scale + shift) with per-feature vectors; `scale` may be NULL.
void kernel_token_affine(float *x, size_t tokens, size_t width, size_t stride, const float *scale, const float *shift,
                         kernel_activation activation);
// x += scale * (y + shift), per-feature vectors; `scale` may be NULL.
void kernel_token_residual(float *x, size_t x_stride, const float *y, size_t y_stride, size_t tokens, size_t width,
                           const float *scale, const float *shift);

// One step of softmax(scale * scores) over tiles of keys (online softmax), row by row: scores becomes
// exp(scale * (scores - maximum)), with `maximum` and `sum` (per row) carried on, and the `width` accumulated values of a
// row faded to the new maximum. `scale` is positive.
void kernel_softmax_step(float *scores, size_t rows, size_t keys, size_t stride, float scale, float *maximum, float *sum,
                         float *values, size_t width, size_t values_stride);
// values[row] /= sum[row].
void kernel_softmax_finish(float *values, size_t rows, size_t width, size_t stride, const float *sum);

// out[phase][c][column] = x[c][first + column * step + phase], 0 outside [0, length); lines `out_stride` apart.
void kernel_deinterleave(float *out, size_t out_stride, const float *x, size_t stride, size_t channels, ptrdiff_t first,
                         size_t columns, size_t step, ptrdiff_t length);
// The reverse, with bias, activation and residual on the way: out[c][column * step + phase] from x[phase][c][column],
// for targets in [low, high) only; `out` and `residual` point at target 0, and `bias` may be NULL.
void kernel_interleave(float *out, size_t out_stride, const float *x, size_t stride, size_t channels, size_t columns,
                       size_t step, ptrdiff_t first, ptrdiff_t low, ptrdiff_t high, const float *bias,
                       kernel_activation activation, const float *residual, size_t residual_stride);

// A sum of matrix products, c = a[0] b[0] + a[1] b[1] + ... (+ c): one product a tap of a convolution.
typedef struct {
  size_t rows, columns, depth, taps;
  // a[tap * a_tap + row * a_row + k]
  const float *a;
  size_t a_row, a_tap;
  // b[tap * b_tap + k * b_row + column]; taps may overlap.
  const float *b;
  size_t b_row, b_tap;
  // c[row * c_row + column]
  float *c;
  size_t c_row;
  bool accumulate;
} kernel_product;
// Sums run over taps, then over k, in order, one fused multiply-add after another where the processor has it: an element
// of c does not depend on the extents of the rest.
void kernel_multiply(const kernel_product *product);

// out[column][row] = x[row][column].
void kernel_transpose(float *out, size_t out_stride, const float *x, size_t stride, size_t rows, size_t columns);

// Spectra of `frames` frames, one after another, from a line of real and a line of imaginary parts a bin, lines of
// neighbouring bins `stride` apart: out[frame][bin] = (real, imaginary) * scale + shift.
void kernel_gather_spectra(float *out, size_t out_stride, const float *real, const float *imaginary, size_t stride,
                           size_t bins, size_t frames, float scale, float shift);

// x += y on `channels` lines.
void kernel_add(float *x, size_t x_stride, const float *y, size_t y_stride, size_t channels, size_t columns);

// One step of an LSTM for `rows` sequences. A row of `gates` holds, for each 16 units in turn, 16 pre-activations of the
// input, forget, cell and output gate; `cell` rows are padded to a multiple of 16 and carried on:
//   cell = sigmoid(f) cell + sigmoid(i) tanh(g), output = sigmoid(o) tanh(cell).
void kernel_lstm_step(float *output, size_t output_stride, float *cell, const float *gates, size_t gates_stride,
                      size_t rows, size_t units);

// scores[row][key] -= decay[row] * |ahead + row - key|, and where that distance is 0 the score becomes `self`: for
// attention that forgets with distance. `ahead` is the place of the first query less that of the first key.
void kernel_distance_penalty(float *scores, size_t rows, size_t keys, size_t stride, ptrdiff_t ahead,
                             const float *decay, float self);

// Winograd's F(4, 3), before and after the products. A line is cut into quads of four columns; `quads` of them, from
// x[first] on, become six planes of `quads` floats a line, x being 0 outside [0, length). Up to 15 floats behind the last
// quad of a line are written too.
void kernel_winograd_input(float *out, size_t plane, size_t out_stride, const float *x, size_t stride, size_t channels,
                           ptrdiff_t first, size_t quads, ptrdiff_t length);
// The way back: six planes of quads to `columns` columns. Up to 15 floats behind the last quad of a line are read.
void kernel_winograd_output(float *out, size_t out_stride, const float *x, size_t plane, size_t stride, size_t channels,
                            size_t columns);

#endif
